"""Weights and their card on disk: ``NAME.safetensors`` and, written last, ``NAME.json``.

The card holds the SHA-256 of the weights, so that a flipped bit is found on loading; a card without
weights, or the other way round, is a stage that was not finished. No pickle is ever read.

Of a segmenter whose encoder was fixed a file may hold what learnt alone. Then the encoder is taken from the
segmenter it started from, which lies beside it or one folder up and is known by its SHA-256.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load, save
from torch import Tensor

from shortcut_audit.errors import OutputError, UsageError
from shortcut_audit.models.card import ClassifierCard, ModelCard, SegmenterCard
from shortcut_audit.models.classifier import Classifier, build_classifier
from shortcut_audit.models.device import compute_device
from shortcut_audit.models.segmenter import ENCODER, FIXED, Segmenter, build_segmenter
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
    return _write(save(state), model, path)


def _write(data: bytes, model: Model, path: Path) -> str:
    digest = sha256_bytes(data)
    write_atomic(path, data)
    write_json(card_path(path), {"sha256": digest, **model.card.model_dump(mode="json")})
    return digest


def save_learnt(segmenter: Segmenter, path: Path) -> str:
    """Write the tensors that learnt, and the card: without the encoder, where that was fixed. Return their SHA-256."""
    state = {
        name: tensor.detach().contiguous().cpu()
        for name, tensor in segmenter.state_dict().items()
        if not name.startswith(FIXED)
    }
    return _write(save(state), segmenter, path)


def load_model(path: Path) -> Model:
    """Read a model; of a file without its fixed encoder, together with the segmenter it started from.

    Raises:
        UsageError: there is no such file, or the segmenter that it started from is not beside it.
        OutputError: weights or card are truncated, altered, or do not belong together.
    """
    card, data = _read_checked(path)
    state = load(data)
    if isinstance(card, ClassifierCard):
        return _filled(build_classifier(card), state, path)
    if card.encoder_fixed and not any(name.startswith(FIXED) for name in state):
        start = load_as(_start_of(path, card), Segmenter).state_dict()
        state |= {name.replace(ENCODER, FIXED, 1): t for name, t in start.items() if name.startswith(ENCODER)}
    return _filled(build_segmenter(card), state, path)


def _start_of(path: Path, card: SegmenterCard) -> Path:
    """Return the file that holds the weights a segmenter started from."""
    folders = path.absolute().parents[:2]
    others = [one for folder in folders for one in sorted(folder.glob("*.safetensors")) if one.name != path.name]
    for other in others:
        with suppress(UsageError, OutputError):  # some other file of weights, without a card of ours
            if _read_card(other)[1] == card.started_from:
                return other
    raise UsageError(
        f"{path} holds only what learnt beside a fixed encoder; the segmenter it started from (SHA-256 "
        f"{card.started_from[:12]}...) is none of the {len(others)} other files of weights in "
        f"{' and '.join(map(str, folders))}; put it beside it, together with its card"
    )


def _read_checked(path: Path) -> tuple[ModelCard, bytes]:
    """Return card and weights as they were written."""
    card, digest = _read_card(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there; name a .safetensors file that 'audit train' wrote") from error
    if sha256_bytes(data) != digest:
        raise OutputError(f"{path} is not what its card {card_path(path).name} says: truncated or altered; train again")
    return card, data


def _filled(model: M, state: dict[str, Tensor], path: Path) -> M:
    """Return a model with its weights, ready to predict."""
    try:
        model.load_state_dict(state)
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
