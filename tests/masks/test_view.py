"""A store that is a view of its shards: read like any other, and what is lost is never an empty mask."""

import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from explain_small import explain_into

from shortcut_audit.config import PseudoMaskConfig
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.layout import PARTS, plane_shapes
from shortcut_audit.masks.planes import OPEN, PartPlanes, copy_parts
from shortcut_audit.masks.safe_open import safe_open
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.stamp import WORK, write_stamp
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.masks.summary import summarise
from shortcut_audit.masks.verify import verify_store
from shortcut_audit.provenance import sha256_file


def write(folder, job, records, view_above=0):
    writer = ShardWriter(folder, job, view_above=view_above)
    for shard in writer.todo:
        writer.write(shard, [records[row] for row in writer.rows(shard)])
    return writer


@pytest.fixture
def view(tmp_path, job, records):
    """The path of a store that is a view of three parts."""
    return write(tmp_path / "view", job, records).seal()


def test_it_reads_as_the_file_of_the_same_job_does(view, sealed, records):
    viewed, whole = MaskStore(view), MaskStore(sealed)
    assert (viewed.parts, whole.parts) == (3, 0)
    assert viewed.job.fingerprint == whole.job.fingerprint
    for store in (viewed, pickle.loads(pickle.dumps(viewed))):
        for row in (149, 0, 64, 63, 1):
            assert np.array_equal(store.mask(row), whole.mask(row))
            assert np.array_equal(store.heatmap(row), whole.heatmap(row))
            assert store[row].score == whole[row].score
        store.close()
    found = verify_store(view)
    assert found.pairs == len(records)
    assert found.bytes == view.stat().st_size + sum(path.stat().st_size for path in view.parent.glob(f"{PARTS}/*.h5"))
    assert (summarise(viewed).parts, summarise(whole).parts) == (3, 0)
    assert view.stat().st_size < sealed.stat().st_size
    assert sorted(path.name for path in view.parent.iterdir()) == ["masks.h5", PARTS]


def test_any_reader_of_hdf5_reads_it_and_a_lost_part_is_no_empty_mask(view, sealed):
    with h5py.File(view, "r") as viewed, h5py.File(sealed, "r") as whole:
        for name in ("mask", "heatmap"):
            assert np.array_equal(viewed[name][:], whole[name][:])
    (view.parent / PARTS / "shard-000001.h5").unlink()
    with h5py.File(view, "r") as viewed:
        assert (viewed["mask"][64:128] == 255).all()
        assert (viewed["heatmap"][64:128] == -128).all()


def test_plain_h5py_taking_the_array_anew_holds_no_more_parts_open_than_it_reads(view):
    """HDF5 keeps every part open that it met, until the array is closed; beyond the limit of open files it fills in."""
    open_files = lambda: len(list(Path("/proc/self/fd").iterdir()))  # noqa: E731
    with h5py.File(view, "r") as viewed:
        before = open_files()
        for row in (0, 64, 128):
            viewed["mask"][row]
        assert open_files() == before
        array = viewed["mask"]
        array[:]
        assert open_files() == before + 3


def test_a_part_that_is_lost_or_changed_is_named(view):
    part = view.parent / PARTS / "shard-000001.h5"
    data = part.read_bytes()
    part.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(OutputError, match=r"shard-000001.h5 does not match its SHA-256: it was changed or"):
        MaskStore(view)
    part.unlink()
    with pytest.raises(OutputError, match=r"shard-000001.h5 is missing; .*masks.h5 is a view of the files"):
        verify_store(view)


def test_of_a_damaged_view_only_what_is_lost_is_made_again(view, job, records, sealed, capsys):
    (view.parent / PARTS / "shard-000001.h5").unlink()
    writer = ShardWriter(view.parent, job, view_above=0)
    assert writer.todo == [1]
    assert "going on: 2 of 3 shards of masks are there already" in capsys.readouterr().err
    writer.write(1, [records[row] for row in writer.rows(1)])
    viewed, whole = MaskStore(writer.seal()), MaskStore(sealed)
    assert all(np.array_equal(viewed.mask(row), whole.mask(row)) for row in range(len(records)))


def test_another_job_leaves_the_parts_of_a_view_alone_until_it_is_sealed(view, make_job):
    assert ShardWriter(view.parent, make_job(model="another"), view_above=0).todo == [0, 1, 2]
    assert MaskStore(view).parts == 3


def test_only_above_the_limit(tmp_path, job, records):
    writer = write(tmp_path / "few", job, records, view_above=10**9)
    path = writer.seal()
    assert MaskStore(path).parts == 0
    assert not (path.parent / PARTS).exists()


def test_a_kill_before_the_parts_have_their_name_costs_nothing(tmp_path, job, records, sealed):
    folder = tmp_path / "killed"
    path = write(folder, job, records).seal()
    # as it is left by a kill between the two renames: the view has its name, the shards are still at work
    shutil.copytree(folder / PARTS, folder / WORK)
    shutil.rmtree(folder / PARTS)
    again = write(tmp_path / "other", job, records)
    shutil.copy(tmp_path / "other" / WORK / "journal.jsonl", folder / WORK)
    assert again.todo == []
    with pytest.raises(OutputError, match=r"shard-000000.h5 is missing"):
        MaskStore(path)
    writer = ShardWriter(folder, job, view_above=0)
    assert writer.todo == []
    viewed, whole = MaskStore(writer.seal()), MaskStore(sealed)
    assert all(np.array_equal(viewed.mask(row), whole.mask(row)) for row in range(len(records)))


def test_a_whole_file_in_its_place_leaves_no_parts(view, job, records):
    path = write(view.parent, job, records, view_above=10**9).seal()
    assert MaskStore(path).parts == 0
    assert not (path.parent / PARTS).exists()


def test_it_is_copied_with_its_parts(view, tmp_path):
    (tmp_path / "copy").mkdir()
    target = tmp_path / "copy" / "masks.h5"
    shutil.copy(view, target)
    copy_parts(view, target, 3)
    assert np.array_equal(MaskStore(target).mask(149), MaskStore(view).mask(149))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "copy" / PARTS).iterdir()} == {0o600}


def test_few_parts_are_open_at_once(view, monkeypatch):
    monkeypatch.setattr("shortcut_audit.masks.planes.OPEN", 2)
    planes = PartPlanes(view, plane_shapes(MaskStore(view).header))
    for row in (0, 64, 128, 0, 64):
        planes.read("mask", row)
        assert len(planes._open) <= 2 < OPEN
    planes.close()
    assert planes._open == {}


def test_a_part_of_another_shape_is_refused_whoever_stamped_it(view):
    part = view.parent / PARTS / "shard-000001.h5"
    with h5py.File(part, "r+") as file:
        del file["mask"]
        file.create_dataset("mask", data=np.zeros((64, 3, 10, 2), "u1"), chunks=(1, 3, 10, 2))
    with h5py.File(view, "r+") as file:
        file["part_sha256"][1] = np.frombuffer(bytes.fromhex(sha256_file(part)), np.uint8)
    write_stamp(view)
    store = MaskStore(view)
    assert store.mask(0).shape == (2, 10, 13)
    with pytest.raises(
        OutputError, match=r"'mask' of pair 64 is damaged \('mask' of shard-000001.h5 is \(64, 3, 10, 2\)"
    ):
        store.mask(64)


def test_virtual_arrays_of_others_stay_refused(view, tmp_path):
    with pytest.raises(InputError, match=r"'(heatmap|mask)' keeps its data in another file"):
        safe_open(view)
    with h5py.File(tmp_path / "bad.h5", "w", libver=("v110", "v110")) as file:
        layout = h5py.VirtualLayout((4,), "u1")
        layout[:] = h5py.VirtualSource("secret.h5", "x", (4,))
        file.create_virtual_dataset("score", layout)
    with pytest.raises(InputError, match=r"'score' keeps its data in another file"):
        safe_open(tmp_path / "bad.h5", views=("mask",))


def test_the_limit_is_that_of_the_configuration(tmp_path):
    cut = PseudoMaskConfig(smooth_px=1, min_area_px=2)
    viewed = explain_into(tmp_path / "view", cut=cut.model_copy(update={"view_above_gb": 0}))
    whole = explain_into(tmp_path / "whole", cut=cut)
    assert (viewed.parts, whole.parts) == (-(-len(whole) // 64), 0)
    assert all(np.array_equal(viewed.mask(row), whole.mask(row)) for row in range(len(whole)))
    again = explain_into(tmp_path / "view", cut=cut.model_copy(update={"view_above_gb": 0}))
    assert again.path.stat().st_mtime_ns == viewed.path.stat().st_mtime_ns
