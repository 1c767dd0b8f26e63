"""Weights and their card on disk: ``NAME.safetensors`` and, written last, ``NAME.json``.

The card holds the SHA-256 of the weights, so that a flipped bit is found on loading; a card without
weights, or the other way round, is a stage that was not finished. No pickle is ever read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load, save

from shortcut_audit.errors import OutputError, UsageError
from shortcut_audit.models.card import ModelCard
from shortcut_audit.models.classifier import Classifier, build_classifier
from shortcut_audit.models.device import compute_device
from shortcut_audit.models.segmenter import Segmenter, build_segmenter
from shortcut_audit.provenance import sha256_bytes, write_atomic, write_json

Model = Classifier | Segmenter
M = TypeVar("M", Classifier, Segmenter)
_CARDS: TypeAdapter[ModelCard] = TypeAdapter(ModelCard)


def card_path(weights: Path) -> Path:
    """Return where the card of a weights file lies."""
    return weights.with_suffix(".json")


def save_model(model: Model, path: Path) -> str:
    """Write weights and card; return the SHA-256 of the weights."""
    state = {name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()}
    data = save(state)
    digest = sha256_bytes(data)
    write_atomic(path, data)
    write_json(card_path(path), {"sha256": digest, **model.card.model_dump(mode="json")})
    return digest


def load_model(path: Path) -> Model:
    """Read a model.

    Raises:
        UsageError: there is no such file.
        OutputError: weights or card are truncated, altered, or do not belong together.
    """
    card, digest = _read_card(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there; name a .safetensors file that 'audit train' wrote") from error
    if sha256_bytes(data) != digest:
        raise OutputError(f"{path} is not what its card {card_path(path).name} says: truncated or altered; train again")
    model: Model = build_classifier(card) if card.kind == "classifier" else build_segmenter(card)
    try:
        model.load_state_dict(load(data))
    except RuntimeError as error:
        raise OutputError(
            f"{path} does not fit its card {card_path(path).name}, which was altered; train again"
        ) from error
    return model.eval().to(compute_device())


def load_as(path: Path, kind: type[M]) -> M:
    """Read a model of one kind.

    Raises:
        UsageError: it is of the other kind.
    """
    model = load_model(path)
    if not isinstance(model, kind):
        raise UsageError(f"{path} holds a {model.card.kind}; a {kind.__name__.lower()} is needed here")
    return model


def _read_card(path: Path) -> tuple[ModelCard, str]:
    place = card_path(path)
    try:
        content = json.loads(place.read_text())
        digest = str(content.pop("sha256"))
        return _CARDS.validate_python(content), digest
    except FileNotFoundError as error:
        raise UsageError(f"{place} is not there; weights are read together with the card beside them") from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise OutputError(f"{place} is not a model card of ours; train again") from error
