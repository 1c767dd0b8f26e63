"""Decoded images on the disk at one working size, so that training never waits for a decoder.

Three files in the folder of a prepared data set, C channels of S x S pixels:

    pixels_CxS.npy   uint8 (N, C, S, S), plain numpy: the train images, then val, then test, without unreadable ones
    pixels_CxS.csv   a row an image: sample_id, image, bytes, modified (ns), crc32, place in the array, reason
    pixels_CxS.json  what they were decoded by, and the SHA-256 of the table; written last: without it nothing counts

The array is read memory-mapped, so that a split may be larger than the memory. A cache is used only where every image
asked for is in it, unchanged in size and time, and the decoder is the same; what it gives is what decoding would give.
Images that are no longer on the disk are taken from it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import polars as pl
from PIL import features

from shortcut_audit.data.images import load_pixels, refuse_too_large
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.data.quarantine import Quarantine, quarantine
from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import PRIVATE, fingerprint, sha256_bytes, sha256_file, write_atomic, write_json
from shortcut_audit.runtime import say, usable_cores
from shortcut_audit.shapes import Bytes8, Ints

FORMAT = 1
SCHEMA = {
    "sample_id": pl.String, "image": pl.String, "bytes": pl.Int64, "modified": pl.Int64,
    "crc32": pl.Int64, "place": pl.Int64, "reason": pl.String,
}  # fmt: skip
DECODER = ("decode.py", "dicom.py", "images.py", "png.py", "raw_film.py")
"""Files of this folder that decide what an image's pixels are."""
BLOCK = 1024
"""Images whose checksums one thread takes at a time."""
Stamp = tuple[int, int] | None
"""Bytes of a file and when it was modified (ns); None where it is not there."""


@dataclass(frozen=True, kw_only=True)
class PixelCache:
    """The three files of one working size, finished or not yet there."""

    folder: Path
    size: int
    channels: int

    def path(self, suffix: str) -> Path:
        """Return one of the files."""
        return self.folder / f"pixels_{self.channels}x{self.size}{suffix}"

    @property
    def finished(self) -> bool:
        """Whether the file that is written last is there."""
        return self.path(".json").is_file()

    def same_decoder(self) -> bool:
        """Whether this program would decode images as they were decoded for the cache."""
        return bool(self._card().get("decoder") == decoder())

    def table(self) -> pl.DataFrame:
        """Return the table of images, after its hash was compared.

        Raises:
            OutputError: a file is missing or damaged.
        """
        card, path = self._card(), self.path(".csv")
        if not path.is_file() or sha256_file(path) != card.get("table"):
            raise self.damaged(path, "it is not what was written")
        return pl.read_csv(path, schema=SCHEMA)

    def array(self) -> Bytes8:
        """Return all pixels, memory-mapped; what is written to the array stays in memory.

        Raises:
            OutputError: the file is missing, cut off, or of another shape.
        """
        path = self.path(".npy")
        try:
            # Copy-on-write: torch wants arrays that it could write to.
            stored = np.load(path, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self.damaged(path, str(error)) from error
        expected = (self._card().get("images"), self.channels, self.size, self.size)
        if stored.shape != expected or stored.dtype != np.uint8:
            raise self.damaged(path, f"it holds {stored.dtype} {stored.shape}, expected uint8 {expected}")
        return np.asarray(stored)

    def seal(self, table: pl.DataFrame) -> None:
        """Write the table and then the card, which says that the array under its name is complete."""
        text = table.write_csv()
        write_atomic(self.path(".csv"), text, mode=PRIVATE)
        card = {
            "format": FORMAT, "decoder": decoder(), "table": sha256_bytes(text.encode()),
            "images": table["place"].count(),
        }  # fmt: skip
        write_json(self.path(".json"), card)

    def _card(self) -> dict[str, object]:
        try:
            card = json.loads(self.path(".json").read_text())
            if isinstance(card, dict) and card["format"] == FORMAT:
                return card
        except (OSError, ValueError, KeyError):
            pass
        raise self.damaged(self.path(".json"), "it is not a card of a pixel cache")

    def damaged(self, path: Path, reason: str) -> OutputError:
        """Return the error for a file that is not what was written."""
        return OutputError(
            f"{path} is damaged ({reason}); "
            f"delete {self.path('.json').name} and run 'audit data prepare --pixels' again"
        )


def cache_folder(folder: Path) -> Path | None:
    """Return the folder if it holds a finished pixel cache of any size, else None."""
    return folder if any(folder.glob("pixels_*x*.json")) else None


def decoder() -> str:
    """Return what decides pixels beside the files: our code, and the versions of those who decode."""
    ours = [sha256_file(Path(__file__).with_name(name)) for name in DECODER]
    libraries = {name: _version(name) for name in ("pillow", "numpy", "pydicom", "tifffile")}
    jpeg = [features.version(name) for name in ("jpg", "libjpeg_turbo", "zlib", "libtiff", "jpg_2000")]
    return fingerprint([ours, libraries, jpeg])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def film_pixels(manifest: Manifest, *, size: int, channels: int) -> tuple[Bytes8, Quarantine]:
    """Return what :func:`~shortcut_audit.data.images.load_pixels` returns, from the manifest's cache where it fits.

    Raises:
        InputError: as ``load_pixels``.
        OutputError: a file of the cache is damaged.
    """
    if manifest.cache is None:
        return load_pixels(manifest, size=size, channels=channels)
    cache = PixelCache(folder=manifest.cache, size=size, channels=channels)
    rows, reason = fitting_rows(cache, manifest)
    if rows is None:
        say(f"Images are decoded: {reason}")
        return load_pixels(manifest, size=size, channels=channels)
    lost = lost_rows(manifest, rows)
    lost.refuse_many()
    readable = rows.filter(pl.col("place").is_not_null())
    pixels = _taken(cache, readable["place"].to_numpy())
    _verify(cache, pixels, readable)
    return pixels, lost


def fitting_rows(cache: PixelCache, manifest: Manifest) -> tuple[pl.DataFrame | None, str]:
    """Return the cache's rows in the order of the manifest, or None and why it does not fit."""
    made = (
        f"the command that wrote the folder makes it with --pixels --set image.size={cache.size} "
        f"--set image.channels={cache.channels}"
    )
    if not cache.finished:
        return None, f"{cache.folder} has no pixels of {cache.channels} x {cache.size} x {cache.size}; {made}"
    if not cache.same_decoder():
        return None, f"{cache.path('.npy')} was made by another version of the decoder; {made} again"
    keys = ["sample_id", "image"]
    rows = manifest.frame.select(keys).join(cache.table(), on=keys, how="left", maintain_order="left")
    absent = rows["crc32"].is_null()
    if absent.any():
        first = rows["sample_id"][absent.arg_max() or 0]
        return None, f"{int(absent.sum())} of {rows.height} are not in {cache.path('.csv')}, the first '{first}'"
    changed = _changed(rows, manifest.images())
    if len(changed):
        first = rows["sample_id"][int(changed[0])]
        return None, f"{len(changed)} changed since {cache.path('.npy')} was made, the first '{first}'; {made} again"
    return rows, ""


def lost_rows(manifest: Manifest, rows: pl.DataFrame) -> Quarantine:
    """Return which images could not be read when they were cached."""
    return quarantine(manifest, {row: text for row, text in enumerate(rows["reason"].to_list()) if text is not None})


def stamp(path: Path) -> Stamp:
    """Return what tells a changed file without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _changed(rows: pl.DataFrame, paths: Sequence[Path]) -> Ints:
    """Return the rows whose file is there and not the one that was decoded; one that was not readable may be mended."""
    cached = zip(rows["bytes"].to_list(), rows["modified"].to_list(), rows["place"].to_list(), strict=True)
    return np.array(
        [
            row
            for row, ((size, modified, place), path) in enumerate(zip(cached, paths, strict=True))
            if (found := stamp(path)) != (None if size is None else (size, modified))
            and not (found is None and place is not None)
        ],
        dtype=np.int64,
    )


def _taken(cache: PixelCache, places: Ints) -> Bytes8:
    """Return the pixels at some places: a part of the file where they follow each other, else a copy in memory."""
    stored = cache.array()
    if len(places) and (np.diff(places) == 1).all():
        return stored[places[0] : places[-1] + 1]
    refuse_too_large(len(places), size=cache.size, channels=cache.channels)
    return stored[places]


def _verify(cache: PixelCache, pixels: Bytes8, rows: pl.DataFrame) -> None:
    """Compare the checksum of every image that is going to be used.

    Raises:
        OutputError: naming the first image whose pixels are not those that were written.
    """
    blocks = [pixels[start : start + BLOCK] for start in range(0, len(pixels), BLOCK)]
    with ThreadPoolExecutor(min(8, usable_cores())) as pool:
        sums = pool.map(lambda block: [zlib.crc32(image) for image in block], blocks)
        found = pl.Series([one for block in sums for one in block], dtype=pl.Int64)
    wrong = found != rows["crc32"]
    if wrong.any():
        sample = rows["sample_id"][wrong.arg_max() or 0]
        raise cache.damaged(cache.path(".npy"), f"{int(wrong.sum())} images fail their checksum, the first '{sample}'")
