"""Stage that explains the classifier and leaves the mask store."""

from __future__ import annotations

from pathlib import Path

from shortcut_audit.attribution.baselines import mean_image
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.make import explain_dataset
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.models.checkpoint import load_as
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.provenance import sha256_file
from shortcut_audit.stages.study import Study


def explain_training_films(study: Study, weights: Path) -> None:
    """Explain a classifier on the training films and store heat maps and pseudo-masks.

    Raises:
        UsageError: the classifier does not know the findings of the data set, or sees another size.
    """
    config = study.config

    def work() -> None:
        classifier = load_as(weights, Classifier)
        _check_fit(classifier, study, weights)
        train = study.films("train")
        explain_dataset(
            classifier, train.pixels, sample_ids=train.manifest.ids, labels=train.labels, findings=study.findings,
            explain=config.explain, cut=config.pseudo_mask, mean=mean_image(train.pixels),
            manifest=study.manifest.fingerprint, weights=sha256_file(weights), folder=study.run.folder,
        )  # fmt: skip

    study.run.stage(
        "explain", inputs=study.inputs("explain", "pseudo_mask", classifier=sha256_file(weights)),
        outputs=[MASKS], work=work,
    )  # fmt: skip


def _check_fit(classifier: Classifier, study: Study, weights: Path) -> None:
    card, image = classifier.card, study.config.image
    if card.findings != study.findings:
        raise UsageError(
            f"{weights} was trained for {', '.join(card.findings)}; this run is about {', '.join(study.findings)}; "
            "set classifier.findings, or take another classifier"
        )
    if (card.size, card.channels) != (image.size, image.channels):
        raise UsageError(
            f"{weights} takes {card.channels} x {card.size} px; this run works at {image.channels} x {image.size} px; "
            f"set image.size={card.size} and image.channels={card.channels}"
        )
