"""The one place where device, precision and gradients are decided: a thin shell over Lightning Fabric.

Small on purpose, so that a plain training loop could replace Fabric in a day.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from shortcut_audit.models.device import compute_device

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Precision = Literal["32-true", "bf16-mixed"]


def native_precision() -> Precision:
    """Return bfloat16 where the hardware computes it, float32 elsewhere.

    Where a processor only emulates bfloat16, a training step takes up to 18 times as long.
    """
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    capability = torch.cpu.get_capabilities()
    return "bf16-mixed" if capability.get("avx512_bf16") or capability.get("amx_bf16") else "32-true"


class Engine:
    """Moves a network to the device, runs it in the chosen precision, takes gradients.

    Args:
        precision: None takes :func:`native_precision`. Weights and optimiser state stay in float32.
    """

    def __init__(self, *, precision: Precision | None = None) -> None:
        with warnings.catch_warnings():
            # Fabric's import touches deprecated corners of its own dependencies.
            warnings.simplefilter("ignore")
            from lightning_fabric import Fabric as FabricClass
        self._fabric: Fabric = FabricClass(
            accelerator=compute_device().type, devices=1, precision=precision or native_precision()
        )

    def setup(self, network: nn.Module, optimiser: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Return network and optimiser as they are to be used in the loop."""
        network = network.to(memory_format=torch.channels_last)
        prepared, wrapped = self._fabric.setup(network, optimiser)
        return prepared, wrapped

    def to_device(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the device."""
        return self._fabric.to_device(tensor)

    def backward(self, loss: Tensor) -> None:
        """Take gradients."""
        self._fabric.backward(loss)
