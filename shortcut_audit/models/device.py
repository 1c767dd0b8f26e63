"""Which device networks run on: asked here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def compute_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(network: nn.Module) -> torch.device:
    """Return the device that a network's weights are on."""
    return next(network.parameters()).device


@contextmanager
def threads_shared(processes: int) -> Iterator[None]:
    """Compute with the threads that one of so many processes may have: sums depend on their number in the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(before // processes, 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)
