"""Stage that looks where models look: saliency and masks beside footprints. It explains; it never decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from shortcut_audit.attribution.base import Attribution
from shortcut_audit.attribution.baselines import mean_image
from shortcut_audit.attribution.explainer import Explainer
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.means import mean_metric
from shortcut_audit.data.classes import ClassRule, class_masks
from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import Part, fitted, read_drawn
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.masks.agreement import dice, saliency_shares
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.models.checkpoint import Model
from shortcut_audit.models.classifier import Classifier, build_classifier
from shortcut_audit.models.device import device_of
from shortcut_audit.models.pixels import padded_batches
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.runtime import progress, say
from shortcut_audit.shapes import Bools, Bytes8, Heatmap, Ints, Mask
from shortcut_audit.stages.study import Films, Study, told_by

RANDOMISED = "randomised weights"
LEVEL = 0.5
Regions = dict[str, list[Mask | None]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """Some films of one split, with everything drawn on them. ``rows`` index the split's films."""

    films: Films
    rows: Ints
    regions: Regions


def look(study: Study, models: dict[str, Model], finding: str) -> list[Metric]:
    """Return shares of saliency and of the masks cut from it, mask shares of segmenters, and Dice.

    On test films with the finding and at least one footprint, at most ``evaluate.saliency_images``, drawn with the
    seed. Where the data set has no footprints, on those with a drawn mask of the finding: segmenters only.
    """
    looked = _choose(study, finding)
    if looked is None:
        return []
    metrics: list[Metric] = []
    for name, model in models.items():
        if isinstance(model, Classifier) and finding in model.card.findings and looked.films.manifest.footprints:
            metrics += _saliency(study, looked, finding, {name: model, RANDOMISED: _randomised(model)})
        elif isinstance(model, Segmenter):
            metrics += _predicted(study, looked, finding, name, model)
    return metrics


def explain_films(study: Study, classifier: Classifier, films: Films, rows: Ints, finding: str) -> Attribution:
    """Explain one finding on some films, as the run's configuration says."""
    config = study.config.explain
    mean = mean_image(_reference_pixels(study, films)) if "mean" in config.baseline else None
    target = np.full(len(rows), classifier.card.findings.index(finding))
    return Explainer([classifier], config, mean).explain(films.pixels[rows], image=np.arange(len(rows)), target=target)


def _reference_pixels(study: Study, films: Films) -> Bytes8:
    """Return the training films' pixels; a data set that is test only stands in with its own."""
    train = study.films("train").pixels
    return train if len(train) else films.pixels


def predicted_masks(segmenter: Segmenter, films: Films, rows: Ints) -> Bools:
    """Return the predicted masks (M, K, S, S) of some films: pixels with probability above one half."""
    parts = []
    with torch.inference_mode():
        for chunk, count in padded_batches(torch.from_numpy(films.pixels[rows]), device=device_of(segmenter)):
            parts.append((segmenter.probabilities(chunk)[:count] > LEVEL).cpu().numpy())
    return np.concatenate(parts)


def regions_of(manifest: Manifest, finding: str, size: int) -> Regions:
    """Return, for the finding and every attribute with footprints, one mask or None a row."""
    regions: Regions = {}
    if finding in manifest.structures:
        masks, _ = class_masks(manifest, [ClassRule(structure=finding)], size)
        regions[f"finding:{finding}"] = [mask if mask.any() else None for mask in masks[:, 0]]
    for name in manifest.footprints:
        drawn = zip(manifest.drawn("footprint", name), manifest.images(), strict=True)
        regions[f"footprint:{name}"] = [_mask_or_none(cell, image, size) for cell, image in drawn]
    return regions


def _mask_or_none(cell: tuple[Part, ...] | None, image: Path, size: int) -> Mask | None:
    """Return a mask; None where there is none, or where it cannot be read, which is said."""
    try:
        return fitted(read_drawn(cell, image=image), (size, size)).foreground if cell else None
    except BadImageError as error:
        say(f"footprint left out: {error}")
        return None


def _choose(study: Study, finding: str) -> Look | None:
    """Draw test films that carry the finding and have a footprint; None where there is nothing to look at.

    Without any footprint in the data set, films that have a drawn mask of the finding.
    """
    films = study.films("test")
    columns = [("footprint", name) for name in films.manifest.footprints]
    columns = columns or [("mask", finding)] * (finding in films.manifest.structures)
    if not columns or study.config.evaluate.saliency_images == 0:
        return None
    positive = films.labels[:, study.findings.index(finding)] == 1
    drawn = np.any([[cell is not None for cell in films.manifest.drawn(*one)] for one in columns], axis=0)
    candidates = np.flatnonzero(positive & drawn)
    if not len(candidates):
        return None
    order = np.random.default_rng([study.config.seed, 1]).permutation(candidates)
    rows = np.sort(order[: study.config.evaluate.saliency_images])
    keep = np.zeros(len(positive), dtype=bool)
    keep[rows] = True
    regions = regions_of(films.manifest.select(keep), finding, study.config.image.size)
    return Look(films=films, rows=rows, regions=regions)


def _randomised(classifier: Classifier) -> Classifier:
    torch.manual_seed(0)
    return build_classifier(classifier.card).eval().to(device_of(classifier))


def _saliency(study: Study, looked: Look, finding: str, models: dict[str, Classifier]) -> list[Metric]:
    metrics = []
    with progress("Explaining test films", len(models), "networks") as bar:
        for name, model in models.items():
            found = explain_films(study, model, looked.films, looked.rows, finding)
            metrics += shares_of(study, looked, list(found.absolute), finding, name, "saliency")
            # What the network would paint into pseudo-masks; the randomised one is the null of a teacher's.
            cut = [pseudo_mask(one, study.config.pseudo_mask).foreground.astype(np.float32) for one in found.signed]
            metrics += shares_of(study, looked, cut, finding, name, "mask")
            bar.advance()
    return metrics


def shares_of(study: Study, looked: Look, maps: Sequence[Heatmap], finding: str, model: str, what: str) -> list[Metric]:
    """Return ``WHAT_share`` and ``WHAT_enrichment`` for every region, over the films that have it."""
    metrics = []
    for region, found in saliency_shares(maps, looked.regions).items():
        attribute = region.partition(":")[2] if region.startswith("footprint:") else ""
        about = {"model": model, "finding": finding, "attribute": attribute, "group": region}
        shares, enrichments = [one.share for one in found], [one.enrichment for one in found]
        metrics.append(mean_of(study, looked, shares, 1.0, name=f"{what}_share", **about))
        metrics.append(mean_of(study, looked, enrichments, math.inf, name=f"{what}_enrichment", **about))
    return metrics


def mean_of(study: Study, looked: Look, values: Sequence[float | None], most: float, **about: str) -> Metric:
    """Return the mean of a number from 0 to ``most`` over the films looked at, all of which carry the finding."""
    patients = [str(looked.films.manifest.frame["patient_id"][int(row)]) for row in looked.rows]
    return mean_metric(
        values, patients, [1] * len(patients), confidence=study.config.evaluate.confidence, bounds=(0.0, most),
        **about,  # type: ignore[arg-type]
    )  # fmt: skip


def _predicted(study: Study, looked: Look, finding: str, name: str, segmenter: Segmenter) -> list[Metric]:
    """Return how much of a predicted mask lies on each footprint, and its Dice with the drawn mask."""
    channel = next((k for k, told in told_by(study, segmenter.card.classes).items() if told == finding), None)
    if channel is None:
        return []
    masks = predicted_masks(segmenter, looked.films, looked.rows)[:, channel]
    metrics = shares_of(study, looked, list(masks.astype(np.float32)), finding, name, "mask")
    drawn = looked.regions.get(f"finding:{finding}")
    if drawn is not None:
        pairs = zip(masks, drawn, strict=True)
        values = [None if reference is None else dice(mask, reference) for mask, reference in pairs]
        about = {"model": name, "finding": finding, "attribute": "", "group": f"finding:{finding}"}
        metrics.append(mean_of(study, looked, values, 1.0, name="dice", **about))
    return metrics
