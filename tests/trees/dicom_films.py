"""Writes films as DICOM (PS3.3) from the picture that a viewer should show. Imports nothing from the package."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

CANARY = "CANARY^PATIENT"
"""Name of every patient: it must be found in no file that we write."""


def save_dicom(
    path: Path, seen, *, bits: int = 8, inverted: bool = False, window=None, rescale=(1, 0), jpeg: bool = False, **tags
) -> None:
    """Write a film that shows ``seen`` (H, W), from 0 (black) to 1 (white).

    Args:
        path: the file, whatever its ending.
        seen: the picture.
        bits: stored bits; more than 8 are kept in 16.
        inverted: MONOCHROME1, where the smallest value is white.
        window: center and width, linear, of values after the rescale; None: all values of the bits.
        rescale: slope and intercept.
        jpeg: compress as JPEG baseline, which is lossy.
        tags: of the header, besides.
    """
    meant = 1 - np.asarray(seen, dtype=np.float64) if inverted else np.asarray(seen, dtype=np.float64)
    slope, intercept = rescale
    if window:
        center, width = window
        meant = center - 0.5 + (meant - 0.5) * (width - 1)
    else:
        meant = meant * (2**bits - 1) * slope + intercept
    stored = np.rint((meant - intercept) / slope)
    assert stored.min() >= 0, "the window begins below what the bits can store"
    assert stored.max() < 2**bits, "the window ends above what the bits can store"
    film = _header(stored.shape, bits)
    film.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    if window:
        film.WindowCenter, film.WindowWidth = window
    if rescale != (1, 0):
        film.RescaleSlope, film.RescaleIntercept = rescale
    for name, value in tags.items():
        setattr(film, name, value)
    _put_pixels(film, stored.astype(np.uint8 if bits <= 8 else np.uint16), jpeg)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, film, enforce_file_format=True)


def _header(shape, bits: int) -> Dataset:
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=["film"])
    film.Modality, film.BodyPartExamined, film.ConversionType = "CR", "CHEST", "WSD"
    film.PatientName = CANARY
    film.Rows, film.Columns = shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 8 if bits <= 8 else 16, bits, bits - 1
    return film


def _put_pixels(film: Dataset, stored, jpeg: bool) -> None:
    if not jpeg:
        film.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
        film["PixelData"].VR = "OB" if stored.itemsize == 1 else "OW"
        return
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, "JPEG", quality=95)
    film.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    film.LossyImageCompression, film.LossyImageCompressionMethod = "01", "ISO_10918_1"
    film.PixelData = pydicom.encaps.encapsulate([stream.getvalue()])
    film["PixelData"].VR = "OB"
