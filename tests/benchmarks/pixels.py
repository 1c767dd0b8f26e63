"""Reading DICOM films, against torchxrayvision's reader on the same files in the same run.

``python -m tests.benchmarks.pixels [FILES]``; without files, made-up films of 2,048 x 2,048 in 12 bits. Target: at
least as fast. torchxrayvision (Apache-2.0) is no dependency of ours: ``pip install torchxrayvision``. It is
asked for what is seen (window applied, MONOCHROME1 inverted), which is what we return, and for its default without
the window, which is less work. Rounds alternate; the ratios are those of the medians.
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
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from shortcut_audit.data.decode import decode


def made_up(folder: Path, films: int, side: int) -> list[Path]:
    """Films as digital radiography writes them: 12 bits in 16, a window, every second one MONOCHROME1."""
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
        film.PixelData = rng.integers(0, 4096, (side, side), dtype=np.uint16).tobytes()
        film["PixelData"].VR = "OW"
        paths.append(folder / f"{number}.dcm")
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
    try:
        from torchxrayvision.utils import read_xray_dcm
    except ImportError as error:
        sys.exit(f"not compared: torchxrayvision is not installed ({error}); pip install torchxrayvision")
    with tempfile.TemporaryDirectory() as folder:
        paths = told.files or made_up(Path(folder), told.films, told.side)
        ours, windowed, plain = [], [], []
        for _ in range(told.rounds):
            ours.append(seconds(decode, paths))
            windowed.append(seconds(lambda path: read_xray_dcm(path, voi_lut=True), paths))
            plain.append(seconds(read_xray_dcm, paths))
    mine = statistics.median(ours)
    print(f"{len(paths)} films, {told.rounds} rounds: ours {mine:.3f} s")
    for name, times in (("with", windowed), ("without", plain)):
        other = statistics.median(times)
        print(f"torchxrayvision {name} window {other:.3f} s: we are {other / mine:.2f} times as fast (target 1)")


if __name__ == "__main__":
    main()
