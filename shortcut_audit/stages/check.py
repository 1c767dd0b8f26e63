"""Names in the configuration are looked up before anything is computed: a slip costs seconds, not a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shortcut_audit.attribution.asked import check_asked
from shortcut_audit.attribution.base import METHODS
from shortcut_audit.config import Config
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.rules import RULES
from shortcut_audit.masks.tune import need_constant, nothing_to_tune_on
from shortcut_audit.models.card import ClassifierCard, SegmenterCard
from shortcut_audit.models.classifier import build_classifier
from shortcut_audit.models.segmenter import build_segmenter
from shortcut_audit.models.summarizers import SUMMARIZERS
from shortcut_audit.runs import Run
from shortcut_audit.stages.lessons import check_cleaning
from shortcut_audit.stages.study import Study, begin, need_attributes

Need = Literal["classifier", "explain", "segmenter", "pseudo", "drawn", "audit"]


def open_study(run: Run, config: Config, *needs: Need) -> Study:
    """Look up what a command is going to need, open the data set, and look up what it must have.

    Names come first: a synthetic set is rendered when it is opened.

    Args:
        run: the run folder.
        config: what is computed.
        needs: ``classifier`` and ``segmenter`` (networks), ``explain`` (method), ``pseudo`` (rules that
            clean pseudo-masks), ``drawn`` (masks of the classes), ``audit`` (attributes).

    Raises:
        UsageError: a name that does not exist; the message names the nearest one.
    """
    _check_names(config, needs)
    study = begin(run, config)
    if "explain" in needs:
        _check_tuning(study)
    if "pseudo" in needs:
        check_cleaning(study)
    if "drawn" in needs:
        _check_classes(study)
    if "audit" in needs:
        need_attributes(config, study.manifest)
    return study


def _check_names(config: Config, needs: Sequence[Need]) -> None:
    if "explain" in needs:
        for name in (config.explain.method, config.explain.smoothed):
            METHODS.get(name)
        check_asked(config.explain)
        RULES.get(config.pseudo_mask.rule)
    if "segmenter" in needs:
        for name in (config.evaluate.summarizer, *config.evaluate.controls):
            SUMMARIZERS.get(name)
    # How many findings there are is not known yet, and decides nothing here.
    one = ("finding",)
    plain = {"channels": config.image.channels, "size": config.image.size, "mean": (0.0,), "std": (1.0,), "seed": 0}
    if "classifier" in needs:
        taught = ClassifierCard(architecture=config.classifier.architecture, findings=one, **plain)  # type: ignore[arg-type]
        build_classifier(taught, weights=config.classifier.weights)
    if "segmenter" in needs:
        settings = config.segmenter
        card = SegmenterCard(
            architecture=settings.architecture, encoder=settings.encoder, activation=settings.activation,
            decoder_channels=tuple(settings.decoder_channels), classes=one, **plain,  # type: ignore[arg-type]
        )  # fmt: skip
        build_segmenter(card, weights=settings.weights)


def _check_tuning(study: Study) -> None:
    asked = study.config.pseudo_mask
    if not asked.tune_on:
        return
    need_constant(asked)
    if not set(study.findings) & set(study.manifest.structures):
        raise nothing_to_tune_on(asked, study.findings)


def _check_classes(study: Study) -> None:
    for name, rule in study.rules().items():
        study.manifest.require("mask", rule.structure)
        if rule.finding is not None:
            study.manifest.require("label", rule.finding)
        elif study.config.segmenter.permuted_twin:
            raise UsageError(
                f"segmenter.permuted_twin: the class '{name}' does not depend on a label, so permuting labels changes "
                "nothing about it; write it as in 'malignant: lesion where melanoma = 1', or set permuted_twin: false"
            )
