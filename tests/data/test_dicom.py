"""DICOM: what is stored, what is meant, what is seen; odd files, each with its own reason."""

import hashlib
import io
import zlib

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from shortcut_audit.data import decoders
from shortcut_audit.data.decode import BadImageError, decode, image_size, stored_as

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def film(pixels=RAMP, *, syntax=ExplicitVRLittleEndian, instance="1.2.3", without=(), **tags):
    """The bytes of a film of 12 bits; ``tags`` are set, ``without`` left out."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = instance
    made.Modality, made.PhotometricInterpretation = "DX", "MONOCHROME2"
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    made.BitsAllocated, made.PixelRepresentation = 8 * pixels.itemsize, int(pixels.dtype.kind == "i")
    made.BitsStored = 12 if pixels.itemsize == 2 else 8
    made.HighBit = made.BitsStored - 1
    made.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for name, value in tags.items():
        setattr(made, name, value)
    for name in without:
        delattr(made, name)
    if "PixelData" in made:
        made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    if syntax.is_encapsulated:
        made.PixelData = pydicom.encaps.encapsulate([bytes(made.PixelData)])
        made["PixelData"].VR = "OB"
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def item(**tags):
    made = Dataset()
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def read(tmp_path, raw, name="a.dcm"):
    (tmp_path / name).write_bytes(raw)
    return decode(tmp_path / name)


def refused(tmp_path, raw, message):
    with pytest.raises(BadImageError, match=rf"a\.dcm: .*{message}"):
        read(tmp_path, raw)


# ---- real oddities

SEEN = {
    "693_J2KI.dcm": "7b66c9c35446166b",
    "CT_small.dcm": "93a18f934884c6cf",
    "MR-SIEMENS-DICOM-WithOverlays.dcm": "f7fc49171679f4ac",
    "MR2_J2KI.dcm": "0a67ba4af962d175",
    "MR_small_RLE.dcm": "38ab8d87e706bf8d",
    "MR_small_expb.dcm": "38ab8d87e706bf8d",
    "MR_small_padded.dcm": "38ab8d87e706bf8d",
    "RG1_J2KI.dcm": "cfab42ef0912b025",
    "RG3_J2KR.dcm": "723a668ac381483d",
    "SC_rgb_16bit.dcm": "169e619557b12114",
    "SC_rgb_jpeg.dcm": "be7aa556b206ac44",
    "SC_rgb_jpeg_dcmtk.dcm": "ddb100d8f45a7fbf",
    "SC_rgb_rle_2frame.dcm": "169e619557b12114",
    "SC_rgb_small_odd.dcm": "ef2df252ba3cd066",
    "dicomdir_CR_6154": "330ab73ff48faa36",
    "dicomdir_CR_6278": "5caff76cf0b225bf",
    "eCT_Supplemental.dcm": "f09d9197ffb6cf69",
    "emri_small.dcm": "65cca41ad5412325",
    "examples_palette.dcm": "db93767ae86874a9",
    "image_dfl.dcm": "1f5f1b1c1a57606a",
    "parametric_map_float.dcm": "56133f3f92d27fdb",
    "vlut_04.dcm": "74853be063ef5655",
}
"""SHA-256 (first 16 digits) of the picture in 8 bits. All but eCT_Supplemental's, whose window stands in a functional
group, were computed with pydicom's own apply_modality_lut and apply_voi_lut, and are equal to the last digit."""
WITH_THE_EXTRA = {
    "GDCMJ2K_TextGBR.dcm": ("bea5673fdd49313f", "JPEG 2000.*pillow: broken data.*install pylibjpeg-openjpeg"),
    "HTJ2K_08_RGB.dcm": ("16463ac9d0b0c70e", "High-Throughput JPEG 2000.*no decoder is.*install pylibjpeg-openjpeg"),
    "JPEGLSNearLossless_16.dcm": (None, r"JPEG-LS.*install pyjpegls \(pip install 'shortcut-audit\[dicom\]'\)"),
}
REFUSED = {
    "JPGExtended.dcm": r"compressed as JPEG Extended .*12-bit precision.*; .*save it uncompressed",
    "MR_truncated.dcm": r"number of bytes of pixel data is less than expected \(8130 vs 8192 bytes\)",
    "no_meta.dcm": "not a DICOM file: the mark 'DICM' is missing at byte 128; export the file again",
    "ExplVR_LitEndNoMeta.dcm": "not a DICOM file: the mark 'DICM' is missing",
    "rtplan.dcm": r"a DICOM file without an image \(modality RTPLAN\); leave it out of the table",
    "rtplan_truncated.dcm": r"a DICOM file without an image \(modality RTPLAN\)",
    "reportsi.dcm": r"a DICOM file without an image \(modality SR\)",
}


def digest(pixels):
    return hashlib.sha256(np.rint(pixels * 255).astype(np.uint8).tobytes()).hexdigest()[:16]


def test_every_odd_file_has_its_place_here(odd):
    assert {path.name for path in odd.iterdir()} == {*SEEN, *WITH_THE_EXTRA, *REFUSED}


@pytest.mark.parametrize("name", SEEN)
def test_odd_files_become_pictures_without_the_extra(odd, monkeypatch, name):
    monkeypatch.setattr(decoders, "PLUGINS", ("shortcut_audit", "pillow", "pydicom"))
    pixels = decode(odd / name)
    assert digest(pixels) == SEEN[name]
    assert pixels.shape[:2] == image_size(odd / name)


@pytest.mark.parametrize("name", [*SEEN, *WITH_THE_EXTRA])
def test_what_is_installed_besides_changes_nothing(odd, name):
    expected = {**SEEN, **{key: value for key, (value, _) in WITH_THE_EXTRA.items()}}[name]
    if name in WITH_THE_EXTRA:
        pytest.importorskip("openjpeg", reason="the extra 'dicom' is not installed")
        pytest.importorskip("jpeg_ls", reason="the extra 'dicom' is not installed")
    found = digest(decode(odd / name))
    assert expected in (None, found)


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_the_threads_of_the_decoder_change_no_pixel(odd, monkeypatch, threads):
    monkeypatch.setenv("OPJ_NUM_THREADS", threads)
    assert digest(decode(odd / "RG3_J2KR.dcm")) == SEEN["RG3_J2KR.dcm"]


@pytest.mark.parametrize("name", WITH_THE_EXTRA)
def test_without_its_decoder_a_file_is_refused_with_the_name_of_the_package(odd, monkeypatch, name):
    monkeypatch.setattr(decoders, "PLUGINS", ("shortcut_audit", "pillow", "pydicom"))
    with pytest.raises(BadImageError, match=WITH_THE_EXTRA[name][1]):
        decode(odd / name)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_with_its_own_reason(odd, name):
    with pytest.raises(BadImageError, match=REFUSED[name]):
        decode(odd / name)


@pytest.mark.parametrize("name", ["RG1_J2KI.dcm", "dicomdir_CR_6154", "MR2_J2KI.dcm", "693_J2KI.dcm"])
def test_windowed_films_are_what_pydicom_makes_of_them(odd, name):
    header = pydicom.dcmread(odd / name)
    seen = apply_voi_lut(apply_modality_lut(pixel_array(header), header), header)
    bits, signed = header.BitsStored, header.PixelRepresentation
    ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1], dtype=float)
    low, high = ends * float(header.get("RescaleSlope", 1)) + float(header.get("RescaleIntercept", 0))
    expected = (seen - low) / (high - low)
    expected = 1 - expected if header.PhotometricInterpretation == "MONOCHROME1" else expected
    np.testing.assert_allclose(decode(odd / name)[:, :, 0], expected, atol=1e-6)


def test_the_window_of_a_functional_group_is_applied(odd):
    header = pydicom.dcmread(odd / "eCT_Supplemental.dcm")
    groups = [header.PerFrameFunctionalGroupsSequence[0], header.SharedFunctionalGroupsSequence[0]]
    voi = next(group.FrameVOILUTSequence[0] for group in groups if "FrameVOILUTSequence" in group)
    value = next(
        group.PixelValueTransformationSequence[0] for group in groups if "PixelValueTransformationSequence" in group
    )
    meant = pixel_array(header, index=0) * float(value.RescaleSlope) + float(value.RescaleIntercept)
    first = [float(np.atleast_1d(voi[tag].value)[0]) for tag in ("WindowCenter", "WindowWidth")]
    expected = np.clip((meant - (first[0] - 0.5)) / (first[1] - 1) + 0.5, 0, 1)
    np.testing.assert_allclose(decode(odd / "eCT_Supplemental.dcm")[:, :, 0], expected, atol=1e-6)


# ---- the order: modality, window, inversion


def test_without_a_window_a_film_has_the_range_of_its_bits(tmp_path):
    np.testing.assert_allclose(read(tmp_path, film())[:, :, 0], RAMP / 4095, atol=1e-6)


def test_monochrome1_is_inverted_after_the_window(tmp_path):
    tags = {"WindowCenter": 1000, "WindowWidth": 1001, "RescaleSlope": 2, "RescaleIntercept": -100}
    windowed = np.clip((RAMP * 2.0 - 100 - 999.5) / 1000 + 0.5, 0, 1)
    np.testing.assert_allclose(read(tmp_path, film(**tags))[:, :, 0], windowed, atol=1e-6)
    inverted = read(tmp_path, film(**tags, PhotometricInterpretation="MONOCHROME1"))[:, :, 0]
    np.testing.assert_allclose(inverted, 1 - windowed, atol=1e-6)
    assert inverted[0, 0] == 1
    assert inverted[-1, -1] == 0


@pytest.mark.parametrize(
    ("function", "at"),
    [
        # 100 wide at 200: LINEAR is 0 up to 150 and 1 from 249, LINEAR_EXACT 0 up to 150 and 1 from 250.
        ("LINEAR", {149: 0, 150: 0, 199: 49 / 99, 200: 50 / 99, 249: 1, 4000: 1}),
        ("LINEAR_EXACT", {149: 0, 150: 0, 175: 0.25, 200: 0.5, 250: 1, 4000: 1}),
        ("SIGMOID", {200: 0.5, 225: 1 / (1 + np.exp(-1)), 175: 1 / (1 + np.exp(1)), 4000: 1}),
    ],
)
def test_windows_pass_through_the_points_that_the_standard_says(tmp_path, function, at):
    seen = read(tmp_path, film(WindowCenter=200, WindowWidth=100, VOILUTFunction=function)).ravel()
    np.testing.assert_allclose(seen[list(at)], list(at.values()), atol=1e-6)


def test_a_window_of_width_1_is_a_step(tmp_path):
    seen = read(tmp_path, film(WindowCenter=200, WindowWidth=1)).ravel()
    assert seen[:199].max() == 0
    assert seen[200:].min() == 1


@given(st.integers(1, 60_000), st.integers(2, 5000), st.sampled_from([1.0, 0.25, -1.0, 3.7]), st.integers(-2000, 2000))
@settings(deadline=None, max_examples=60)
def test_the_fast_way_gives_the_numbers_of_double_precision(tmp_path_factory, center, width, slope, intercept):
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    tags = {"BitsStored": 16, "HighBit": 15, "WindowCenter": center, "WindowWidth": width}
    raw = film(stored, **tags, RescaleSlope=slope, RescaleIntercept=intercept)
    meant = stored * slope + intercept
    expected = np.clip((meant - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    np.testing.assert_allclose(read(tmp_path_factory.mktemp("w"), raw)[:, :, 0], expected, atol=1e-6)


def test_of_several_windows_the_first_is_taken(tmp_path):
    both = read(tmp_path, film(WindowCenter=[1000, 5], WindowWidth=[500, 9]))
    np.testing.assert_array_equal(both, read(tmp_path, film(WindowCenter=1000, WindowWidth=500)))


def test_lookup_tables_come_before_windows_and_in_order(tmp_path):
    """Modality: v -> 4095 - v; VOI: v -> v // 16 * 257 in 16 bits. Together (4095 - v) // 16 / 255."""
    modality = item(LUTDescriptor=[4096, 0, 16], ModalityLUTType="US", LUTData=(4095 - RAMP).tobytes())
    voi = item(LUTDescriptor=[4096, 0, 16], LUTData=(RAMP // 16 * 257).astype("<u2").tobytes())
    for one in (modality, voi):
        one["LUTData"].VR = "OW"
    raw = film(ModalityLUTSequence=[modality], VOILUTSequence=[voi], WindowCenter=1, WindowWidth=1)
    np.testing.assert_allclose(read(tmp_path, raw)[:, :, 0], (4095 - RAMP) // 16 / 255, atol=1e-6)


def test_signed_values_go_from_the_smallest_to_the_largest_without_the_padding(tmp_path):
    stored = np.int16([[-2000, -100], [0, 100]])
    tags = {"BitsStored": 16, "HighBit": 15, "Modality": "CT", "PixelPaddingValue": -2000}
    seen = read(tmp_path, film(stored, **tags))[:, :, 0]
    np.testing.assert_allclose(seen, [[0, 0], [0.5, 1]], atol=1e-6)


def test_an_overlay_in_the_unused_bits_is_not_part_of_the_picture(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, film(RAMP | np.uint16(0x8000))), read(tmp_path, film()))


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_colour_has_the_range_of_its_bits(tmp_path, dtype, bits):
    stored = np.random.default_rng(0).integers(0, 2**bits, (6, 5, 3), dtype=dtype)
    tags = {"PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "BitsStored": bits, "HighBit": bits - 1}
    np.testing.assert_allclose(read(tmp_path, film(stored, **tags)), stored / (2**bits - 1), atol=1e-6)


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = np.stack([RAMP, RAMP[::-1]])
    raw = film(frames[0], NumberOfFrames=2, PixelData=frames.tobytes())
    np.testing.assert_array_equal(read(tmp_path, raw), read(tmp_path, film()))


def test_a_file_without_extension_is_known_by_its_mark(tmp_path):
    assert read(tmp_path, film(), name="1.2.826.0.1").shape == (64, 64, 1)


# ---- wrong files


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"without": ["PhotometricInterpretation"]}, "the DICOM tag PhotometricInterpretation is missing"),
        ({"without": ["Rows"]}, "the DICOM tag Rows is missing; export the file again"),
        ({"BitsAllocated": None}, "the DICOM tag BitsAllocated is missing"),
        ({"without": ["PixelData"]}, "cannot be read .*no 'Pixel Data'"),
        ({"Columns": 0}, "0 x 64 pixels; an image has 1 to 64,000,000"),
        ({"Rows": 60000, "Columns": 60000}, "60000 x 60000 pixels; an image has 1 to 64,000,000"),
        ({"Rows": 65}, "number of bytes of pixel data is less than expected"),
        ({"WindowCenter": 10, "WindowWidth": 0}, "WindowWidth is 0 about 10, which is no window"),
        ({"WindowCenter": 1, "WindowWidth": 9, "VOILUTFunction": "CUBIC"}, "VOILUTFunction is 'CUBIC'; expected LIN"),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "RescaleSlope is 0 and RescaleIntercept 0; mend the tags"),
        ({"HighBit": 15}, "HighBit is 15 where 12 bits are stored; only 11 is read"),
        ({"PhotometricInterpretation": "ODD"}, "cannot be read|PhotometricInterpretation is ODD"),
        ({"syntax": MPEG2MPML}, "compressed as MPEG2.*, which is not read; save it uncompressed"),
    ],
)
def test_wrong_tags_are_refused_with_the_reason(tmp_path, tags, message):
    refused(tmp_path, film(**tags), message)


@pytest.mark.parametrize(
    ("syntax", "package"),
    [(JPEG2000Lossless, "pylibjpeg-openjpeg"), (JPEGLSLossless, "pyjpegls"), (JPEGLosslessSV1, "python-gdcm")],
)
def test_a_compression_without_decoder_names_the_package(tmp_path, monkeypatch, syntax, package):
    monkeypatch.setattr(decoders, "PLUGINS", ())
    refused(tmp_path, film(syntax=syntax), rf"no decoder is installed; install {package} \(pip install 'shortcut-a")


def test_a_decoder_that_is_there_and_cannot_is_not_asked_for(odd, tmp_path):
    pytest.importorskip("gdcm")
    refused(tmp_path, (odd / "JPGExtended.dcm").read_bytes(), r"12-bit precision; save it uncompressed$")


def test_a_deflated_film_is_read_and_one_that_inflates_without_end_refused(tmp_path):
    raw = film(syntax=DeflatedExplicitVRLittleEndian)
    np.testing.assert_array_equal(read(tmp_path, raw), read(tmp_path, film()))
    (tmp_path / "film.dcm").write_bytes(raw)
    assert "Deflated" in stored_as(tmp_path / "film.dcm")[2]
    start = 144 + int.from_bytes(raw[140:144], "little")
    refused(
        tmp_path, raw[: start + (len(raw) - start) // 2], "deflated, and cut off before its end; fetch the file again"
    )
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * 20_000_000) + squeeze.flush()
    refused(tmp_path, raw[:start] + bomb, r"deflated, of [\d,]+ bytes or more when inflated; save it")


DEFLATED = DeflatedExplicitVRLittleEndian.encode()


def test_the_number_of_deflated_files_in_another_place_does_not_make_a_film_one(tmp_path):
    raw = film(ImageComments=f"was {DEFLATED.decode()}")
    np.testing.assert_array_equal(read(tmp_path, raw), read(tmp_path, film()))


def test_a_deflated_film_is_bounded_whatever_else_its_meta_header_says(tmp_path):
    """The number stands in the instance UID first, where a bomb would hide the transfer syntax behind it."""
    raw = film(syntax=DeflatedExplicitVRLittleEndian)
    named = film(syntax=DeflatedExplicitVRLittleEndian, instance=DEFLATED.decode() + ".7")
    np.testing.assert_array_equal(read(tmp_path, named), read(tmp_path, raw))
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * 20_000_000) + squeeze.flush()
    meta = named[: 144 + int.from_bytes(named[140:144], "little")]
    refused(tmp_path, meta + bomb, r"deflated, of [\d,]+ bytes or more when inflated; save it")


@pytest.mark.parametrize("before", [
    b"\2\0\x10\0UI\x16\0" + DEFLATED,
    b"\2\0\x10\0UI\x18\0" + DEFLATED + b"  ",
    b"\2\0\x10\0UI\x18\0 " + DEFLATED + b" ",
    b"\2\0\1\0OD\0\0\x08\0\0\0" + bytes(8) + b"\2\0\x10\0UI\x16\0" + DEFLATED,
    b"\2\0\1\0UV\0\0\x08\0\0\0" + bytes(8) + b"\2\0\x10\0UI\x16\0" + DEFLATED,
    b"\2\0\x10\0\x16\0\0\0" + DEFLATED,
])  # fmt: skip
def test_a_deflated_film_is_bounded_however_its_meta_header_is_written(tmp_path, before):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(b"\0" * 20_000_000) + squeeze.flush()
    refused(tmp_path, bytes(128) + b"DICM" + before + bomb, r"deflated, of [\d,]+ bytes or more when inflated; save it")


def test_a_film_cannot_be_deflated_twice(tmp_path):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    element = b"\2\0\x10\0UI\x16\0" + DEFLATED
    inner = squeeze.compress(element + b"rest") + squeeze.flush()
    refused(tmp_path, bytes(128) + b"DICM" + element + inner, "deflated, and within it another meta header; save it")


@pytest.mark.parametrize("length", [0, 3, 2**31 - 1])
def test_a_deflated_film_whose_meta_header_states_a_wrong_length_is_read(tmp_path, length):
    raw = film(syntax=DeflatedExplicitVRLittleEndian)
    wrong = raw[:140] + length.to_bytes(4, "little") + raw[144:]
    np.testing.assert_array_equal(read(tmp_path, wrong), read(tmp_path, raw))


def test_no_header_field_of_the_patient_is_in_a_message(tmp_path):
    canary = "CANARY^NAME"
    raw = film(PatientName=canary, PatientID=canary, StudyDescription=canary, WindowCenter=1, WindowWidth=0)
    with pytest.raises(BadImageError) as caught:
        read(tmp_path, raw)
    assert canary not in str(caught.value)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_films_are_read_at_their_size_or_refused(tmp_path_factory, data):
    raw = bytearray(film(RAMP[:8, :8], WindowCenter=30, WindowWidth=40))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(128, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.sampled_from([len(raw), len(raw) // 2, len(raw) - 3]))]
    path = tmp_path_factory.mktemp("fuzz") / "a.dcm"
    path.write_bytes(raw)
    try:
        pixels = decode(path)
    except BadImageError:
        return
    assert pixels.shape[:2] == image_size(path)
    assert pixels.dtype == np.float32
    assert (pixels >= 0).all()
    assert (pixels <= 1).all()
