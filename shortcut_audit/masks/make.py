"""A classifier explained over a data set, as pseudo-masks in a store."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from shortcut_audit.attribution.base import METHODS, Attribution
from shortcut_audit.attribution.baselines import make_baselines
from shortcut_audit.config import ExplainConfig, PseudoMaskConfig
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.masks.record import Job, MaskRecord, Pairs, StoreHeader
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.store import NAME, MaskStore
from shortcut_audit.runtime import progress, say
from shortcut_audit.shapes import Bytes8, Floats, Ints, Pixels


def explain_dataset(
    model: nn.Module,
    pixels: Bytes8,
    *,
    sample_ids: Sequence[str],
    labels: Floats,
    findings: Sequence[str],
    explain: ExplainConfig,
    cut: PseudoMaskConfig,
    mean: Pixels | None,
    manifest: str,
    weights: str,
    folder: Path,
) -> MaskStore:
    """Explain a classifier and leave ``masks.h5`` in ``folder``; go on where an earlier call stopped.

    A finished store of the same job is returned as it is; one of another job, or a damaged one, is
    replaced. On a CPU the same job gives the same bytes, interrupted or not.

    Args:
        model: logits (N,F) of pixels (N,C,H,W) in [0, 1], one a finding, on the device to compute on.
        pixels: the images (N,C,H,W).
        sample_ids: the samples (N).
        labels: (N,F) 1, 0, -1 (uncertain) or NaN; with ``only: positives`` the ones are explained.
        findings: the names (F) of labels and logits, in order.
        explain: method, steps, baselines, batch size.
        cut: how attributions become masks.
        mean: per-pixel mean (C,H,W) of the training images; for the baseline ``mean``.
        manifest: fingerprint of the manifest.
        weights: fingerprint of the model.
        folder: where the store shall lie.

    Raises:
        UsageError: an unknown method or baseline, or no mean image where one is needed.
        InputError: nothing to explain, or an attribution that is not finite.
        OutputError: the store could not be written.
    """
    explainer = _Explainer(model, explain, mean)
    # Asked for once ahead, so that a baseline that cannot be had is refused before anything is written.
    make_baselines(explain.baseline, torch.zeros(1, *pixels.shape[1:]), mean=mean)
    header = StoreHeader(
        manifest=manifest,
        model=weights,
        settings={"explain": explain.model_dump(mode="json"), "pseudo_mask": cut.model_dump(mode="json")},
        height=pixels.shape[2],
        width=pixels.shape[3],
        mean_image=mean if "mean" in explain.baseline else None,
    )
    pairs = _choose_pairs(labels, sample_ids=sample_ids, findings=findings, only=explain.only)
    job = Job(header=header, pairs=pairs)
    finished = _finished(folder / NAME, job)
    return _make(folder, job, pixels, explainer=explainer, cut=cut) if finished is None else finished


def _make(folder: Path, job: Job, pixels: Bytes8, *, explainer: _Explainer, cut: PseudoMaskConfig) -> MaskStore:
    writer, pairs = ShardWriter(folder, job), job.pairs
    todo = [writer.rows(shard) for shard in writer.todo]
    with progress("Explaining the classifier", sum(map(len, todo)), "maps") as bar:
        for shard, rows in zip(writer.todo, todo, strict=True):
            attribution = explainer.attribute(pixels[pairs.sample[rows]], pairs.finding[rows])
            writer.write(shard, [_record(attribution, n, pairs, row, cut) for n, row in enumerate(rows)])
            bar.advance(len(rows))
    return MaskStore(writer.seal())


class _Explainer:
    """A method and a copy of the model to explain; the caller's model stays as it is."""

    def __init__(self, model: nn.Module, config: ExplainConfig, mean: Pixels | None) -> None:
        self._method = METHODS.get(config.method)()
        # A fifth faster on a CPU than the usual order in memory.
        self._model = copy.deepcopy(model).to(memory_format=torch.channels_last)
        self._device = next(model.parameters()).device
        self._config, self._mean = config, mean

    def attribute(self, images: Bytes8, targets: Ints) -> Attribution:
        shown = torch.from_numpy(images).to(self._device).float() / 255
        baselines = make_baselines(self._config.baseline, shown, mean=self._mean)
        wanted = torch.from_numpy(targets).to(self._device)
        return self._method.explain(self._model, shown, wanted, baselines=baselines, config=self._config)


def _choose_pairs(labels: Floats, *, sample_ids: Sequence[str], findings: Sequence[str], only: str) -> Pairs:
    chosen = labels == 1 if only == "positives" else np.ones(labels.shape, dtype=bool)
    sample, finding = np.nonzero(chosen)
    if not len(sample):
        raise InputError(
            f"nothing to explain: no sample is positive for {', '.join(findings)}; "
            "check the labels, or explain all with --set explain.only=all"
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


def _record(attribution: Attribution, place: int, pairs: Pairs, row: int, cut: PseudoMaskConfig) -> MaskRecord:
    heatmap = attribution.signed[place]
    sample_id, finding = pairs.sample_ids[pairs.sample[row]], pairs.findings[pairs.finding[row]]
    if not (np.isfinite(heatmap).all() and np.isfinite(attribution.logit[place])):
        raise InputError(
            f"sample '{sample_id}', finding '{finding}': the attribution is not finite; "
            "the classifier's weights are damaged, train it again"
        )
    mask = pseudo_mask(heatmap, cut)
    return MaskRecord(
        sample_id=sample_id,
        finding=finding,
        heatmap=heatmap,
        foreground=mask.foreground,
        known=mask.known,
        delta=None if attribution.delta is None else float(attribution.delta[place]),
        steps=None if attribution.steps is None else int(attribution.steps[place]),
        threshold=mask.threshold,
        score=float(attribution.score[place]),
    )
