"""Reading DICOM films, against torchxrayvision's reader on the same files in the same run.

``python -m tests.benchmarks.pixels [FILES]``; without files, made-up films of 2,048 x 2,048 in 12 bits, plain and
compressed in each way that pydicom can write. Target: at least as fast. torchxrayvision (Apache-2.0) is no dependency
of ours: ``pip install torchxrayvision``. It is asked for what is seen (window applied, MONOCHROME1 inverted), which is
what we return, and for its default without the window, which is less work. Rounds alternate; the ratios are those of
the medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from shortcut_audit.data.decode import decode
from shortcut_audit.runtime import cap_threads

SYNTAXES = (
    ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless, DeflatedExplicitVRLittleEndian,
)  # fmt: skip


def made_up(folder: Path, films: int, side: int, syntax: UID) -> list[Path]:
    """Films as digital radiography writes them: 12 bits in 16, a window, every second one MONOCHROME1.

    They are smooth with a little noise, so that a compression has about as much to do as on a film.
    """
    rng = np.random.default_rng(0)
    paths = []
    for number in range(films):
        film = Dataset()
        film.file_meta = FileMetaDataset()
        film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = f"1.2.{number + 1}"
        film.Modality, film.SamplesPerPixel, film.PixelRepresentation = "DX", 1, 0
        film.PhotometricInterpretation = f"MONOCHROME{number % 2 + 1}"
        film.Rows, film.Columns = side, side
        film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
        film.WindowCenter, film.WindowWidth = 2048, 3000
        coarse = Image.fromarray(rng.uniform(0, 4000, (side // 64, side // 64)).astype(np.float32))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
        film.PixelData = (smooth + rng.normal(0, 3, (side, side))).clip(0, 4095).astype(np.uint16).tobytes()
        film["PixelData"].VR = "OW"
        if syntax.is_encapsulated:
            film.compress(syntax, generate_instance_uid=False)
        film.file_meta.TransferSyntaxUID = syntax
        paths.append(folder / f"{syntax}_{number}.dcm")
        pydicom.dcmwrite(paths[-1], film, enforce_file_format=True)
    return paths


def seconds(read: Callable[[Path], object], paths: list[Path]) -> float:
    """Time of one round over all files."""
    start = time.perf_counter()
    for path in paths:
        read(path)
    return time.perf_counter() - start


def main() -> None:
    """Print both medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--side", type=int, default=2048)
    told = parser.parse_args()
    warnings.simplefilter("ignore")
    cap_threads()  # as the command line does
    try:
        from torchxrayvision.utils import read_xray_dcm
    except ImportError as error:
        sys.exit(f"not compared: torchxrayvision is not installed ({error}); pip install torchxrayvision")
    readers: dict[str, Callable[[Path], object]] = {
        "ours": decode,
        "with window": lambda path: read_xray_dcm(path, voi_lut=True),
        "without window": read_xray_dcm,
    }
    with tempfile.TemporaryDirectory() as folder:
        made = {} if told.files else {s.name: made_up(Path(folder), told.films, told.side, s) for s in SYNTAXES}
        for name, paths in (made or {"files": told.files}).items():
            times: dict[str, list[float]] = {reader: [] for reader in readers}
            for _ in range(told.rounds):
                for reader, read in readers.items():
                    times[reader].append(seconds(read, paths))
            ours, *others = (statistics.median(times[reader]) for reader in readers)
            print(f"{name}: {len(paths)} films, {told.rounds} rounds: ours {ours:.3f} s")
            for reader, other in zip([*readers][1:], others, strict=True):
                print(f"  torchxrayvision {reader} {other:.3f} s: we are {other / ours:.2f} times as fast (target 1)")


if __name__ == "__main__":
    main()
