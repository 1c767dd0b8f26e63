"""Stage that explains classifiers, or segmenters read as such, and leaves the mask store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from shortcut_audit.attribution.baselines import mean_image
from shortcut_audit.data.classes import class_masks, parse_class
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.make import explain_dataset
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.masks.store import is_whole
from shortcut_audit.masks.tune import References, need_constant, nothing_to_tune_on
from shortcut_audit.models.checkpoint import Model, load_model
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.device import threads_shared
from shortcut_audit.models.summarized import Summarized
from shortcut_audit.provenance import sha256_file
from shortcut_audit.shapes import Ints
from shortcut_audit.stages.study import Films, Study, told_by


def explain_training_films(study: Study, weights: Sequence[Path], *, processes: int = 1) -> None:
    """Explain models on the training films and store heat maps and pseudo-masks.

    Of a segmenter the logit of its summarized score is explained. Of several models the mean absolute
    attribution is stored. The work, and this process's threads, are shared out among ``processes``.

    Raises:
        UsageError: a model does not know the findings of the data set, or sees another size.
    """
    config = study.config
    digests = [sha256_file(path) for path in weights]

    def work() -> None:
        models = [_explainable(study, path) for path in weights]
        train = study.films("train")
        with threads_shared(processes):
            explain_dataset(
                models, train.pixels, sample_ids=train.manifest.ids, labels=train.labels, findings=study.findings,
                explain=config.explain, cut=config.pseudo_mask, mean=mean_image(train.pixels),
                manifest=study.manifest.fingerprint, weights=digests, folder=study.run.folder,
                references=drawn_references(study, train),
                summarizer=config.evaluate.summarizer if any(isinstance(one, Summarized) for one in models) else None,
                processes=processes,
            )  # fmt: skip

    inputs = study.inputs("explain", "pseudo_mask", classifiers=digests, summarizer=config.evaluate.summarizer)
    study.run.stage(
        "explain", inputs=inputs, outputs=[MASKS], work=work,
        whole=lambda: is_whole(study.run.path(MASKS)),
    )  # fmt: skip


def _explainable(study: Study, weights: Path) -> nn.Module:
    """Load a model that gives one logit for each of the run's findings, in their order."""
    model = load_model(weights)
    _check_size(model, study, weights)
    told = dict(enumerate(model.card.findings)) if isinstance(model, Classifier) else told_by(study, model.card.classes)
    channel = {finding: k for k, finding in told.items()}
    missing = [finding for finding in study.findings if finding not in channel]
    if missing or (isinstance(model, Classifier) and model.card.findings != study.findings):
        advice = "" if isinstance(model, Classifier) else "say in 'classes:' which finding each of its classes is of, "
        names = model.card.findings if isinstance(model, Classifier) else model.card.classes
        raise UsageError(
            f"{weights} was trained for {', '.join(names)}; this run is about {', '.join(study.findings)}; "
            f"{advice}set classifier.findings, or take another model"
        )
    if isinstance(model, Classifier):
        return model
    return Summarized(model, study.config.evaluate.summarizer, [channel[finding] for finding in study.findings])


def _check_size(model: Model, study: Study, weights: Path) -> None:
    card, image = model.card, study.config.image
    if (card.size, card.channels) != (image.size, image.channels):
        raise UsageError(
            f"{weights} takes {card.channels} x {card.size} px; this run works at {image.channels} x {image.size} px; "
            f"set image.size={card.size} and image.channels={card.channels}"
        )


def drawn_references(study: Study, train: Films) -> dict[str, References]:
    """Return drawn masks of training films for the threshold rule to be tuned on, none where it is not to be.

    At most ``pseudo_mask.tune_on`` films a finding, drawn with the seed from those with label 1 and a mask.

    Raises:
        UsageError: no finding has a drawn mask.
    """
    config = study.config.pseudo_mask
    if not config.tune_on:
        return {}
    need_constant(config)
    references: dict[str, References] = {}
    for place, finding in enumerate(study.findings):
        if finding in train.manifest.structures:
            drawn = np.array([parts is not None for parts in train.manifest.drawn("mask", finding)])
            rows = np.flatnonzero(drawn & (train.labels[:, place] == 1))
            rows = np.sort(np.random.default_rng(study.config.seed).permutation(rows)[: config.tune_on])
            found = _references(train, finding, rows, study.config.image.size)
            references |= {finding: found} if len(found.rows) else {}
    if not references:
        raise nothing_to_tune_on(config, study.findings)
    return references


def _references(train: Films, finding: str, rows: Ints, size: int) -> References:
    """Read the masks of some films, and leave out those that are empty or leave pixels open."""
    keep = np.zeros(len(train.manifest), dtype=bool)
    keep[rows] = True
    masks, known = (planes[:, 0] for planes in class_masks(train.manifest.select(keep), [parse_class(finding)], size))
    good = known.all(axis=(1, 2)) & masks.any(axis=(1, 2))
    return References(rows=rows[good], masks=[*masks[good]])
