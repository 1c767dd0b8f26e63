"""Files that look like HDF5 and mean harm."""

import random

import h5py
import numpy as np
import pytest

from shortcut_audit.errors import InputError
from shortcut_audit.masks.safe_open import safe_open


def good(file):
    file.create_dataset("a", data=np.arange(6).reshape(2, 3), chunks=(1, 3), compression="gzip", fletcher32=True)
    file.create_dataset("b", data=np.array([b"x", b"yz"]), chunks=(2,), shuffle=True, compression="gzip")


def external_link(file):
    file["a"] = h5py.ExternalLink("elsewhere.h5", "/secret")


def soft_link(file):
    file["a"] = h5py.SoftLink("/b")


def group(file):
    file.create_group("a")


def named_type(file):
    file["a"] = np.dtype("f8")


def external_storage(file):
    file.create_dataset("a", (4,), "u1", external=[("elsewhere.bin", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "secret", (4,))
    file.create_virtual_dataset("a", layout)


def objects(file):
    file.create_dataset("a", data=["text"], dtype=h5py.string_dtype(), chunks=(1,))


def compound(file):
    file.create_dataset("a", data=np.zeros(2, dtype=[("x", "f4")]), chunks=(2,))


def references(file):
    file.create_dataset("a", (1,), h5py.ref_dtype, chunks=(1,))


def contiguous_bomb(file):
    file.create_dataset("a", (1 << 40,), "u1")


def missing_chunks(file):
    file.create_dataset("a", (1 << 20, 96, 96), "u1", chunks=(1, 96, 96), compression="gzip")[0] = 1


def chunk_bomb(file):
    file.create_dataset("a", (1, (1 << 28) + 1), "u1", chunks=(1, (1 << 28) + 1), compression="gzip")


def odd_filter(file):
    file.create_dataset("a", data=np.zeros(9), chunks=(9,), compression="lzf")


HOSTILE = [
    (external_link, "'a' is a link to somewhere else"),
    (soft_link, "'a' is a link to somewhere else"),
    (group, "'a' is not an array"),
    (named_type, "'a' is not an array"),
    (external_storage, "'a' keeps its data in another file"),
    (virtual, "'a' keeps its data in another file"),
    (objects, "'a' is of type object"),
    (compound, "'a' is of type"),
    (references, "'a' is of type object"),
    (contiguous_bomb, "'a' is not chunked"),
    (missing_chunks, "'a' has 1 of 1048576 chunks"),
    (chunk_bomb, "'a' has chunks that unpack to more than 268435456 bytes"),
    (odd_filter, "'a' uses a filter other than gzip, shuffle and fletcher32"),
]


@pytest.mark.parametrize(("build", "message"), HOSTILE, ids=lambda value: getattr(value, "__name__", None))
def test_a_hostile_file_is_refused_by_name_of_the_array(tmp_path, build, message):
    path = tmp_path / "hostile.h5"
    with h5py.File(path, "w") as file:
        build(file)
    with pytest.raises(InputError, match=f"hostile.h5: {message}.*; only plain chunked arrays are read"):
        safe_open(path)
    path.unlink()


def test_a_plain_file_is_opened_for_reading_only(tmp_path):
    path = tmp_path / "good.h5"
    with h5py.File(path, "w") as file:
        good(file)
    with safe_open(path) as file:
        assert file.mode == "r"
        assert file["a"][1].tolist() == [3, 4, 5]


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n and then nothing", b"PK\x03\x04"])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    path = tmp_path / "other.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"other.h5 is not readable as HDF5 .*; bring a whole file"):
        safe_open(path)


@pytest.mark.parametrize("libver", [None, ("v110", "v110")])
def test_a_file_with_flipped_bits_is_opened_or_refused_and_nothing_else(tmp_path, libver):
    path = tmp_path / "flipped.h5"
    with h5py.File(path, "w", libver=libver) as file:
        good(file)
    whole, rng, refusals = path.read_bytes(), random.Random(0), []
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.randrange(min(len(whole), 2500))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            safe_open(path).close()
        except InputError as error:
            refusals.append(str(error))
    assert len(refusals) > 20
    assert all("flipped.h5" in refusal for refusal in refusals)
