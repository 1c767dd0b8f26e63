"""Pixels of a DICOM file as they are meant to be seen.

In this order (DICOM PS3.3 C.11 and C.7.6.3.1.2): stored values, modality LUT or rescale, VOI LUT or window, and last
the inversion of MONOCHROME1. Of several frames, the first. Overlays are not part of the picture. Where no window is
given, a film has the range of its bits; values that are no grey levels (CT, MR, PT, NM, signed, floats) go from the
smallest to the largest of the image. Nothing of the header but what is named here is read or repeated in a message.
"""

from __future__ import annotations

import io
import warnings
import zlib
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import _read_file_meta_info
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from shortcut_audit.data.decode import MAX_PIXELS, BadImageError
from shortcut_audit.data.decoders import first_frame
from shortcut_audit.shapes import Floats, Pixels

MARK = b"DICM"
_PLAIN = b"\0" * 128 + MARK + b"\2\0\x10\0UI\x14\0" + ExplicitVRLittleEndian.encode() + b"\0"
"""What stands before a data set that is not deflated: preamble, mark and transfer syntax."""
_INFLATED = 2**22
"""Bytes that any deflated file may have when inflated; beyond, a hundred times its own length."""
DAMAGED = (BytesLengthException, InvalidDicomError)
"""Errors of pydicom that are no kind of built-in one."""
_NO_GREY = ("CT", "MR", "PT", "NM")
_EXACT = "LINEAR_EXACT"
"""What LINEAR means for floats: its half a grey level is one of whole numbers."""
_NEEDED = ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation")

# What pydicom repairs (padding, a wrong VR) is repaired without a word.
warnings.filterwarnings("ignore", module="pydicom")


def dicom_pixels(raw: bytes) -> Pixels:
    """Return the pixels of a DICOM file as (H, W, 1 or 3) float32 in [0, 1].

    Raises:
        BadImageError: the reason, without the name of the file.
        Exception: what pydicom raises on a damaged file.
    """
    header = read_header(raw)
    rows, columns = dicom_size(header)
    stored = _without_overlay(first_frame(header, raw), header)
    if stored.shape[:2] != (rows, columns):
        raise BadImageError(f"its pixels are {stored.shape[1]} x {stored.shape[0]}, its header says {columns} x {rows}")
    photometric = str(header.PhotometricInterpretation)
    if photometric in ("MONOCHROME1", "MONOCHROME2") and stored.ndim == 2:
        grey = _grey(stored, header)
        return (np.subtract(1, grey, out=grey) if photometric == "MONOCHROME1" else grey)[:, :, None]
    if photometric == "PALETTE COLOR" and stored.ndim == 2:
        stored = apply_color_lut(stored, header)
        return _colour(stored, np.iinfo(stored.dtype).max)
    if stored.ndim == 3 and stored.shape[2] == 3:
        return _colour(stored, 2 ** int(header.get("BitsStored", header.BitsAllocated)) - 1)
    raise BadImageError(f"PhotometricInterpretation is {photometric} with pixels of shape {stored.shape}: no picture")


def dicom_size(header: Dataset) -> tuple[int, int]:
    """Return rows and columns that a header promises, if it describes a picture that can be read at all.

    Raises:
        BadImageError: no pixels, a tag that is missing, or too many pixels.
    """
    modality = str(header.get("Modality", "not stated"))[:16]
    if missing := [name for name in _NEEDED if header.get(name) in (None, "")]:
        if "Rows" in missing and "Columns" in missing:
            raise BadImageError(f"a DICOM file without an image (modality {modality}); leave it out of the table")
        raise BadImageError(f"the DICOM tag {missing[0]} is missing; export the file again")
    rows, columns = int(header.Rows), int(header.Columns)
    if not 0 < rows * columns <= MAX_PIXELS:
        raise BadImageError(f"{columns} x {rows} pixels; an image has 1 to {MAX_PIXELS:,}")
    return rows, columns


def dicom_storage(header: Dataset) -> tuple[int, int, str]:
    """Return rows, columns, and how pixels are stored: ``MONOCHROME1, 12 bits, JPEG 2000 Image Compression``.

    Raises:
        BadImageError: as for :func:`dicom_size`.
    """
    rows, columns = dicom_size(header)
    bits = header.get("BitsStored", header.BitsAllocated)
    return rows, columns, f"{header.PhotometricInterpretation}, {bits} bits, {header.file_meta.TransferSyntaxUID.name}"


def stated_view(header: Dataset) -> str | None:
    """Return the tag View Position in capitals, None where it is blank or not there."""
    stated = header.get("ViewPosition")
    return stated.strip().upper() or None if isinstance(stated, str) else None


def read_header(raw: bytes, *, pixels: bool = True) -> Dataset:
    """Parse a file, with or without its pixels.

    Raises:
        BadImageError: no DICOM file, or a deflated one that inflates to too much or is cut off.
    """
    if raw[128:132] != MARK:
        raise BadImageError("not a DICOM file: the mark 'DICM' is missing at byte 128; export the file again")
    file = io.BytesIO(raw)
    file.seek(132)
    meta = _read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return pydicom.dcmread(io.BytesIO(raw), stop_before_pixels=not pixels)
    inflated = _inflated(raw[file.tell() :])
    header = pydicom.dcmread(io.BytesIO(_PLAIN + inflated), stop_before_pixels=not pixels)
    header.file_meta = meta
    return header


def _inflated(deflated: bytes) -> bytes:
    """Inflate a data set; pydicom would inflate whatever there is.

    Raises:
        BadImageError: it inflates to too much, ends too early, or begins as if it could be deflated again.
    """
    limit = max(_INFLATED, 100 * len(deflated))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(deflated, limit)
    if len(inflated) == limit:
        raise BadImageError(f"deflated, of {limit:,} bytes or more when inflated; save it uncompressed")
    if inflated[:2] == _PLAIN[132:134]:
        raise BadImageError("deflated, and within it another meta header; save it uncompressed")
    if not inflater.eof:
        raise BadImageError("deflated, and cut off before its end; fetch the file again")
    return inflated


def _without_overlay(stored: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Clear bits above the stored ones: old files keep an overlay there."""
    bits = int(header.get("BitsStored", 0))
    if stored.dtype.kind != "u" or not 0 < bits < 8 * stored.itemsize:
        return stored
    if int(header.get("HighBit", bits - 1)) != bits - 1:
        raise BadImageError(f"HighBit is {header.HighBit} where {bits} bits are stored; only {bits - 1} is read")
    cleared: NDArray[Any] = stored & stored.dtype.type(2**bits - 1)
    return cleared


def _colour(stored: NDArray[Any], full: int) -> Pixels:
    seen: Pixels = np.clip(stored[:, :, :3].astype(np.float32) / np.float32(full), 0, 1)
    return seen


def _grey(stored: NDArray[Any], header: Dataset) -> Pixels:
    """Return (H, W) in [0, 1], before the inversion, the fastest way there is to the same numbers."""
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise BadImageError("holds values that are not finite numbers")
    low, high = stored.min(), stored.max()
    if stored.dtype.kind == "f" or int(high) - int(low) >= 2**16:
        return _shown(stored.astype(np.float64), stored, header).astype(np.float32)
    if not header.get("ModalityLUTSequence") and (ends := _ends(stored, header)) is not None:
        return _straight(stored, header, ends)
    table = _shown(np.arange(int(low), int(high) + 1, dtype=np.float64), stored, header).astype(np.float32)
    seen: Pixels = table[stored.astype(np.intp) - int(low)]
    return seen


def _straight(stored: NDArray[Any], header: Dataset, ends: tuple[float, float]) -> Pixels:
    """Return integers on a straight line between black and white, in single precision and in place.

    Counted from the whole number next to black, nothing that is between black and white loses digits.
    """
    black, white = ends
    slope, intercept = _slope(header)
    step = slope / (white - black)
    zero = (black - intercept) / slope
    near = float(np.clip(np.rint(zero), -(2**23), 2**23))
    seen = stored.astype(np.float32)
    seen -= np.float32(near)
    seen *= np.float32(step)
    seen += np.float32((near - zero) * step)
    return np.clip(seen, 0, 1, out=seen)


def _shown(values: Floats, stored: NDArray[Any], header: Dataset) -> Floats:
    """Return stored values as brightness in [0, 1], in double precision."""
    meant = _rescaled(values, header)
    if voi := _find(header, "VOILUTSequence"):
        bits = int(voi[0].LUTDescriptor[2])
        looked_up = apply_voi(np.rint(meant).astype(np.int64), header, index=0)
        bounded: Floats = np.clip(looked_up.astype(np.float64) / (2**bits - 1), 0, 1)
        return bounded
    if (ends := _ends(stored, header)) is not None:
        return np.clip((meant - ends[0]) / (ends[1] - ends[0]), 0, 1)
    center, width = _window(header)
    sigmoid: Floats = 1 / (1 + np.exp(np.clip(-4 * (meant - center) / width, -700, 700)))
    return sigmoid


def _ends(stored: NDArray[Any], header: Dataset) -> tuple[float, float] | None:
    """Return which meant values are black and white; None where a table or a curve lies between.

    Raises:
        BadImageError: a width that the standard forbids, or an unknown function.
    """
    if _find(header, "VOILUTSequence"):
        return None
    center, width = _window(header)
    if np.isnan([center, width]).any():
        return _range(stored, header)
    function = str(_find(header, "VOILUTFunction") or "LINEAR")
    if stored.dtype.kind == "f" and function == "LINEAR":
        function = _EXACT
    if not np.isfinite([center, width]).all() or width < (1 if function == "LINEAR" else 1e-12):
        raise BadImageError(f"WindowWidth is {width:g} about {center:g}, which is no window; mend the tag")
    if function == "LINEAR":
        half = max(width - 1, 1e-9) / 2
        return center - 0.5 - half, center - 0.5 + half
    if function == _EXACT:
        return center - width / 2, center + width / 2
    if function == "SIGMOID":
        return None
    raise BadImageError(f"VOILUTFunction is '{function[:16]}'; expected LINEAR, LINEAR_EXACT or SIGMOID")


def _window(header: Dataset) -> tuple[float, float]:
    """Return center and width of the first window; NaN where there is none."""
    center, width = (_first(_find(header, name)) for name in ("WindowCenter", "WindowWidth"))
    return (float("nan"), float("nan")) if center is None or width is None else (center, width)


def _rescaled(values: Floats, header: Dataset) -> Floats:
    if header.get("ModalityLUTSequence"):
        looked_up: Floats = apply_modality_lut(np.rint(values).astype(np.int64), header).astype(np.float64)
        return looked_up
    slope, intercept = _slope(header)
    return values * slope + intercept


def _slope(header: Dataset) -> tuple[float, float]:
    slope, intercept = (_first(_find(header, name)) for name in ("RescaleSlope", "RescaleIntercept"))
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if slope == 0 or not np.isfinite([slope, intercept]).all():
        raise BadImageError(f"RescaleSlope is {slope:g} and RescaleIntercept {intercept:g}; mend the tags")
    return slope, intercept


def _range(stored: NDArray[Any], header: Dataset) -> tuple[float, float]:
    """Return which meant values are black and white where no window says it."""
    if stored.dtype.kind == "u" and stored.itemsize <= 2 and header.get("Modality") not in _NO_GREY:
        if modality := header.get("ModalityLUTSequence"):
            return 0.0, float(2 ** int(modality[0].LUTDescriptor[2]) - 1)
        ends = np.array([0.0, 2.0 ** int(header.get("BitsStored", header.BitsAllocated)) - 1])
    else:
        padding = header.get("PixelPaddingValue")
        kept = stored if padding is None else stored[stored != padding]
        kept = kept if kept.size else stored
        ends = np.array([kept.min(), kept.max()], dtype=np.float64)
    low, high = sorted(_rescaled(ends, header).tolist())
    return low, high if high > low else low + 1.0


def _find(header: Dataset, name: str) -> Any:
    """Return a tag of the header or, in an enhanced file, of the first frame or of all frames."""
    if header.get(name) not in (None, ""):
        return header.get(name)
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for group in (header.get(groups) or [])[:1]:
            for inner in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                for item in (group.get(inner) or [])[:1]:
                    if item.get(name) not in (None, ""):
                        return item.get(name)
    return None


def _first(value: Any) -> float | None:
    """Return a number, or the first of several windows."""
    if value is None:
        return None
    several = not isinstance(value, str) and hasattr(value, "__len__")
    return float(value[0] if several else value)
