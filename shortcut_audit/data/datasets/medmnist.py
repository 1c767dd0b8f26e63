"""MedMNIST v2 (Yang et al. 2023), its twelve sets of pictures as downloaded: ``<set>.npz`` or ``<set>_224.npz``.

The pictures in ``{train,val,test}_images`` are written out once, as PNG, into ``<set>-images`` beside their file, for
all else reads files of images. They are read one by one: memory does not grow with their size. There are no patients.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import polars as pl
from PIL import Image

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest
from shortcut_audit.data.medmnist_sets import SETS, MedmnistSet
from shortcut_audit.data.published import Counts, Published, positives
from shortcut_audit.errors import InputError, OutputError, UsageError
from shortcut_audit.runtime import progress
from shortcut_audit.shapes import Bytes8

MADE_OF = "made_of.json"
CARD = DataCard(
    name="MedMNIST",
    source="Zenodo, DOI 10.5281/zenodo.10519652",
    citation="Yang et al. 2023, MedMNIST v2, a large-scale lightweight benchmark for 2D and 3D biomedical image "
    "classification, Scientific Data 10:41",
)


@DATASETS.register("medmnist")
def medmnist(root: Path, config: DatasetConfig) -> Manifest:
    """MedMNIST: chest, pneumonia, dermoscopy, breast and eight more, each class a finding; no masks, no patients."""
    chosen_options(config, {}, others=["file"])
    path = _file(root, config)
    which = SETS[path.stem.partition("_")[0]]
    try:
        with ZipFile(path) as archive:
            labels = {split: _labels(archive, split, path, which) for split in SPLITS}
            folder = _written(archive, path, {split: len(found) for split, found in labels.items()})
    except (BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); fetch the file again") from error
    names = [f"{split}/{n}" for split, found in labels.items() for n in range(len(found))]
    frame = pl.DataFrame(
        {
            "sample_id": names,
            "image": [(folder / f"{name}.png").relative_to(root).as_posix() for name in names],
            "split": [name.partition("/")[0] for name in names],
            **_findings(np.concatenate(list(labels.values())), which),
        }
    )
    card = replace(CARD, release=path.stem, licence=which.licence, notes=tuple(_published(path, which).notes(frame)))
    return Manifest.from_frame(frame, card=card, root=root, where=str(path))


def _file(root: Path, config: DatasetConfig) -> Path:
    """Return the one file of MedMNIST under the root, or the one that is asked for."""
    sets = re.compile(rf"({'|'.join(SETS)})(_64|_128|_224)?")
    found = [path for place in ("*.npz", "*/*.npz") for path in sorted(root.glob(place)) if sets.fullmatch(path.stem)]
    there = list({path.stem: path for path in reversed(found)}.values())[::-1]  # of one name, the nearest
    wanted = config.options.get("file")
    chosen = [path for path in there if wanted is None or path.stem == str(wanted).removesuffix(".npz")]
    if len(chosen) == 1:
        return chosen[0]
    if there:
        names = ", ".join(path.stem for path in there)
        said = f"no {wanted}.npz, but {names}" if wanted else f"several sets of MedMNIST, {names}"
        raise UsageError(f"{root}: {said}; choose one with --set dataset.options.file={there[0].stem}")
    raise UsageError(
        f"{root}: no file of MedMNIST such as pneumoniamnist.npz or chestmnist_224.npz; name the folder that holds it "
        f"with --root. Sets of pictures: {', '.join(SETS)}"
    )


def _labels(archive: ZipFile, split: str, path: Path, which: MedmnistSet) -> Bytes8:
    """Return the labels of a split, (N, 1) numbers of classes or (N, findings) of 0 and 1."""
    columns, top = (len(which.classes), 1) if which.multilabel else (1, len(which.classes) - 1)
    with archive.open(_member(archive, f"{split}_labels", path)) as stream:
        shape, kind = _header(stream, f"{split}_labels", path)
        found = np.frombuffer(stream.read(), dtype=kind)
    if shape[1:] != (columns,) or found.size != shape[0] * columns or found.dtype.kind not in "ui":
        raise InputError(f"{path}: {split}_labels is {kind} of shape {shape}; expected whole numbers (N, {columns})")
    found = found.reshape(shape)
    if (odd := (found < 0) | (found > top)).any():
        row = int(odd.any(axis=1).argmax())
        raise InputError(f"{path}: {split}_labels, row {row}: {found[row].max()}; expected 0 to {top}")
    return found


def _findings(labels: Bytes8, which: MedmnistSet) -> dict[str, pl.Series]:
    columns = labels if which.multilabel else labels == np.arange(len(which.classes))
    return {
        f"label.{name}": pl.Series(columns[:, n].astype(np.float64)) for n, name in enumerate(which.classes) if name
    }


def _published(path: Path, which: MedmnistSet) -> Published:
    splits: dict[str, int] = dict(zip(SPLITS, which.images, strict=True))
    values: dict[str, Counts] = {"split": splits, **positives(which.positives)}
    return Published(table=path.name, rows=sum(which.images), source="Yang et al. 2023", values=values)


def _written(archive: ZipFile, path: Path, counts: dict[str, int]) -> Path:
    """Return the folder of the pictures, written now if it is not there: whole, or not at all."""
    folder = path.with_name(f"{path.stem}-images")
    made_of: dict[str, int] = {split: _member(archive, f"{split}_images", path).CRC for split in SPLITS}
    if folder.exists():
        if not _made_of(folder, made_of):
            raise InputError(f"{folder}: not the pictures of {path.name}; remove or rename this folder")
        return folder
    try:
        with TemporaryDirectory(dir=path.parent, prefix=f"{folder.name}.") as place:
            whole = Path(place) / "images"
            _write(archive, path, whole, counts)
            (whole / MADE_OF).write_text(json.dumps(made_of))
            whole.rename(folder)
    except OSError as error:
        if _made_of(folder, made_of):  # by another process, meanwhile
            return folder
        raise OutputError(
            f"{folder} could not be written: {error.strerror or error}; pictures lie beside their file: make room "
            "there, or copy the file to a folder of your own"
        ) from error
    return folder


def _made_of(folder: Path, checksums: dict[str, int]) -> bool:
    try:
        return bool(json.loads((folder / MADE_OF).read_text()) == checksums)
    except (OSError, ValueError):
        return False


def _write(archive: ZipFile, path: Path, whole: Path, counts: dict[str, int]) -> None:
    with progress(f"Writing the pictures of {path.name}", sum(counts.values()), "images") as bar:
        for split, count in counts.items():
            (whole / split).mkdir(parents=True)
            for n, picture in enumerate(_pictures(archive, split, count, path)):
                Image.fromarray(picture).save(whole / split / f"{n}.png")
                bar.advance()


def _pictures(archive: ZipFile, split: str, count: int, path: Path) -> Iterator[Bytes8]:
    """Yield the pictures of a split, (H, W) or (H, W, 3) uint8."""
    with archive.open(_member(archive, f"{split}_images", path)) as stream:
        shape, kind = _header(stream, f"{split}_images", path)
        if shape[:1] != (count,) or len(shape) not in (3, 4) or shape[3:] not in ((), (3,)) or kind != np.uint8:
            raise InputError(
                f"{path}: {split}_images is {kind} of shape {shape}; expected uint8 ({count}, H, W) or "
                f"({count}, H, W, 3), one for each label"
            )
        for _ in range(count):
            yield np.frombuffer(stream.read(math.prod(shape[1:])), dtype=np.uint8).reshape(shape[1:])
        stream.read(1)  # at the end the checksum is compared


def _member(archive: ZipFile, name: str, path: Path) -> ZipInfo:
    if f"{name}.npy" not in archive.namelist():
        raise InputError(f"{path}: no array '{name}'; it has: {', '.join(archive.namelist())}; fetch the file again")
    return archive.getinfo(f"{name}.npy")


def _header(stream: IO[bytes], name: str, path: Path) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Return shape and kind of numbers of an array that is stored row by row."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_column, kind = read(stream)
    except ValueError as error:
        raise InputError(f"{path}: {name} is no array of numpy ({error}); fetch the file again") from error
    if by_column or kind.hasobject:
        raise InputError(f"{path}: {name} is stored by columns or as objects; save it with numpy.savez_compressed")
    return shape, kind
