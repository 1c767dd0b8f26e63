"""What pseudo-masks teach: the masks of a store, cleaned as the configuration says, packed for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import fitted, read_drawn
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.cleaning import Cleaning, Lessons, parse_cleaning
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools, Floats, Ints
from shortcut_audit.stages.study import Films, Study
from shortcut_audit.training.packed import PackedPlanes

CHUNK = 256
"""Films at a time; masks of a whole data set fit in memory only as bits."""


def check_cleaning(study: Study) -> None:
    """Raise UsageError for an unknown rule, or an attribute that has no footprint or no label in the data set."""
    manifest = study.manifest
    for cleaning in map(parse_cleaning, study.config.segmenter.cleaning):
        if cleaning.attribute and cleaning.attribute not in manifest.footprints:
            have = ", ".join(manifest.footprints) or "none"
            raise UsageError(
                f"the cleaning rule '{cleaning.name}' needs footprints of '{cleaning.attribute}', and the data set "
                f"'{manifest.card.name}' has none (footprints: {have}); add a column footprint.{cleaning.attribute}"
            )


def check_scores(study: Study, store: MaskStore) -> None:
    """Raise UsageError for a rule that asks for the teacher's scores, where the masks were made elsewhere."""
    for cleaning in map(parse_cleaning, study.config.segmenter.cleaning):
        if cleaning.rule.needs_scores and store.header.kind == "imported":
            raise UsageError(
                f"the cleaning rule '{cleaning.name}' asks for the teacher's scores, and the masks of {store.path} "
                "were made elsewhere and have none; take the rule out of segmenter.cleaning"
            )


def pseudo_lessons(study: Study, store: MaskStore, films: Films) -> tuple[PackedPlanes, PackedPlanes]:
    """Return masks and known pixels that the films' pseudo-masks teach after cleaning."""
    asked = [parse_cleaning(text) for text in study.config.segmenter.cleaning]
    rarities = {rule.attribute: _rarity(films, rule.attribute) for rule in asked if rule.attribute}
    masks, known, untraced = [], [], 0
    for start in range(0, len(films.labels), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(films.labels)))
        lessons = _stored(study, store, films, rows)
        for cleaning in asked:
            lessons = _about(lessons, cleaning, study, films, rows, rarities)
            untraced += int(lessons.untraced.sum())
            foreground, still = cleaning.rule.clean(lessons)
            lessons = replace(lessons, foreground=foreground, known=still)
        masks.append(np.packbits(lessons.foreground, axis=-1))
        known.append(np.packbits(lessons.known, axis=-1))
    if untraced:
        say(f"{untraced} pseudo-masks left out: the film carries the attribute, and its footprint is not known")
    return PackedPlanes(masks), PackedPlanes(known)


def _stored(study: Study, store: MaskStore, films: Films, rows: Ints) -> Lessons:
    ids = [films.manifest.ids[row] for row in rows]
    foreground, known = store.planes(ids)
    count, classes, *size = foreground.shape
    return Lessons(
        foreground=foreground, known=known, labels=films.labels[rows], scores=store.scores(ids),
        footprint=np.zeros((count, *size), dtype=bool), traced=np.ones(count, dtype=bool),
        rarity=np.ones((count, classes)), seeds=np.array([_seed(study.config.seed, name) for name in ids]),
    )  # fmt: skip


def _about(
    lessons: Lessons, cleaning: Cleaning, study: Study, films: Films, rows: Ints, rarities: dict[str, Floats]
) -> Lessons:
    """Return the lessons with what a rule needs to know of its attribute."""
    if not cleaning.attribute:
        return lessons
    size = study.config.image.size
    footprint, traced = footprints(films.manifest, cleaning.attribute, rows, size)
    return replace(lessons, footprint=footprint, traced=traced, rarity=rarities[cleaning.attribute][rows])


def footprints(manifest: Manifest, attribute: str, rows: Sequence[int] | Ints, size: int) -> tuple[Bools, Bools]:
    """Return footprints (n, S, S) of some films, and whether each is known (n,).

    Known are those that are drawn, and those of films that do not carry the attribute: they are empty.
    """
    cells, images = manifest.drawn("footprint", attribute), manifest.images()
    column = f"attribute.{attribute}"
    carries = manifest.frame[column].to_list() if column in manifest.frame.columns else [None] * len(manifest)
    drawn, known = np.zeros((len(rows), size, size), dtype=bool), np.zeros(len(rows), dtype=bool)
    for place, row in enumerate(rows):
        if (cell := cells[int(row)]) is None:
            known[place] = carries[int(row)] == 0
            continue
        try:
            drawn[place] = fitted(read_drawn(cell, image=images[int(row)]), (size, size)).foreground
            known[place] = True
        except BadImageError as error:
            say(f"footprint left out: {error}")
    return drawn, known


def _rarity(films: Films, attribute: str) -> Floats:
    """Return P(y) P(a) / P(y, a) (N, K) over the largest of them; 1 where label or attribute is not known."""
    column = f"attribute.{attribute}"
    rarity = np.ones_like(films.labels)
    if column not in films.manifest.frame.columns:
        return rarity
    value = films.manifest.frame[column].cast(float).to_numpy()
    for k in range(films.labels.shape[1]):
        label = films.labels[:, k]
        known = ~np.isnan(label) & ~np.isnan(value)
        weight = {
            (y, a): np.mean(label[known] == y) * np.mean(value[known] == a) / cell
            for y in (0.0, 1.0)
            for a in (0.0, 1.0)
            if known.any() and (cell := np.mean((label[known] == y) & (value[known] == a))) > 0
        }
        for (y, a), one in weight.items():
            rarity[(label == y) & (value == a), k] = one / max(weight.values())
    return rarity


def _seed(seed: int, sample_id: str) -> int:
    return int.from_bytes(sha256(f"{seed} {sample_id}".encode()).digest()[:7], "big")
