"""Which device networks run on: asked here and nowhere else."""

from __future__ import annotations

import torch
from torch import nn


def compute_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(network: nn.Module) -> torch.device:
    """Return the device that a network's weights are on."""
    return next(network.parameters()).device
