"""Lossless JPEG: GDCM reads it in a process of its own, which may end."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless

from shortcut_audit.data import apart, decoders
from shortcut_audit.data.apart import decode_apart
from shortcut_audit.data.decode import BadImageError, decode
from shortcut_audit.errors import UsageError

gdcm = pytest.importorskip("gdcm", reason="the extra 'dicom' is not installed")
PIXELS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
TABLE = b"\xff\xc4"
"""What a Huffman table begins with; a frame without one ends GDCM's process."""


@pytest.fixture(scope="module")
def lossless(tmp_path_factory):
    """A film of lossless JPEG, which GDCM has written."""
    folder = tmp_path_factory.mktemp("lossless")
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Modality, made.PhotometricInterpretation, made.SamplesPerPixel = "DX", "MONOCHROME2", 1
    made.Rows, made.Columns = PIXELS.shape
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = PIXELS.tobytes()
    made["PixelData"].VR = "OW"
    pydicom.dcmwrite(folder / "plain.dcm", made, enforce_file_format=True)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(folder / "plain.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(folder / "film.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(folder / "film.dcm").file_meta.TransferSyntaxUID == JPEGLosslessSV1
    return folder / "film.dcm"


def test_a_film_of_lossless_jpeg_is_the_plain_one(lossless):
    np.testing.assert_array_equal(decode(lossless), decode(lossless.with_name("plain.dcm")))
    np.testing.assert_array_equal(decode_apart(lossless.read_bytes()), PIXELS)


def test_several_threads_get_each_their_own_film(lossless, tmp_path):
    raw = lossless.read_bytes()
    with ThreadPoolExecutor(4) as pool:
        for stored in pool.map(decode_apart, [raw] * 12):
            np.testing.assert_array_equal(stored, PIXELS)


def test_a_frame_that_ends_gdcm_is_refused_and_the_next_film_read(lossless, tmp_path):
    raw = lossless.read_bytes()
    frame = raw.index(b"\xff\xd8\xff\xc3")
    table = raw.index(TABLE, frame)
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(raw[:table] + b"\xff\0" + raw[table + 2 :])
    with pytest.raises(
        BadImageError, match=r"broken\.dcm: compressed as JPEG Lossless.*: gdcm: broke down on it; save"
    ):
        decode(broken)
    np.testing.assert_array_equal(decode_apart(raw), PIXELS)


def test_what_gdcm_cannot_read_is_refused_as_damaged(lossless, tmp_path):
    raw = lossless.read_bytes()
    frame = raw.index(b"\xff\xd8\xff\xc3")
    scan = raw.index(b"\xff\xda", frame)
    (tmp_path / "a.dcm").write_bytes(raw[:scan] + b"\xff\xd9" + raw[scan + 2 :])
    with pytest.raises(BadImageError, match=r"a\.dcm: compressed as JPEG Lossless.*: gdcm: it is damaged; save it unc"):
        decode(tmp_path / "a.dcm")


def test_what_pydicom_refuses_has_its_reason():
    with pytest.raises(ValueError, match="File is missing DICOM File Meta Information"):
        decode_apart(b"no film")


def test_a_process_that_was_ended_from_outside_costs_no_film(lossless):
    raw = lossless.read_bytes()
    for _ in range(5):
        decode_apart(raw)
        apart._CHILD._process.kill()
        np.testing.assert_array_equal(decode_apart(raw), PIXELS)


def begun_as(monkeypatch, tmp_path, script):
    (tmp_path / "begun.py").write_text(script)
    apart._CHILD._end()
    monkeypatch.setattr(apart, "__file__", str(tmp_path / "begun.py"))


def test_what_an_interpreter_prints_first_is_no_answer(lossless, monkeypatch, tmp_path):
    begun_as(monkeypatch, tmp_path, f"print('-welcome', flush=True)\nexec(open({apart.__file__!r}).read())\n")
    for _ in range(2):
        np.testing.assert_array_equal(decode_apart(lossless.read_bytes()), PIXELS)
    apart._CHILD._end()


def test_a_process_that_does_not_start_is_no_damage_of_the_film(lossless, monkeypatch, tmp_path):
    begun_as(monkeypatch, tmp_path, "raise ImportError")
    with pytest.raises(
        UsageError, match=r"in a process of its own, which does not start \(it ended at once\); try 'aud"
    ):
        decode(lossless)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"which does not start \(.*No such file.*\); try 'audit doctor', or save"):
        decode(lossless)


def test_an_answer_that_was_interrupted_is_not_taken_for_the_next_films(lossless, monkeypatch):
    raw, read = lossless.read_bytes(), apart._read_answer

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(apart, "_read_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        decode_apart(b"no film, which it would say")
    monkeypatch.setattr(apart, "_read_answer", read)
    np.testing.assert_array_equal(decode_apart(raw), PIXELS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_asks_a_process_of_its_own(lossless):
    decode_apart(lossless.read_bytes())
    script = (
        "import os, sys; from pathlib import Path\n"
        "from shortcut_audit.data import apart\n"
        "raw = Path(sys.argv[1]).read_bytes(); apart.decode_apart(raw); first = apart._CHILD._process.pid\n"
        "apart._CHILD._lock.acquire(); child = os.fork()\n"
        "if not child:\n"
        "    apart.decode_apart(raw); os._exit(apart._CHILD._process.pid == first)\n"
        "apart._CHILD._lock.release(); assert os.waitpid(child, 0)[1] == 0; apart.decode_apart(raw)\n"
        "assert apart._CHILD._process.pid == first\n"
    )
    subprocess.run([sys.executable, "-c", script, str(lossless)], check=True, timeout=60)


@pytest.mark.parametrize(("syntax", "asked"), [
    (JPEGLosslessSV1, True), (JPEGBaseline8Bit, False), (JPEG2000, False), (JPEGLSLossless, False),
])  # fmt: skip
def test_gdcm_is_asked_for_what_nobody_else_reads_only(syntax, asked):
    assert ("gdcm" not in decoders._unwanted(syntax)) == asked


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system does not list processes there")
def test_the_process_ends_with_its_parent(lossless):
    script = (
        "import sys; from pathlib import Path; from shortcut_audit.data import apart\n"
        "apart.decode_apart(Path(sys.argv[1]).read_bytes()); print(apart._CHILD._process.pid, flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(lossless)], capture_output=True, timeout=60, check=False)
    place = Path("/proc", ran.stdout.decode().strip())
    for _ in range(100):
        with suppress(OSError):
            if (place / "stat").read_text().split()[2] != "Z":
                time.sleep(0.1)
                continue
        break
    else:
        pytest.fail("the process lives on")
