"""Time and masks of our Integrated Gradients against a plain captum script.

``python -m tests.benchmarks.explain``. A classifier of 14 findings is trained on synthetic films, then its findings are
explained on test films with a pneumothorax: that finding alone, and 2.3 of the 14 a film in the mean (the pneumothorax
and others that are there, drawn at random). Targets on a CPU: 4 and 5 times (7 is the aim) as fast as captum (float32,
50 Gauss-Legendre steps, one finding at a time, the fastest of several batch sizes), at an IoU of the masks with those
of 300 steps of .95 in the mean and .90 at the 5th percentile; on a GPU 12 times. Times are of the processor where
there is no GPU, so that other work on the machine counts little.

For a DenseNet-121 at 224 px, in a folder that keeps the classifier and the masks of 300 steps (one file a film; several
processes share that work with ``--only-reference --share K/N``)::

    python -m tests.benchmarks.explain --architecture densenet121 --stages 64x10,112x1,224x0.5 --train 1000
        --images 12 --steps 12 --batch-size 16 --batches 8 16 32 --keep FOLDER
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from captum.attr import IntegratedGradients as Captum

from shortcut_audit.attribution.baselines import make_baselines, mean_image
from shortcut_audit.attribution.explainer import Explainer
from shortcut_audit.config import ExplainConfig, PseudoMaskConfig
from shortcut_audit.masks.agreement import iou
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.models.classifier import Classifier, predict_scores
from shortcut_audit.training.train_classifier import mean_auroc
from tests.benchmarks.film_classifier import Stage, drawn, films, trained

POSITIVES = 2.3
"""Findings explained a film, in the mean."""


def seconds(call: Callable[[], object]) -> float:
    gpu = torch.cuda.is_available()
    clock = time.perf_counter if gpu else time.process_time
    start = clock()
    call()
    if gpu:
        torch.cuda.synchronize()
    return clock() - start


def pairs_of(labels: np.ndarray) -> np.ndarray:
    """Image and finding of every pair (P,2): the first finding, which every film has, and others drawn of its own."""
    pairs = []
    for row, there in enumerate(labels):
        count = round((POSITIVES - 1) * (row + 1)) - round((POSITIVES - 1) * row)
        others = np.flatnonzero(there[1:]) + 1
        kept = np.random.default_rng(row).choice(others, min(count, len(others)), replace=False)
        pairs += [(row, 0), *((row, int(finding)) for finding in np.sort(kept))]
    return np.array(pairs)


def by_captum(
    model: Classifier, pixels: np.ndarray, pairs: np.ndarray, mean: np.ndarray, steps: int, batch: int
) -> np.ndarray:
    """Maps (P,H,W) of the pairs (P,2) of image and finding, as one would write it down."""
    method, maps = Captum(model), np.zeros((len(pairs), *pixels.shape[2:]), dtype=np.float32)
    device = next(model.parameters()).device
    for finding in np.unique(pairs[:, 1]):
        rows = np.flatnonzero(pairs[:, 1] == finding)
        for start in range(0, len(rows), 8):
            part = rows[start : start + 8]
            images = torch.from_numpy(pixels[pairs[part, 0]]).to(device).float() / 255
            for baseline in (found := make_baselines(["blur", "mean"], images, mean=mean)):
                slopes = method.attribute(
                    images, baseline, target=int(finding), n_steps=steps, method="gausslegendre",
                    internal_batch_size=max(batch, len(part)),
                )  # fmt: skip
                maps[part] += slopes.sum(1).detach().cpu().numpy() / len(found)
    return maps


def overlaps(maps: np.ndarray, reference: np.ndarray) -> str:
    cut = PseudoMaskConfig()
    both = zip(maps, reference, strict=True)
    found = [iou(*(pseudo_mask(one, cut).foreground for one in pair)) for pair in both]
    known = np.array([value for value in found if value is not None])
    return f"IoU {known.mean():.3f} (5th percentile {np.quantile(known, 0.05):.3f}, {len(known)} masks)"


class References:
    """Maps of many steps, by film, kept in a folder. They are ours: equal to captum's on the same steps (tested)."""

    def __init__(self, folder: Path, explainer: Explainer, steps: int) -> None:
        self._folder, self._explainer, self._steps = folder, explainer, steps

    def of(self, pixels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Return the maps (P,H,W), made now where the folder has none."""
        return np.concatenate([self.film(pixels, pairs, row) for row in np.unique(pairs[:, 0])])

    def film(self, pixels: np.ndarray, pairs: np.ndarray, row: int) -> np.ndarray:
        targets = pairs[pairs[:, 0] == row, 1]
        path = self._folder / f"reference-{self._steps}-{row:03d}-{'-'.join(map(str, targets))}.npy"
        if not path.exists():
            print(f"film {row}: {self._steps} steps of {len(targets)} findings", flush=True)
            found = self._explainer.explain(pixels[[row]], image=np.zeros_like(targets), target=targets)
            np.save(path, found.signed)
        return np.load(path)


def compare(
    model: Classifier,
    pixels: np.ndarray,
    pairs: np.ndarray,
    mean: np.ndarray,
    reference: np.ndarray,
    asked: argparse.Namespace,
) -> None:
    timed = pairs[: asked.captum_maps]
    by_captum(model, pixels, timed[:1], mean, 2, asked.batches[0])  # the first call is slow
    tune = lambda batch: by_captum(model, pixels, timed[:1], mean, max(asked.batches), batch)  # noqa: E731
    times = {batch: seconds(lambda batch=batch: tune(batch)) for batch in asked.batches}
    batch = min(times, key=times.__getitem__)
    theirs: list[np.ndarray] = []
    spent = seconds(lambda: theirs.append(by_captum(model, pixels, timed, mean, 50, batch)))
    slow = spent * len(pairs) / len(timed)
    told = f"{overlaps(theirs[0], reference[: len(timed)])}, timed on {len(timed)}"
    print(f"{len(pairs)} maps: captum, 50 steps, batches of {batch}: {slow:.1f} s, {told}", flush=True)
    fixed = {"quadrature": asked.quadrature, "steps": asked.steps}
    adaptive = {**fixed, "tolerance": asked.tolerance, "max_steps": asked.max_steps}
    for name, changes in {
        f"ours, {asked.steps} steps": fixed,
        f"ours, {asked.steps} steps and more up to a completeness error of {asked.tolerance}": adaptive,
        "the same in bfloat16": {**adaptive, "precision": "bfloat16"},
    }.items():
        explainer = Explainer([model], _config(asked).model_copy(update=changes), mean)
        explainer.explain(pixels[:1], image=pairs[:1, 0] * 0, target=pairs[:1, 1])
        found = []
        spent = seconds(
            lambda explainer=explainer, found=found: found.append(
                explainer.explain(pixels, image=pairs[:, 0], target=pairs[:, 1])
            )
        )
        told = f"{spent:.1f} s, {slow / spent:.1f} times as fast, {overlaps(found[0].signed, reference)}"
        print(f"  {name}: {told}, {_by_quarter(found[0].steps, pairs)}", flush=True)


def _by_quarter(steps: np.ndarray, pairs: np.ndarray) -> str:
    by_image = np.sort([steps[pairs[:, 0] == image].max() for image in np.unique(pairs[:, 0])])
    quarter = max(len(by_image) // 4, 1)
    cheap, dear = by_image[:quarter].mean(), by_image[-quarter:].mean()
    return f"steps {cheap:.0f} (cheapest quarter) to {dear:.0f} (dearest), {by_image.mean():.1f} in the mean"


def _config(asked: argparse.Namespace) -> ExplainConfig:
    return ExplainConfig(batch_size=asked.batch_size)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="resnet10t")
    parser.add_argument("--stages", default="64x8", help="size x passes, in turn; the last size is that of the films")
    parser.add_argument("--train", type=int, default=500, help="training films")
    parser.add_argument("--images", type=int, default=16, help="films that are explained")
    parser.add_argument("--quadrature", default="midpoint")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--tolerance", type=float, default=0.05)
    parser.add_argument("--max-steps", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--reference", type=int, default=300, help="steps of the masks that others are compared with")
    parser.add_argument("--captum-maps", type=int, help="captum is timed on the first so many maps; none: all")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32, 64], help="of captum; the fastest counts")
    parser.add_argument("--findings", choices=["one", "many", "both"], default="both")
    parser.add_argument("--keep", type=Path, help="folder of the classifier and of the reference; none: not kept")
    parser.add_argument("--only-reference", action="store_true", help="make what --keep lacks, and stop")
    parser.add_argument("--share", default="0/1", help="K/N: with --only-reference, films K, K + N, K + 2 N, ...")
    asked = parser.parse_args()
    if asked.only_reference and asked.keep is None:
        parser.error("--only-reference needs --keep FOLDER")
    return asked


def run(asked: argparse.Namespace, keep: Path) -> None:
    stages = [Stage.of(stage) for stage in asked.stages.split(",")]
    size = stages[-1].size
    plans = drawn(size, train=asked.train, test=max(120, 4 * asked.images))
    model = trained(plans, asked.architecture, stages, keep / "classifier.safetensors")
    if not (keep / "mean.npy").exists():
        np.save(keep / "mean.npy", mean_image(films(plans, "train", size).pixels))
    mean, test = np.load(keep / "mean.npy"), films(plans, "test", size)
    shown = np.flatnonzero(test.labels[:, 0])[: asked.images]
    pixels, many = test.pixels[shown], pairs_of(test.labels[shown])
    kept = References(
        keep, Explainer([model], _config(asked).model_copy(update={"steps": asked.reference}), mean), asked.reference
    )
    if asked.only_reference:
        first, step = map(int, asked.share.split("/"))
        for row in range(first, len(pixels), step):
            kept.film(pixels, many, row)
        return
    val = films(plans, "val", size)
    scores = predict_scores(model, torch.from_numpy(val.pixels)).double().numpy()
    first, all_of_them = mean_auroc(val.labels[:, :1], scores[:, :1]), mean_auroc(val.labels, scores)
    print(f"{asked.architecture}, {size} px, {torch.get_num_threads()} threads, {len(pixels)} films")
    print(f"validation AUROC of the first finding {first:.3f}, of 14 {all_of_them:.3f}", flush=True)
    reference, one = kept.of(pixels, many), many[:, 1] == 0
    for name, chosen in {"one": one, "many": np.ones_like(one)}.items():
        if asked.findings in (name, "both"):
            compare(model, pixels, many[chosen], mean, reference[chosen], asked)


def main() -> None:
    asked = options()
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
        run(asked, asked.keep)
        return
    with TemporaryDirectory() as folder:
        run(asked, Path(folder))


if __name__ == "__main__":
    main()
