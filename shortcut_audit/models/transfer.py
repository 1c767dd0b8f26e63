"""Taking over the weights of another network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from shortcut_audit.errors import UsageError


def take_weights(network: nn.Module, found: Mapping[str, Tensor], *, but: str | None, where: str, wanted: str) -> int:
    """Give a network all tensors of ``found`` but those of one part, and return how many that are.

    Args:
        network: takes them; what it does not take stays as it is.
        found: tensors by name.
        but: prefix of the names that are left out (a head with other outputs); None: nothing is.
        where: what holds the tensors, in words.
        wanted: the network, in words.

    Raises:
        UsageError: a tensor that is to be taken is not there, or has another shape.
    """
    own = {name: tensor for name, tensor in network.state_dict().items() if but is None or not name.startswith(but)}
    missing = sorted(name for name, tensor in own.items() if name not in found or found[name].shape != tensor.shape)
    if missing:
        raise UsageError(
            f"{where} lacks {len(missing)} of {len(own)} tensors of {wanted}, first '{missing[0]}'; "
            "name weights of that architecture"
        )
    network.load_state_dict({name: found[name] for name in own}, strict=False)
    return len(own)
