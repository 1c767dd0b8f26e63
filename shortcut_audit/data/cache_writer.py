"""Decodes every image once into a pixel cache. A killed one goes on when the same command is typed again.

Images are taken a few hundred at a time: their pixels are appended to a file and reach the disk before a line about
them is appended to a journal. What the journal does not tell is cut off at the next start.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from shortcut_audit.data.images import read_pixels
from shortcut_audit.data.manifest import SPLITS, Manifest
from shortcut_audit.data.pixel_cache import SCHEMA, PixelCache, decoder, fitting_rows, lost_rows, stamp
from shortcut_audit.data.quarantine import Quarantine, refuse_many
from shortcut_audit.errors import OutputError
from shortcut_audit.provenance import PRIVATE, fingerprint, publish
from shortcut_audit.runtime import progress, say

AT_ONCE = 256
"""Images between two lines of the journal."""
Line = list[Any]
"""One image in the columns of ``SCHEMA``, without its place."""


def write_cache(manifest: Manifest, cache: PixelCache) -> Quarantine:
    """Decode the images of a manifest into its cache, or find that they are there; return which cannot be read.

    Raises:
        InputError: more than max(3, 1 %) cannot be read; the unfinished cache is removed.
        OutputError: no space, or a cache of ours that is damaged.
    """
    rows = fitting_rows(cache, manifest)[0] if cache.finished else None
    if rows is None:
        table = _Work(manifest, cache).done()
        cache.seal(table)
        keys = ["sample_id", "image"]
        rows = manifest.frame.select(keys).join(table, on=keys, how="left", maintain_order="left")
    return lost_rows(manifest, rows)


class _Work:
    """An unfinished cache: a file of pixels and the journal of what is in it."""

    def __init__(self, manifest: Manifest, cache: PixelCache) -> None:
        order = np.argsort([SPLITS.index(split) for split in manifest.frame["split"].to_list()], kind="stable")
        paths = manifest.images()
        self._cache = cache
        self._keys = manifest.frame.select("sample_id", "image")[order].rows()
        self._paths = [paths[row] for row in order]
        self._pixels, self._journal = cache.path(".npy.part"), cache.path(".journal")
        self._work = fingerprint([manifest.fingerprint, decoder(), cache.size, cache.channels])
        self._each = cache.channels * cache.size**2

    def done(self) -> pl.DataFrame:
        """Do what is left to do, give the array its name, and return the table of images."""
        lines = self._resumed()
        try:
            self._append(lines)
            self._finish(sum(line[-1] is None for line in lines))
        except OSError as error:
            raise OutputError(
                f"{self._pixels} could not be written: {error.strerror or error}; free some space and type the "
                "command again, which goes on here, or choose another folder with --out"
            ) from error
        table = pl.DataFrame(lines, schema={key: SCHEMA[key] for key in SCHEMA if key != "place"}, orient="row")
        readable = pl.col("reason").is_null()
        place = pl.when(readable).then(readable.cum_sum() - 1).cast(pl.Int64)
        return table.with_columns(place=place).select(*SCHEMA)

    def _resumed(self) -> list[Line]:
        """Return the lines of the journal that hold, both files cut to them; none where it is of other work."""
        lines = list(self._told())
        size = len(_header(self._shape(0))) + self._each * sum(line[-1] is None for line in lines)
        if not lines or not self._pixels.is_file() or self._pixels.stat().st_size < size:
            self._start()
            return []
        os.truncate(self._pixels, size)
        self._rewrite(lines)
        say(f"Going on with {self._pixels}: {len(lines)} of {len(self._paths)} images are there")
        return lines

    def _told(self) -> Iterator[Line]:
        """Yield what the journal says of images that are as they were; a line that was cut off ends it."""
        with suppress(OSError, ValueError):
            first, *batches = self._journal.read_text().splitlines()
            if json.loads(first) != self._work:
                return
            told = (line for batch in batches for line in json.loads(batch))
            for line, key, path in zip(told, self._keys, self._paths, strict=False):
                if (tuple(line[:2]), line[2:4]) != (key, list(stamp(path) or (None, None))):
                    return
                yield line

    def _start(self) -> None:
        self._cache.folder.mkdir(parents=True, exist_ok=True)
        needed, free = self._each * len(self._paths), shutil.disk_usage(self._cache.folder).free
        if needed > free:
            raise OutputError(
                f"{self._cache.folder}: the pixels of {len(self._paths)} images need {needed // 2**20 + 1:,} MiB, "
                f"{free // 2**20:,} are free; free some space, choose another --out, or a smaller image.size"
            )
        self._cache.path(".json").unlink(missing_ok=True)
        self._pixels.write_bytes(_header(self._shape(0)))
        self._pixels.chmod(PRIVATE)
        self._rewrite([])

    def _rewrite(self, lines: list[Line]) -> None:
        with self._journal.open("w") as stream:
            self._journal.chmod(PRIVATE)
            stream.writelines(json.dumps(part) + "\n" for part in ([self._work, lines] if lines else [self._work]))

    def _append(self, lines: list[Line]) -> None:
        """Decode what is not told yet, and add it to ``lines``."""
        bad = {line[0]: line[-1] for line in lines if line[-1] is not None}
        total = len(self._paths)
        with (
            self._pixels.open("ab") as pixels,
            self._journal.open("a") as journal,
            progress("Decoding images", total - len(lines), "images") as bar,
        ):
            for start in range(len(lines), total, AT_ONCE):
                batch = self._decoded(slice(start, start + AT_ONCE), pixels)
                bad |= {line[0]: line[-1] for line in batch if line[-1] is not None}
                self._refuse(bad)
                os.fsync(pixels.fileno())
                journal.write(json.dumps(batch) + "\n")
                journal.flush()
                lines += batch
                bar.advance(len(batch))

    def _decoded(self, rows: slice, stream: BinaryIO) -> list[Line]:
        """Append the pixels of some images that can be read; return a line on every one."""
        paths = self._paths[rows]
        # Before they are read: a file that changes meanwhile is seen as changed.
        stamps = [stamp(path) or (None, None) for path in paths]
        pixels, reasons = read_pixels(paths, size=self._cache.size, channels=self._cache.channels, what=None)
        lines = []
        for row, (key, (size, modified)) in enumerate(zip(self._keys[rows], stamps, strict=True)):
            if row not in reasons:
                stream.write(pixels[row].tobytes())
            lines.append([*key, size, modified, zlib.crc32(pixels[row]), reasons.get(row)])
        stream.flush()
        return lines

    def _refuse(self, bad: dict[str, str]) -> None:
        try:
            refuse_many(bad, len(self._paths), what="images")
        except Exception:
            self._pixels.unlink()
            self._journal.unlink()
            raise

    def _finish(self, images: int) -> None:
        with self._pixels.open("r+b") as stream:
            stream.write(_header(self._shape(images)))
        publish(self._pixels, self._cache.path(".npy"))
        self._journal.unlink()

    def _shape(self, images: int) -> tuple[int, ...]:
        return images, self._cache.channels, self._cache.size, self._cache.size


def _header(shape: tuple[int, ...]) -> bytes:
    """Return the header of a .npy file; numpy leaves room in it for the first axis to grow."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue()
