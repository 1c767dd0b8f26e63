"""The masks are audited too: how much of a run's pseudo-masks lies on an attribute, and what goes with it.

A teacher that reads the tube paints tubes into its masks, and pre-training hands the shortcut on. A mask that
avoids the tube clears nobody: the tube can decide whether anything is painted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shortcut_audit.audit.measures.rates import proportion
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast, fields
from shortcut_audit.audit.statistics.metrics import Sampling, auroc
from shortcut_audit.masks.heatmap import enlarge
from shortcut_audit.masks.record import MaskRecord
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.shapes import Floats, Ints
from shortcut_audit.stages.look import Look, regions_of, shares_of
from shortcut_audit.stages.study import Study

PSEUDO_MASKS = "pseudo-masks"


def look_at_masks(study: Study, finding: str) -> list[Metric]:
    """Return what the run's pseudo-masks of training films share with footprints; nothing where there are none.

    On at most ``evaluate.saliency_images`` films, drawn with the seed: ``mask_share`` and ``saliency_share`` with
    their enrichments inside every region, and for every attribute with footprints ``mask_touching``, the share of
    masks with a pixel on it among the films that carry it. On all films: ``mask_area_auroc``, the AUROC of a
    mask's area for the attribute.
    """
    if not study.run.has(MASKS):
        return []
    store = MaskStore(study.run.path(MASKS))
    if store.header.manifest != study.manifest.fingerprint or finding not in store.pairs.findings:
        return []  # masks of other films say nothing about these
    rows, films = _stored(study, store, finding)
    if not len(rows):
        return []
    order = np.random.default_rng([study.config.seed, 2]).permutation(len(rows))
    chosen = np.sort(order[: study.config.evaluate.saliency_images])
    return [*_regions(study, store, finding, rows[chosen], films[chosen]), *_areas(study, store, finding, rows, films)]


def _stored(study: Study, store: MaskStore, finding: str) -> tuple[Ints, Ints]:
    """Return the store's rows of a finding whose films are at hand, and which training films those are, ascending."""
    place = {sample: film for film, sample in enumerate(study.films("train").manifest.ids)}
    pairs = store.pairs
    found = [
        (place[name], row)
        for row in np.flatnonzero(pairs.finding == pairs.findings.index(finding)).tolist()
        if (name := pairs.sample_ids[pairs.sample[row]]) in place
    ]
    films, rows = np.array(sorted(found), dtype=np.int64).reshape(-1, 2).T
    return rows, films


def _regions(study: Study, store: MaskStore, finding: str, rows: Ints, films: Ints) -> list[Metric]:
    train = study.films("train")
    keep = np.zeros(len(train.manifest), dtype=bool)
    keep[films] = True
    regions = regions_of(train.manifest.select(keep), finding, study.config.image.size)
    looked = Look(films=train, rows=films, regions=regions)
    records = [store[int(row)] for row in rows]
    masks = [record.foreground.astype(np.float32) for record in records]
    size = (store.header.height, store.header.width)
    maps = [enlarge(np.abs(record.heatmap), size) for record in records if record.heatmap is not None]
    return [
        *shares_of(study, looked, masks, finding, PSEUDO_MASKS, "mask"),
        *(shares_of(study, looked, maps, finding, PSEUDO_MASKS, "saliency") if len(maps) == len(masks) else ()),
        *(_touching(study, looked, records, finding, name) for name in regions if name.startswith("footprint:")),
    ]


def _touching(study: Study, looked: Look, records: Sequence[MaskRecord], finding: str, region: str) -> Metric:
    """Return the share of masks with a pixel inside a footprint, among films that have one."""
    pairs = zip(records, looked.regions[region], strict=True)
    touches = [
        bool((record.foreground & footprint).any()) if footprint is not None and footprint.any() else None
        for record, footprint in pairs
    ]
    known = np.array([touch is not None for touch in touches])
    hits = np.array([touch is True for touch in touches])
    sampling = _sampling(study, looked.rows)
    with_one = len(np.unique(sampling.clusters[known]))
    if with_one > 1:
        part = proportion(np.flatnonzero(known), hits, sampling)
        contrast = Contrast(sampling=sampling, parts=((1.0, part),), rows=(known & hits, known & ~hits))
    else:
        reason = f"{with_one} patients have a mask and a footprint; two are needed"
        contrast = Contrast(sampling=sampling, rows=(known & hits, known & ~hits), reason=reason)
    return _metric(
        study, contrast, finding=finding, attribute=region.partition(":")[2], group=region, name="mask_touching"
    )


def _areas(study: Study, store: MaskStore, finding: str, rows: Ints, films: Ints) -> list[Metric]:
    """Return, for every yes-or-no attribute, whether masks are larger where it is present."""
    manifest = study.films("train").manifest
    area = store.columns["foreground_px"][rows] / (store.header.height * store.header.width)
    sampling = _sampling(study, films)
    return [
        _area_metric(
            study, finding, name, area, manifest.frame[f"attribute.{name}"].cast(float).to_numpy()[films], sampling
        )
        for name in manifest.attributes
        if manifest.attribute_type(name) == "binary"
    ]


def _area_metric(study: Study, finding: str, attribute: str, area: Floats, value: Floats, sampling: Sampling) -> Metric:
    present, absent = np.flatnonzero(value == 1), np.flatnonzero(value == 0)
    rows = (value == 1, value == 0)
    if len(present) and len(absent):
        contrast = Contrast(sampling=sampling, parts=((1.0, auroc(present, absent, sampling, area)),), rows=rows)
    else:
        reason = f"{len(present)} masks of films with {attribute}, {len(absent)} without; both are needed"
        contrast = Contrast(sampling=sampling, rows=rows, reason=reason)
    return _metric(study, contrast, finding=finding, attribute=attribute, group="label:1", name="mask_area_auroc")


def _metric(study: Study, contrast: Contrast, *, finding: str, attribute: str, group: str, name: str) -> Metric:
    confidence = study.config.evaluate.confidence
    found = contrast.estimate(confidence)
    return Metric(
        model=PSEUDO_MASKS, finding=finding, attribute=attribute, group=group, name=name,
        confidence=confidence, n_pos=found.tally.n, n_neg=0, **fields(found),
    )  # fmt: skip


def _sampling(study: Study, films: Ints) -> Sampling:
    """Return whose training films these are."""
    patients = study.films("train").manifest.frame["patient_id"].to_numpy()[films].astype(str)
    _, clusters = np.unique(patients, return_inverse=True)
    return Sampling(
        clusters=clusters, weights=np.ones(len(films)), n_clusters=int(clusters.max()) + 1, unit="patient"
    )  # fmt: skip
