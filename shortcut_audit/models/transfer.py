"""Taking over the weights of another network.

Timm names the tensors of one network in two ways: whole (``stages.0.conv.weight``), and flattened where it gives
features, as in an encoder of segmentation-models-pytorch (``encoder.model.stages_0.conv.weight``). Here names count
as equal if they differ in dots and underscores alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from shortcut_audit.errors import UsageError

PREFIXES = ("network.encoder.encoder.model.", "network.encoder.model.", "encoder.model.", "network.", "model.")
"""What stands before the name of a timm tensor: in a segmenter of ours, in one of smp, in a classifier of ours."""
ENCODERS = ("network.encoder.", "encoder.")
DECODER = "network.decoder."
ADAPTERS = "network.encoder.adapters."
NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """How many tensors were taken, which of the network's were not found, and which of those found have no place."""

    taken: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def note(self) -> str:
        """Return one sentence."""
        parts = [f"{self.taken} tensors taken"]
        for names, word in ((self.missing, "missing"), (self.unexpected, "without a place here")):
            if names:
                shown = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
                parts.append(f"{len(names)} {word} ({shown})")
        return "; ".join(parts)


def take_weights(
    network: nn.Module,
    found: Mapping[str, Tensor],
    *,
    but: str | None = None,
    only: str = "",
    where: str,
    wanted: str,
) -> int:
    """Give a network all tensors of ``found`` but those of one part, and return how many that are.

    Args:
        network: takes them; what it does not take stays as it is.
        found: tensors by name.
        but: prefix of the names that are left out (a head with other outputs); None: nothing is.
        only: prefix of the names that are taken.
        where: what holds the tensors, in words.
        wanted: the network, in words.

    Raises:
        UsageError: a tensor that is to be taken is not there, or has another shape.
    """
    own = {
        name: tensor for name, tensor in network.state_dict().items()
        if name.startswith(only) and (but is None or not name.startswith(but))
    }  # fmt: skip
    missing = sorted(name for name, tensor in own.items() if name not in found or found[name].shape != tensor.shape)
    if missing:
        raise _lacks(missing, len(own), where, wanted)
    network.load_state_dict({name: found[name] for name in own}, strict=False)
    return len(own)


def read_tensors(path: Path, *, key: str) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    Args:
        path: the file.
        key: of the configuration that names it, for the message.

    Raises:
        UsageError: it cannot be read, or is what learnt beside a fixed encoder, without that encoder.
    """
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UsageError(f"{key}: {path} is not a readable safetensors file ({error})") from error
    encoder = [name for name in found if name.startswith(ENCODERS) and not name.startswith(ADAPTERS)]
    if any(name.startswith(DECODER) for name in found) and not encoder:
        raise UsageError(
            f"{key}: {path} holds only what learnt beside a fixed encoder; name the segmenter it started from: "
            "the encoder is that one's"
        )
    return found


def is_segmenter(found: Mapping[str, Tensor]) -> bool:
    """Whether tensors are of a segmenter: it has an encoder."""
    return any(name.startswith(ENCODERS) for name in found)


def take_body(
    body: nn.Module,
    found: Mapping[str, Tensor],
    *,
    but: str | None = None,
    where: str,
    wanted: str,
    partly: bool = False,
) -> Transfer:
    """Give a timm network, or the timm network inside an encoder, the tensors of another one of that architecture.

    Both ways: from a classifier to an encoder, and back. Grey networks take the weights of colour ones summed over
    the channels, colour networks those of grey ones divided among them: a grey image gives the same features.

    Args:
        body: a timm network; it keeps what is left out.
        found: tensors of a timm network, of a classifier or of a segmenter of ours, by name.
        but: prefix of the names in ``body`` that are left out: its head.
        where: what holds the tensors, in words.
        wanted: the network, in words.
        partly: take what is there, if that is at least half: an encoder lacks what a classifier has behind it.

    Raises:
        UsageError: a tensor is missing or has another shape.
    """
    given = {_plain(name): (name, tensor) for name, tensor in found.items()}
    own = {name: tensor for name, tensor in body.state_dict().items() if but is None or not name.startswith(but)}
    taken = {
        name: fitted
        for name, tensor in own.items()
        if _plain(name) in given and (fitted := _fit_channels(given[_plain(name)][1], tensor)).shape == tensor.shape
    }
    missing = sorted(own.keys() - taken.keys())
    if len(missing) > (len(own) // 2 if partly else 0):
        raise _lacks(missing, len(own), where, wanted)
    body.load_state_dict(taken, strict=False)
    used = {_plain(name) for name in taken}
    return Transfer(
        taken=len(taken),
        missing=tuple(sorted(body.state_dict().keys() - taken.keys())),
        unexpected=tuple(sorted(name for plain, (name, _) in given.items() if plain not in used)),
    )


def _lacks(missing: list[str], count: int, where: str, wanted: str) -> UsageError:
    return UsageError(
        f"{where} lacks {len(missing)} of {count} tensors of {wanted}, first '{missing[0]}'; "
        "name weights of that architecture"
    )


def _plain(name: str) -> str:
    """Return a tensor's name without what stands before it, dots written as underscores."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    return name.replace(".", "_")


def _fit_channels(tensor: Tensor, wanted: Tensor) -> Tensor:
    """Return a first convolution (O, 1 or 3, h, w) for the other number of channels; all else as it is."""
    if tensor.ndim != 4 or wanted.ndim != 4 or tensor.shape[1] == wanted.shape[1]:
        return tensor
    if (tensor.shape[1], wanted.shape[1]) == (3, 1):
        return tensor.sum(dim=1, keepdim=True)
    if (tensor.shape[1], wanted.shape[1]) == (1, 3):
        return tensor.repeat(1, 3, 1, 1) / 3
    return tensor
