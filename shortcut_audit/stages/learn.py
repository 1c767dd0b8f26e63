"""Stages that train: the classifier, and segmenters on pseudo-masks or on drawn ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.data.images import MAX_MEMORY
from shortcut_audit.errors import InputError
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.models.checkpoint import load_as, save_model
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.runs import Run
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools
from shortcut_audit.stages.lessons import pseudo_lessons
from shortcut_audit.stages.study import Films, Study, class_labels, drawn_masks
from shortcut_audit.training.train_classifier import train_classifier
from shortcut_audit.training.train_segmenter import MaskSet, train_segmenter

CLASSIFIER = "classifier.safetensors"
PRETRAINED = "segmenter_pretrained.safetensors"
FINETUNED = "segmenter_finetuned.safetensors"
SCRATCH = "segmenter_scratch.safetensors"
PERMUTED = "segmenter_permuted.safetensors"
Arm = Literal["finetuned", "scratch", "permuted"]


def outputs(weights: str) -> list[str]:
    """Return the files of a model: weights and card."""
    return [weights, weights.replace(".safetensors", ".json")]


def learn_labels(study: Study) -> None:
    """Train the classifier on image labels."""
    config = study.config
    _need_both_classes(study.films("train"), study.findings)

    def work() -> None:
        train, val = study.films("train"), study.films("val")
        classifier = train_classifier(
            train=(train.pixels, study.taught_labels(train.manifest)), val=(val.pixels, val.labels),
            uncertain=config.dataset.uncertain == "multiclass", ids=train.manifest.ids,
            findings=study.findings, config=config.classifier, image=config.image, seed=config.seed,
            trained_on=study.manifest.fingerprint,
        )  # fmt: skip
        save_model(classifier, study.run.path(CLASSIFIER))

    study.run.stage("classifier", inputs=study.inputs("classifier"), outputs=outputs(CLASSIFIER), work=work)


def _need_both_classes(train: Films, findings: tuple[str, ...]) -> None:
    """Raise InputError unless at least one finding has positives and negatives among the training films."""
    for column in range(len(findings)):
        known = train.labels[~np.isnan(train.labels[:, column]), column]
        if len(np.unique(known)) == 2:
            return
    raise InputError(
        f"nothing to learn: none of {', '.join(findings)} has both positive and negative training films "
        f"({len(train.labels)} films); check the labels and the split column"
    )


def learn_pseudo_masks(
    study: Study, *, source: Run | None = None, weights: str = PRETRAINED, stage: str = "pretrain"
) -> None:
    """Pre-train a segmenter on the pseudo-masks of the run.

    The masks are cleaned first by the rules of ``segmenter.cleaning``. By default films without the finding
    have an empty mask: that is image-label supervision again, and said in the audit. Films that carry the
    finding but no pseudo-mask teach nothing about it.

    Args:
        study: the run at work.
        source: the run that holds the masks; by default this one.
        weights: the file to leave.
        stage: its name in the run.
    """
    run, config = study.run, study.config
    origin = source or run

    def work() -> None:
        train, val = study.films("train"), study.films("val")
        masks, known = pseudo_lessons(study, MaskStore(origin.path(MASKS)), train)
        segmenter = train_segmenter(
            train=MaskSet(ids=train.manifest.ids, pixels=train.pixels, masks=masks, known=known),
            val=(val.pixels, val.labels), classes=study.findings, config=config.segmenter, image=config.image,
            summarizer=config.evaluate.summarizer, seed=config.seed, trained_on=study.manifest.fingerprint,
            phase="pretrain", what="Pre-training the segmenter on pseudo-masks",
        )  # fmt: skip
        save_model(segmenter, run.path(weights))

    run.stage(
        stage, inputs=study.inputs("segmenter", masks=origin.digest(MASKS), summarizer=config.evaluate.summarizer),
        outputs=outputs(weights), work=work,
    )  # fmt: skip


def learn_drawn_masks(study: Study, arm: Arm, *, source: Run | None = None) -> None:
    """Train a segmenter on drawn masks.

    Args:
        study: the run at work.
        arm: ``finetuned`` starts from the pre-trained segmenter of ``source``; ``scratch`` from random
            weights, with the same steps and masks; ``permuted`` is from scratch on permuted labels: a
            control that knows nothing of the finding.
        source: the run that holds the pre-trained segmenter; by default this one.
    """
    run, config = study.run, study.config
    weights = {"finetuned": FINETUNED, "scratch": SCRATCH, "permuted": PERMUTED}[arm]
    rules = study.rules()
    origin = source or run
    start = origin.digest(PRETRAINED) if arm == "finetuned" else ""

    def work() -> None:
        train, val = study.films("train"), study.films("val")
        if arm == "permuted":
            train, val = (_permuted(study, films) for films in (train, val))
        check_memory(len(train.manifest), len(rules), config.image.size)
        masks, known = drawn_masks(train, rules, config.image.size)
        need_drawn(masks, known, tuple(rules), "train", control=arm == "permuted")
        segmenter = train_segmenter(
            train=MaskSet(ids=train.manifest.ids, pixels=train.pixels, masks=masks, known=known),
            val=(val.pixels, class_labels(study, val, rules)), classes=tuple(rules), config=config.segmenter,
            image=config.image, summarizer=config.evaluate.summarizer, seed=config.seed,
            trained_on=study.manifest.fingerprint, phase="drawn", what=_WORDS[arm],
            start=(load_as(origin.path(PRETRAINED), Segmenter), start) if start else None,
        )  # fmt: skip
        save_model(segmenter, run.path(weights))

    run.stage(
        arm, inputs=study.inputs("segmenter", "classes", start=start, summarizer=config.evaluate.summarizer),
        outputs=outputs(weights), work=work,
    )  # fmt: skip


def need_drawn(masks: Bools, known: Bools, classes: tuple[str, ...], split: str, *, control: bool = False) -> None:
    """Say which classes have no pixel in any mask (N, K, S, S); a segmenter learns to draw nothing of them.

    Raises:
        InputError: no film of the split has a mask; or, of what is trained on and is no control, no mask a pixel.
    """
    if not known.any():
        raise InputError(
            f"no {split} film has a drawn mask for {', '.join(classes)}; check the mask columns and the split"
        )
    drawn = [bool(masks[:, k].any()) for k in range(len(classes))]
    empty = [name for name, there in zip(classes, drawn, strict=True) if not there]
    if not empty:
        return
    said = f"no mask of {', '.join(empty)} has a pixel in {split}: nothing of it is learnt or measured"
    if split == "train" and not any(drawn) and not control:
        raise InputError(f"{said}; 'audit data check' counts the masks that are empty, of every structure")
    say(said)


def check_memory(films: int, classes: int, size: int) -> None:
    """Raise InputError if drawn masks and known pixels would not fit."""
    needed = 2 * films * classes * size**2
    if needed > MAX_MEMORY:
        raise InputError(
            f"the drawn masks of {films} films and {classes} classes at {size} px take {needed / 2**30:.1f} GiB, more "
            f"than {MAX_MEMORY / 2**30:.0f}; choose a smaller image.size or fewer classes"
        )


_WORDS: dict[Arm, str] = {
    "finetuned": "Fine-tuning the pre-trained segmenter on drawn masks",
    "scratch": "Training the segmenter from scratch on drawn masks",
    "permuted": "Training the control segmenter on permuted labels",
}


def _permuted(study: Study, films: Films) -> Films:
    """Return the films with labels (and masks that depend on them) dealt out anew within the split."""
    rng = np.random.default_rng([study.config.seed, len(films.manifest)])
    order = rng.permutation(len(films.manifest))
    columns = [pl.col(f"label.{name}").gather(order.tolist()) for name in study.findings]
    shuffled = replace(films.manifest, frame=films.manifest.frame.with_columns(columns))
    return replace(films, manifest=shuffled, labels=films.labels[order])
