"""Random numbers for methods of other libraries, which draw from global generators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of torch and numpy, and put them back as they were.

    Begun anew for every image, it gives each the same draws, whatever other images are explained.
    """
    before = np.random.get_state()  # noqa: NPY002 (captum draws from it)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
