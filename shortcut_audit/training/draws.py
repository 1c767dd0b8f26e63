"""What training draws for an image: a function of (seed, epoch, sample id), and of nothing else.

The rows of a table may stand in another order, images may join or leave, and any number of processes may read them:
an image is mirrored in the same epochs as before, and two images keep the order they had between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from shortcut_audit.shapes import Bools, Ints


def order_and_flips(ids: Sequence[str], *stream: int) -> tuple[Ints, Bools]:
    """Return the order (N,) in which N images are taken, as rows, and for each row whether it is mirrored (N,).

    Args:
        ids: the sample ids.
        stream: seed, epoch and whatever else tells one drawing from another.
    """
    start = sha256(" ".join(map(str, stream)).encode() + b"/")
    digests = []
    for name in ids:
        digest = start.copy()
        digest.update(name.encode())
        digests.append(digest.digest())
    words = np.frombuffer(b"".join(digests), dtype=">u8").reshape(len(ids), 4)
    return np.argsort(words[:, 0], kind="stable"), (words[:, 1] & 1).astype(bool)
