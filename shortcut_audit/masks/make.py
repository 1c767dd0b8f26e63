"""A classifier explained over a data set, as pseudo-masks in a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import nn

from shortcut_audit.attribution.asked import constants, heeded
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.attribution.explainer import Explainer
from shortcut_audit.config import ExplainConfig, PseudoMaskConfig
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.agreement import iou
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.record import Job, Pairs, StoreHeader
from shortcut_audit.masks.shard_maker import Cuts, ShardMaker, explain_pairs, films_of
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.spread import make_shards
from shortcut_audit.masks.store import NAME, MaskStore
from shortcut_audit.masks.tune import References, tuned_cuts
from shortcut_audit.provenance import fingerprint
from shortcut_audit.runtime import progress, say
from shortcut_audit.shapes import Bools, Bytes8, Floats, Pixels

COMPARED = 32
"""Pairs whose masks are made in both precisions where bfloat16 is asked for."""


def explain_dataset(
    models: Sequence[nn.Module],
    pixels: Bytes8,
    *,
    sample_ids: Sequence[str],
    labels: Floats,
    findings: Sequence[str],
    explain: ExplainConfig,
    cut: PseudoMaskConfig,
    mean: Pixels | None,
    manifest: str,
    weights: Sequence[str],
    folder: Path,
    references: Mapping[str, References] | None = None,
    summarizer: str | None = None,
    processes: int = 1,
) -> MaskStore:
    """Explain a classifier and leave ``masks.h5`` in ``folder``; go on where an earlier call stopped.

    A finished store of the same job is returned as it is; one of another job, or a damaged one, is
    replaced. On a CPU the same job gives the same bytes with as many threads, interrupted or not,
    whatever the number of processes.

    Args:
        models: logits (N,F) of pixels (N,C,H,W) in [0, 1], one a finding, on the device to compute on; of
            several the mean absolute attribution is stored.
        pixels: the images (N,C,H,W).
        sample_ids: the samples (N).
        labels: (N,F) 1, 0, -1 (uncertain) or NaN; with ``only: positives`` the ones are explained.
        findings: the names (F) of labels and logits, in order.
        explain: method, steps, baselines, batch size.
        cut: how attributions become masks.
        mean: per-pixel mean (C,H,W) of the training images; for the baseline ``mean``.
        manifest: fingerprint of the manifest.
        weights: fingerprints of the models.
        folder: where the store shall lie.
        references: drawn masks to tune the threshold rule on, by finding.
        summarizer: what makes a score of a segmenter's masks, where one is among the models.
        processes: among so many the shards are shared out; each has as many threads as this one.

    Raises:
        UsageError: an unknown method or baseline, no mean image where one is needed, a tolerance without room
            for further steps, or a process that was ended from outside.
        InputError: nothing to explain, or an attribution that is not finite.
        OutputError: the store could not be written.
    """
    explain = heeded(explain)
    explainer = Explainer(models, explain, mean)
    # Asked for once ahead, so that a baseline that cannot be had is refused before anything is written.
    make_baselines(explain.baseline, torch.zeros(1, *pixels.shape[1:]), mean=mean)
    cuts, tuned = tuned_cuts(
        cut, findings, references or {},
        lambda rows, place: explainer.explain(
            pixels[rows], image=np.arange(len(rows)), target=np.full(len(rows), place)
        ).signed,
    )  # fmt: skip
    settings = {
        "explain": explain.model_dump(mode="json"), "constants": constants(explain),
        "pseudo_mask": cut.model_dump(mode="json"), **tuned,
    }  # fmt: skip
    if summarizer is not None:
        settings["summarizer"] = summarizer
    header = StoreHeader(
        manifest=manifest,
        model=weights[0] if len(weights) == 1 else fingerprint({"classifiers": list(weights)}),
        settings={**settings, "classifiers": list(weights)},
        height=pixels.shape[2],
        width=pixels.shape[3],
        heatmap_size=_heatmap_size(pixels, cut),
        mean_image=mean if "mean" in explain.baseline else None,
    )
    chosen = _chosen(labels, pixels, explainer, explain)
    pairs = _pairs_of(chosen, sample_ids=sample_ids, findings=findings, config=explain)
    job = Job(header=header, pairs=pairs)
    finished = _finished(folder / NAME, job)
    if finished is not None:
        return finished
    effect: tuple[str, ...] = ()
    if explain.precision == "bfloat16":
        plain = Explainer(models, explain.model_copy(update={"precision": "float32"}), mean)
        effect = (_effect(explainer, plain, pixels, pairs, cuts),)
    writer = ShardWriter(folder, job, view_above=cut.view_above_gb * 1e9)
    maker = ShardMaker(explainer=explainer, pairs=pairs, header=header, cuts=cuts)
    return _fill(writer, maker, pixels, effect=effect, processes=processes)


def _fill(
    writer: ShardWriter, maker: ShardMaker, pixels: Bytes8, *, effect: tuple[str, ...], processes: int
) -> MaskStore:
    """Make the shards that are missing, and seal."""
    todo = writer.todo
    with (
        progress("Explaining the classifier", sum(len(writer.rows(shard)) for shard in todo), "maps") as bar,
        closing(make_shards(maker, pixels, todo, processes)) as shards,
    ):
        for shard, made in shards:
            writer.enter(shard, made.data, conditions=(*made.conditions, *effect))
            bar.advance(len(writer.rows(shard)))
    return MaskStore(writer.seal())


def _effect(explainer: Explainer, plain: Explainer, pixels: Bytes8, pairs: Pairs, cuts: Cuts) -> str:
    """Make some masks in both precisions and return in words how well they agree."""
    rows = np.unique(np.linspace(0, len(pairs) - 1, min(COMPARED, len(pairs))).astype(np.int64)).tolist()
    made = [explain_pairs(one, pairs, rows, pixels[films_of(pairs, rows)]).signed for one in (explainer, plain)]
    overlaps = [
        iou(*(pseudo_mask(heatmap, cuts[pairs.finding[row]]).foreground for heatmap in both))
        for row, *both in zip(rows, *made, strict=True)
    ]
    known = [value for value in overlaps if value is not None]
    text = f"bfloat16: no mask to compare on {len(rows)} pairs"
    if known:
        text = (
            f"bfloat16: IoU with the masks in float32 {np.mean(known):.3f} in the mean, {min(known):.3f} at least, "
            f"on {len(known)} pairs"
        )
    say(text)
    return text


def _heatmap_size(pixels: Bytes8, cut: PseudoMaskConfig) -> tuple[int, int] | None:
    height, width = pixels.shape[2:]
    return (min(height, cut.heatmap_px), min(width, cut.heatmap_px)) if cut.heatmap_px else None


def _chosen(labels: Floats, pixels: Bytes8, explainer: Explainer, config: ExplainConfig) -> Bools:
    if config.only == "all":
        return np.ones(labels.shape, dtype=bool)
    return labels == 1 if config.only == "positives" else explainer.scores(pixels) >= config.min_score


def _pairs_of(chosen: Bools, *, sample_ids: Sequence[str], findings: Sequence[str], config: ExplainConfig) -> Pairs:
    sample, finding = np.nonzero(chosen)
    if not len(sample):
        found = f"scores {config.min_score} or more" if config.only == "scored" else "is positive"
        advice = "lower explain.min_score" if config.only == "scored" else "check the labels"
        raise InputError(
            f"nothing to explain: no sample {found} for {', '.join(findings)}; "
            f"{advice}, or explain all with --set explain.only=all"
        )
    return Pairs(sample_ids=tuple(sample_ids), findings=tuple(findings), sample=sample, finding=finding)


def _finished(path: Path, job: Job) -> MaskStore | None:
    """Return the store at ``path`` if it is whole and of this job."""
    if not path.exists():
        return None
    try:
        store = MaskStore(path)
    except (OutputError, InputError) as error:
        say(f"{error} (doing so now)")
        return None
    return store if store.job.fingerprint == job.fingerprint else None
