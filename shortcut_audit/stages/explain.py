"""Stage that explains classifiers, or segmenters read as such, and leaves the mask store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from shortcut_audit.attribution.baselines import mean_image
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.make import explain_dataset
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.models.checkpoint import Model, load_model
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.summarized import Summarized
from shortcut_audit.provenance import sha256_file
from shortcut_audit.stages.study import Study, told_by


def explain_training_films(study: Study, weights: Sequence[Path]) -> None:
    """Explain models on the training films and store heat maps and pseudo-masks.

    Of a segmenter the logit of its summarized score is explained. Of several models the mean absolute
    attribution is stored.

    Raises:
        UsageError: a model does not know the findings of the data set, or sees another size.
    """
    config = study.config
    digests = [sha256_file(path) for path in weights]

    def work() -> None:
        models = [_explainable(study, path) for path in weights]
        train = study.films("train")
        explain_dataset(
            models, train.pixels, sample_ids=train.manifest.ids, labels=train.labels, findings=study.findings,
            explain=config.explain, cut=config.pseudo_mask, mean=mean_image(train.pixels),
            manifest=study.manifest.fingerprint, weights=digests, folder=study.run.folder,
        )  # fmt: skip

    inputs = study.inputs("explain", "pseudo_mask", classifiers=digests, summarizer=config.evaluate.summarizer)
    study.run.stage("explain", inputs=inputs, outputs=[MASKS], work=work)


def _explainable(study: Study, weights: Path) -> nn.Module:
    """Load a model that gives one logit for each of the run's findings, in their order."""
    model = load_model(weights)
    _check_size(model, study, weights)
    told = dict(enumerate(model.card.findings)) if isinstance(model, Classifier) else told_by(study, model.card.classes)
    channel = {finding: k for k, finding in told.items()}
    missing = [finding for finding in study.findings if finding not in channel]
    if missing or (isinstance(model, Classifier) and model.card.findings != study.findings):
        raise UsageError(
            f"{weights} was trained for {', '.join(told.values())}; this run is about {', '.join(study.findings)}; "
            "set classifier.findings, or take another model"
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
