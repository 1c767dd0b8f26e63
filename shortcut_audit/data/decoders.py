"""Which decoder reads a compressed film (docs/decisions/0016): the same on every machine, none that ends a run."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEGLossless, JPEGLosslessSV1, RLELossless

from shortcut_audit.data.apart import decode_apart
from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.frame_size import frame_size

_OURS = "shortcut_audit"
PLUGINS = (_OURS, "pillow", "pydicom", "pylibjpeg", "pyjpegls", "gdcm")
"""Decoders in the order they are tried: the same file has the same pixels whatever else is installed."""
_BY_GDCM_ALONE = (JPEGLossless, JPEGLosslessSV1)
_PACKAGES = {"JPEG 2000": ("pylibjpeg-openjpeg", "pylibjpeg"), "JPEG-LS": ("pyjpegls", "pyjpegls")}
"""The package that reads a family of compressions, and its decoder in ``PLUGINS``."""

if _OURS not in get_decoder(RLELossless).available_plugins:
    get_decoder(RLELossless).add_plugin(_OURS, ("shortcut_audit.data.rle", "decode_frame"))


def first_frame(header: Dataset, raw: bytes) -> NDArray[Any]:
    """Return what the first frame of a film stores, (H, W) or (H, W, 3); YBR becomes RGB.

    Args:
        header: the film, parsed with its pixels.
        raw: the same film as a file.

    Raises:
        BadImageError: nobody can, with the last reason; or the frame is of another size than the header says.
        Exception: what pydicom raises on a damaged film.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or syntax == DeflatedExplicitVRLittleEndian:
        return pixel_array(header, index=0)
    try:
        able = set(get_decoder(syntax).available_plugins) - _unwanted(syntax)
    except NotImplementedError as error:
        raise BadImageError(f"compressed as {syntax.name}, which is not read; save it uncompressed") from error
    reason = "no decoder is installed"
    plugins = sorted(able & set(PLUGINS), key=PLUGINS.index)
    if plugins and "JPEG" in syntax.name:
        _check_frame(header, jpeg_2000="2000" in syntax.name)
    for plugin in plugins:
        try:
            apart = plugin == "gdcm"
            return decode_apart(raw) if apart else pixel_array(header, index=0, decoding_plugin=plugin)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[-1].strip()
    package, its_plugin = _package(syntax)
    missing = package and its_plugin not in plugins
    install = f"install {package} (pip install 'shortcut-audit[dicom]'), or " if missing else ""
    raise BadImageError(f"compressed as {syntax.name}: {reason}; {install}save it uncompressed")


def _joined(header: Dataset) -> bytes:
    """Return the fragments of the first frame, joined as pydicom joins them for a decoder."""
    names = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
    offsets = tuple(header[name].value for name in names) if all(name in header for name in names) else None
    frames = int(header.get("NumberOfFrames") or 1)
    return get_frame(header.PixelData, 0, number_of_frames=frames, extended_offsets=offsets)


def _check_frame(header: Dataset, *, jpeg_2000: bool) -> None:
    """Refuse a frame that is of another size than the header says, which could be any.

    Raises:
        BadImageError: naming both sizes.
    """
    size = frame_size(_joined(header), jpeg_2000=jpeg_2000)
    if size is None:
        raise BadImageError("its frame does not say how large it is, so it is damaged; fetch the file again")
    rows, columns, colours = int(header.Rows), int(header.Columns), int(header.get("SamplesPerPixel") or size[2])
    if size[:2] != (rows, columns):
        raise BadImageError(f"its frame is of {size[1]} x {size[0]} pixels, its header says {columns} x {rows}")
    if size[2] != colours:
        raise BadImageError(f"its frame has {size[2]} numbers a pixel, its header says {colours}")


def _unwanted(syntax: UID) -> set[str]:
    """Return decoders that are not asked for a compression that others read.

    Of damaged runs pylibjpeg makes a panic of Rust, which is no Exception; on damaged frames of JPEG GDCM ends the
    process, so it has one of its own.
    """
    return {"pylibjpeg"} if syntax == RLELossless else set() if syntax in _BY_GDCM_ALONE else {"gdcm"}


def _package(syntax: UID) -> tuple[str, str]:
    family = next((name for name in _PACKAGES if name in syntax.name), None)
    return ("python-gdcm", "gdcm") if syntax in _BY_GDCM_ALONE else _PACKAGES.get(family or "", ("", ""))
