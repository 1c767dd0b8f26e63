"""Writing: whatever is interrupted, the same command ends with the same bytes."""

import errno
import itertools
import json
import os
import shutil
from collections import namedtuple

import h5py
import numpy as np
import pytest

from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.layout import SHARD, shard_bytes
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.provenance import sha256_file


@pytest.fixture
def half(tmp_path, job, records):
    """A folder in which the first two of three shards are written, and the work folder in it."""
    writer = ShardWriter(tmp_path / "run", job)
    for shard in (0, 1):
        writer.write(shard, [records[row] for row in writer.rows(shard)])
    return tmp_path / "run" / "masks.work"


def test_shards_are_64_neighbouring_pairs_and_the_last_is_what_is_left(tmp_path, job):
    writer = ShardWriter(tmp_path, job)
    assert writer.todo == [0, 1, 2]
    assert [writer.rows(shard) for shard in writer.todo] == [range(64), range(64, 128), range(128, 150)]
    assert SHARD == 64


def test_equal_jobs_give_equal_bytes(tmp_path, sealed, job, records, fill):
    assert sha256_file(fill(tmp_path / "b", job, records)) == sha256_file(sealed)


def test_sealing_leaves_one_file(sealed):
    assert [path.name for path in sealed.parent.iterdir()] == ["masks.h5"]


def test_a_stopped_job_goes_on_and_ends_with_the_same_bytes(half, job, records, fill, sealed, capsys):
    assert ShardWriter(half.parent, job).todo == [2]
    assert "going on: 2 of 3 shards of masks are there already" in capsys.readouterr().err
    assert sha256_file(fill(half.parent, job, records)) == sha256_file(sealed)


def test_a_journal_cut_anywhere_costs_at_most_the_shards_it_no_longer_names(half, job, records, fill, sealed):
    journal = (half / "journal.jsonl").read_bytes()
    want = sha256_file(sealed)
    for length in range(0, len(journal), 29):
        copy = half.parent.parent / f"cut-{length}"
        shutil.copytree(half, copy / "masks.work")
        (copy / "masks.work" / "journal.jsonl").write_bytes(journal[:length])
        whole_lines = max(journal[:length].count(b"\n") - 1, 0)
        assert len(ShardWriter(copy, job).todo) == 3 - whole_lines
        assert sha256_file(fill(copy, job, records)) == want


class Killed(BaseException):
    """Stands for a kill: nothing of ours may catch it."""


def test_killed_before_any_sync_or_rename_it_goes_on_and_ends_with_the_same_bytes(
    tmp_path, job, records, fill, sealed, monkeypatch
):
    want, moments = sha256_file(sealed), 0
    while True:
        calls = itertools.count()

        def dying(real, *, calls=calls, moment=moments):
            def call(*arguments):
                if next(calls) == moment:
                    raise Killed
                return real(*arguments)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", dying(os.fsync))
            patch.setattr(os, "replace", dying(os.replace))
            try:
                path = fill(tmp_path / str(moments), job, records)
            except Killed:
                path = None
        again = fill(tmp_path / str(moments), job, records)
        assert sha256_file(again) == want
        if path:
            break
        moments += 1
    # Journal: sync, rename, sync; each of three shards: sync, rename, and its line; the store: sync, rename, sync.
    assert moments == 3 + 3 * 3 + 3


def test_a_torn_line_does_not_spoil_the_next(half, job, records):
    with (half / "journal.jsonl").open("a") as stream:
        stream.write('{"shard": 2, "sha')
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])
    assert ShardWriter(half.parent, job).todo == []
    lines = [json.loads(line) for line in (half / "journal.jsonl").read_text().splitlines()]
    assert [line.get("shard") for line in lines] == [None, 0, 1, 2]


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-1])])
def test_a_shard_that_is_missing_or_damaged_is_written_again(half, job, records, fill, sealed, damage):
    damage(half / "shard-000001.h5")
    assert ShardWriter(half.parent, job).todo == [1, 2]
    assert sha256_file(fill(half.parent, job, records)) == sha256_file(sealed)


def test_shards_of_another_job_are_thrown_away_aloud(half, make_job, capsys):
    writer = ShardWriter(half.parent, make_job(model="another"))
    assert writer.todo == [0, 1, 2]
    assert "masks.work is left over from another run; it is thrown away" in capsys.readouterr().err
    assert [path.name for path in half.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("field", ["manifest", "model", "settings", "mean_image"])
def test_a_job_is_another_if_anything_that_decides_its_content_differs(make_job, field):
    other = {"settings": {"steps": 5}, "mean_image": np.ones((1, 2, 2), dtype=np.float32)}.get(field, "x")
    assert make_job(**{field: other}).fingerprint != make_job().fingerprint
    assert make_job(samples=50).fingerprint != make_job().fingerprint
    assert make_job().fingerprint == make_job().fingerprint


def test_sealing_before_the_last_shard_is_refused(half, job):
    with pytest.raises(OutputError, match=r"masks.work: 1 of 3 shards are missing; run 'audit explain' or"):
        ShardWriter(half.parent, job).seal()
    assert not (half.parent / "masks.h5").exists()


def test_a_shard_damaged_between_writing_and_sealing_is_seen(half, job, records):
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])
    shard = half / "shard-000000.h5"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(OutputError, match=r"shard-000000.h5 was changed or damaged; run 'audit explain' or"):
        writer.seal()
    assert not (half.parent / "masks.h5").exists()


def test_a_shard_that_somebody_slipped_in_goes_through_the_guard(half, job, records):
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])
    shard = half / "shard-000000.h5"
    with h5py.File(shard, "r+") as file:
        del file["columns"]
        file["columns"] = h5py.ExternalLink("elsewhere.h5", "/secret")
    journal = (half / "journal.jsonl").read_text().splitlines()
    journal[1] = json.dumps({"shard": 0, "sha256": sha256_file(shard)})
    (half / "journal.jsonl").write_text("\n".join(journal) + "\n")
    with pytest.raises(InputError, match=r"shard-000000.h5: 'columns' is a link to somewhere else; only plain"):
        ShardWriter(half.parent, job).seal()


def test_a_shard_alone_is_no_store_and_says_so(half):
    with pytest.raises(OutputError, match=r"shard-000000.h5 does not begin with .*: it is no finished mask store"):
        MaskStore(half / "shard-000000.h5")


def test_a_full_disk_is_noticed_before_sealing(half, job, records, monkeypatch):
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])
    usage = namedtuple("usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match=r"masks.h5 needs .* bytes, 0 are free; free some space"):
        writer.seal()
    assert len(ShardWriter(half.parent, job).todo) == 0


def test_a_store_that_cannot_be_written_says_so_and_the_shards_stay(half, job, records, monkeypatch):
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match=r"masks.h5 could not be written: .*No space left on device; free some"):
            writer.seal()
    assert not (half.parent / "masks.h5").exists()
    assert ShardWriter(half.parent, job).todo == []


def test_a_journal_that_cannot_be_written_says_so(half, job, records, monkeypatch):
    writer = ShardWriter(half.parent, job)
    monkeypatch.setattr("os.fsync", _full_for_journal(half / "journal.jsonl"))
    with pytest.raises(OutputError, match=r"journal.jsonl could not be written: No space left on device; free some"):
        writer.write(2, [records[row] for row in writer.rows(2)])
    assert writer.todo == [2]


def _full_for_journal(journal):
    """An fsync that fails once the journal is open for the new line (the shard itself went through)."""
    real = os.fsync

    def fsync(descriptor):
        if os.fstat(descriptor).st_ino == journal.stat().st_ino:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    return fsync


def test_killed_while_the_store_is_sealed_it_is_sealed_again_with_the_same_bytes(half, job, records, sealed):
    """Whatever a kill leaves of the unnamed store, also a torn one, is overwritten."""
    writer = ShardWriter(half.parent, job)
    writer.write(2, [records[row] for row in writer.rows(2)])
    for left in (b"", sealed.read_bytes()[:1000], bytes(1 << 16)):
        copy = half.parent.parent / f"left-{len(left)}"
        shutil.copytree(half, copy / "masks.work")
        (copy / "masks.work" / "masks.h5").write_bytes(left)
        assert sha256_file(ShardWriter(copy, job).seal()) == sha256_file(sealed)


def test_killed_after_the_store_got_its_name_the_work_folder_is_no_hindrance(half, job, records, fill, sealed):
    shutil.copy(sealed, half.parent / "masks.h5")
    assert len(MaskStore(half.parent / "masks.h5")) == 150
    assert sha256_file(fill(half.parent, job, records)) == sha256_file(sealed)
    assert not half.exists()


def test_what_may_have_changed_bytes_is_kept_through_a_stop_and_told_by_the_store(half, job, records):
    last = shard_bytes(records[128:], 2, job.header)
    ShardWriter(half.parent, job).enter(2, last, conditions=["out of memory", "cuda"])
    writer = ShardWriter(half.parent, job)
    assert MaskStore(writer.seal()).conditions == ("cuda", "out of memory")


def test_a_clean_store_has_no_conditions(sealed):
    assert MaskStore(sealed).conditions == ()
