"""Stage that turns every model of a run into rows of the scores table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch

from shortcut_audit.audit.table.scores import ScoresTable, write_scores
from shortcut_audit.data.classes import ClassRule, class_masks
from shortcut_audit.data.images import read_pixels
from shortcut_audit.data.manifest import SPLITS
from shortcut_audit.data.quarantine import refuse_many
from shortcut_audit.errors import UsageError
from shortcut_audit.models.checkpoint import Model, load_model
from shortcut_audit.models.classifier import Classifier, predict_scores
from shortcut_audit.models.summarize import summarize
from shortcut_audit.runtime import progress, say
from shortcut_audit.shapes import Bools, Bytes8, Floats
from shortcut_audit.stages.learn import CLASSIFIER, FINETUNED, PERMUTED, PRETRAINED, SCRATCH
from shortcut_audit.stages.study import Films, Study, told_by

SCORES = "scores.csv"
MODELS = (CLASSIFIER, PRETRAINED, FINETUNED, SCRATCH, PERMUTED)
CONTROLS = (PERMUTED,)
SEED = r", seed (\d+)$"


@dataclass(frozen=True, kw_only=True, eq=False)
class Switched:
    """Films of a split with one attribute switched: which rows have one (N,), and their pixels (M, C, S, S)."""

    rows: Bools
    pixels: Bytes8


def models_of(study: Study) -> list[str]:
    """Return the weight files that the run holds, in the order in which they are shown."""
    return [name for name in MODELS if study.run.has(name)]


def switched_films(study: Study, attribute: str, films: Films) -> Switched:
    """Read the counterparts of films for one attribute.

    Raises:
        InputError: more than max(3, 1 %) of the counterparts cannot be read.
    """
    paths = films.manifest.paths("counterpart", attribute)
    rows = np.flatnonzero([path is not None for path in paths])
    image = study.config.image
    pixels, bad = read_pixels([p for p in paths if p is not None], size=image.size, channels=image.channels)
    refuse_many({str(row): reason for row, reason in bad.items()}, len(rows), what="counterparts")
    for reason in bad.values():
        say(f"counterpart left out: {reason}")
    good = np.setdiff1d(np.arange(len(rows)), list(bad))
    there = np.zeros(len(paths), dtype=bool)
    there[rows[good]] = True
    return Switched(rows=there, pixels=pixels[good])


def score_table(study: Study, files: dict[str, Path], attributes: tuple[str, ...]) -> ScoresTable:
    """Score all films with all models.

    Args:
        study: the run at work.
        files: weight files by model name.
        attributes: those whose counterparts are scored too, in the test films.
    """
    frames = []
    models = {name: load_model(path) for name, path in files.items()}
    splits = [split for split in SPLITS if len(study.manifest.split(split))]
    with progress("Scoring films", len(models) * len(splits), "model passes") as bar:
        for split in splits:
            films = study.films(split)
            pairs = _pairs(study, films, attributes) if split == "test" else {}
            known = _known_columns(study, films)
            for name, model in models.items():
                frames += list(_score(study, name, model, films, pairs, known))
                bar.advance()
    if not frames:
        raise UsageError(
            f"none of {', '.join(models)} speaks of a finding of the data set '{study.manifest.card.name}' "
            f"(it has: {', '.join(study.findings)}); audit it on a data set with its findings, or say in 'classes:' "
            "which finding a class is of, as in 'malignant: lesion where melanoma = 1'"
        )
    return ScoresTable.from_frame(_by_seed(pl.concat(frames, how="diagonal")), where=SCORES)


def _by_seed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return models called ``NAME, seed K`` as seeds of one model, which is how a table of scores says it."""
    seed = pl.col("model").str.extract(SEED)
    if frame.select(seed.is_null().all()).item():
        return frame
    return frame.with_columns(seed=seed, model=pl.col("model").str.replace(SEED, ""))


def _pairs(study: Study, films: Films, attributes: tuple[str, ...]) -> dict[str, Switched]:
    return {
        name: switched_films(study, name, films)
        for name in attributes
        if name in study.manifest.counterparts and study.manifest.attribute_type(name) == "binary"
    }


def _known_columns(study: Study, films: Films) -> pl.DataFrame:
    """Return ids, patients, attributes, severity and covariates of films, with areas of drawn masks."""
    frame = films.manifest.frame
    kept = [c for c in frame.columns if c.startswith(("attribute.", "severity.", "covariate."))]
    known = frame.select("sample_id", "patient_id", "split", *kept)
    return known.with_columns(_areas(study, films, set(known.columns)))


def _areas(study: Study, films: Films, have: set[str]) -> list[pl.Series]:
    """Return the area of drawn masks, as a fraction of the image.

    Of a finding: its severity, among positives. Of another structure that a class is drawn on: a covariate.
    """
    columns = []
    taught = {rule.structure for rule in study.rules().values()} if study.config.classes else set()
    # A finding that people drew has a severity, whether or not a class is drawn on it.
    drawn = (taught | set(study.findings)) & set(films.manifest.structures)
    for structure in sorted(drawn):
        is_finding = structure in study.findings
        name = f"severity.{structure}" if is_finding else f"covariate.{structure}_area"
        if name not in have:
            columns.append(pl.Series(name, _area(study, films, structure), dtype=pl.Float64))
    return columns


def _area(study: Study, films: Films, structure: str) -> list[float | None]:
    masks, known = class_masks(films.manifest, [ClassRule(structure=structure)], study.config.image.size)
    share = masks[:, 0].mean(axis=(1, 2))
    drawn = known[:, 0].any(axis=(1, 2)) & (share > 0)
    return [float(value) if drawn[row] else None for row, value in enumerate(share)]


def _score(
    study: Study, name: str, model: Model, films: Films, pairs: dict[str, Switched], known: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Yield a frame for each finding and each way of reading the model."""
    read = _read(study, name, model, films.pixels)
    switched = {attribute: _read(study, name, model, pair.pixels) for attribute, pair in pairs.items()}
    for (label, finding, role), scores in read.items():
        column = study.findings.index(finding)
        rows = ~np.isnan(films.labels[:, column])
        states = [
            series
            for attribute, pair in pairs.items()
            for series in _states(films, attribute, pair, scores, switched[attribute][label, finding, role])
        ]
        # A mean of pixels' probabilities is not the probability of the finding.
        scale = "probability" if isinstance(model, Classifier) else "rank"
        frame = known.with_columns(
            pl.lit(label).alias("model"), pl.lit(finding).alias("finding"), pl.lit(role).alias("role"),
            pl.lit(scale).alias("scale"),
            pl.Series("label", np.nan_to_num(films.labels[:, column]).astype(int)), pl.Series("score", scores),
            *states,
        )  # fmt: skip
        yield frame.filter(pl.Series(rows))


def _states(films: Films, attribute: str, pair: Switched, scores: Floats, other: Floats) -> Iterator[pl.Series]:
    """Yield score_with and score_without: the film as it is in its own state, its counterpart in the other."""
    switched = np.full(len(scores), np.nan)
    switched[pair.rows] = other
    present = films.manifest.frame[f"attribute.{attribute}"].to_numpy()
    known = pair.rows & ~np.isnan(present.astype(float))
    for state, value in (("score_with", 1.0), ("score_without", 0.0)):
        chosen = np.where(present == value, scores, switched)
        cells = [float(v) if ok else None for v, ok in zip(chosen, known, strict=True)]
        yield pl.Series(f"{state}.{attribute}", cells, dtype=pl.Float64)


def _read(study: Study, name: str, model: Model, pixels: Bytes8) -> dict[tuple[str, str, str], Floats]:
    """Return scores (N,) by (model name, finding, role)."""
    stored = torch.from_numpy(pixels)
    if isinstance(model, Classifier):
        scores = predict_scores(model, stored).double().numpy()
        return {
            (name, finding, "model"): scores[:, column]
            for column, finding in enumerate(model.card.findings)
            if finding in study.findings
        }
    asked = study.config.evaluate
    found = summarize(model, stored, [asked.summarizer, *asked.controls])
    told = told_by(study, model.card.classes)
    read = {}
    for summarizer, scores_ in found.items():
        control = summarizer != asked.summarizer or f"{name}.safetensors" in CONTROLS
        label = name if summarizer == asked.summarizer else f"{name}:{summarizer}"
        for column, finding in told.items():
            read[label, finding, "control" if control else "model"] = scores_[:, column].double().numpy()
    return read


def write_table(study: Study, files: dict[str, Path], attributes: tuple[str, ...], path: Path) -> None:
    """Score and write ``scores.csv`` (mode 0600: it holds ids)."""
    write_scores(score_table(study, files, attributes), path)


def excluded(study: Study) -> dict[str, int]:
    """Return how many films were left out of the run, by reason."""
    counts: dict[str, int] = {}
    for split in SPLITS:
        if len(study.manifest.split(split)) and (bad := len(study.films(split).quarantine)):
            counts[f"unreadable image ({split})"] = bad
    test = study.films("test")
    for column, finding in enumerate(study.findings):
        if unknown := int(np.isnan(test.labels[:, column]).sum()):
            counts[f"{finding} unknown or uncertain (test)"] = unknown
    return counts
