"""The same image twice: files of the same bytes, and images that look the same, in two splits.

A picture becomes 256 bits: brought to 17 x 16 grey pixels, each is compared with its right neighbour (the difference
hash). Brightness, contrast, size and the strength of compression hardly change them; rotation, cropping and mirroring
do, so such copies are not found. Two images are near where at most 10 bits differ. Images of one kind are alike, so
that some pairs are near by chance: how many is measured on pairs that cannot be copies across splits, those of two
patients within a split; all of them, or where they are many some that are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from shortcut_audit.data.decode import decode
from shortcut_audit.data.images import LUMA, visit_images
from shortcut_audit.data.manifest import SPLITS, Manifest
from shortcut_audit.shapes import Bools, Bytes8, Ints, Pixels

ROWS, COLUMNS = 16, 17
BITS = ROWS * (COLUMNS - 1)
NEAR = 10
"""Bits of 256 in which two images may differ and still be called near."""
CHANCE_PAIRS = 200_000
BLOCK = 4096
"""Images on each side whose distances are computed at a time: 64 MiB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """What was seen of N images: rows, SHA-256 of the files ("" if unreadable), bits (N, 32), reasons by place."""

    rows: Ints
    digests: list[str]
    bits: Bytes8
    reasons: dict[int, str]


@dataclass(frozen=True, kw_only=True)
class NearPairs:
    """Pairs of images in two splits that look the same.

    ``pairs`` holds the first of them, with the bits that differ; ``expected`` how many of the ``compared`` pairs would
    be near by chance, from ``chance_near`` of ``chance_pairs`` pairs of two patients in one split, with the exact
    95 % interval of that share (all three None without such pairs).
    """

    found: int
    pairs: tuple[tuple[str, str, int], ...]
    compared: int
    chance_near: int
    chance_pairs: int
    expected: float | None
    expected_low: float | None
    expected_high: float | None


def look(manifest: Manifest, rows: Ints) -> Looked:
    """Decode some images, and keep nothing but two hashes of each."""
    paths = manifest.images()
    chosen = [paths[row] for row in rows]
    digests = [""] * len(chosen)
    bits = np.zeros((len(chosen), BITS // 8), dtype=np.uint8)

    def see(row: int, path: Path) -> None:
        bits[row] = difference_hash(decode(path))
        digests[row] = hashlib.sha256(path.read_bytes()).hexdigest()

    reasons = visit_images(chosen, see, what="Checking images")
    return Looked(rows=rows, digests=digests, bits=bits, reasons=reasons)


def difference_hash(pixels: Pixels) -> Bytes8:
    """Return the 256 bits of an image (H, W, 1 or 3) as 32 bytes."""
    grey = pixels @ LUMA if pixels.shape[2] == 3 else pixels[:, :, 0]
    small = Image.fromarray(np.ascontiguousarray(grey)).resize((COLUMNS, ROWS), Image.Resampling.BOX)
    values = np.asarray(small)
    return np.packbits(values[:, 1:] > values[:, :-1])


def exact_groups(looked: Looked) -> list[list[int]]:
    """Return the rows of every file that occurs more than once, in order."""
    table = pl.DataFrame({"row": looked.rows, "digest": looked.digests}).filter(pl.col("digest") != "")
    groups = table.group_by("digest", maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)
    return [list(rows) for rows in groups["row"].to_list()]


def near_pairs(manifest: Manifest, looked: Looked, *, seed: int, most: int = 20) -> NearPairs:
    """Find images of different bytes that look the same in two splits, nearest first."""
    readable = np.array([digest != "" for digest in looked.digests], dtype=bool)
    splits = manifest.frame["split"].to_numpy()[looked.rows]
    sides = [np.flatnonzero(readable & (splits == split)) for split in SPLITS]
    bits = np.unpackbits(looked.bits, axis=1)
    found: list[tuple[int, int, int]] = []
    compared = 0
    for one, other in ((1, 0), (2, 0), (2, 1)):
        compared += len(sides[one]) * len(sides[other])
        found += _near(bits, sides[one], sides[other])
    ids = manifest.ids
    named = sorted(
        (distance, ids[looked.rows[a]], ids[looked.rows[b]])
        for a, b, distance in found
        if looked.digests[a] != looked.digests[b]
    )
    patients = manifest.frame["patient_id"].to_numpy()[looked.rows]
    near, pairs = _by_chance(bits, patients, sides, seed)
    expected, low, high = _expected(near, pairs, compared)
    return NearPairs(
        found=len(named), pairs=tuple((a, b, distance) for distance, a, b in named[:most]), compared=compared,
        chance_near=near, chance_pairs=pairs, expected=expected, expected_low=low, expected_high=high,
    )  # fmt: skip


def _expected(near: int, pairs: int, compared: int) -> tuple[float, float, float] | tuple[None, None, None]:
    if not pairs:
        return None, None, None
    from scipy.stats import binomtest

    low, high = binomtest(near, pairs).proportion_ci(method="exact")
    return near / pairs * compared, float(low) * compared, float(high) * compared


def _signs(bits: Bytes8) -> Pixels:
    """Return bits as plus and minus one: the product of two such rows counts where they agree."""
    return bits.astype(np.float32) * 2 - 1


def _near(bits: Bytes8, one: Ints, other: Ints) -> list[tuple[int, int, int]]:
    """Return pairs (row of one, row of other, bits that differ); by matrix products of a bounded size."""
    found = []
    for start in range(0, len(one), BLOCK):
        left = one[start : start + BLOCK]
        left_signs = _signs(bits[left])
        for begin in range(0, len(other), BLOCK):
            right = other[begin : begin + BLOCK]
            agreement = left_signs @ _signs(bits[right]).T
            for a, b in np.argwhere(agreement >= BITS - 2 * NEAR):
                found.append((int(left[a]), int(right[b]), int((BITS - agreement[a, b]) / 2)))
    return found


def _by_chance(bits: Bytes8, patients: NDArray[np.object_], sides: Sequence[Ints], seed: int) -> tuple[int, int]:
    """Return how many pairs of two patients in one split are near, and how many pairs were looked at, none twice."""
    rng = np.random.default_rng([seed, 451])
    all_pairs = sum(len(side) * (len(side) - 1) // 2 for side in sides)
    near = pairs = 0
    for side in sides:
        first, second = _pairs_within(len(side), all_pairs, rng)
        one, other = side[first], side[second]
        apart: Bools = patients[one] != patients[other]
        one, other = one[apart], other[apart]
        for start in range(0, len(one), BLOCK):
            part = slice(start, start + BLOCK)
            near += int(((bits[one[part]] != bits[other[part]]).sum(axis=1) <= NEAR).sum())
        pairs += len(one)
    return near, pairs


def _pairs_within(images: int, all_pairs: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return pairs of places: all there are, or of a split this one's share of those that are drawn.

    Of few images, draws would name the same pairs again and again, and an interval would take them for new ones.
    """
    if all_pairs <= CHANCE_PAIRS:
        return np.triu_indices(images, 1)
    share = CHANCE_PAIRS * (images * (images - 1) // 2) // all_pairs
    drawn = np.unique(np.sort(rng.integers(0, max(images, 1), (share, 2)), axis=1), axis=0)
    return drawn[:, 0], drawn[:, 1]
