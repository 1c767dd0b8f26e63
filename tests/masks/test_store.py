"""The sealed store: what goes in comes out, damage never goes unseen, workers may read it."""

import json
import pickle
import random

import h5py
import numpy as np
import pytest
from torch.utils.data import DataLoader

from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.heatmap import dequantise, quantise
from shortcut_audit.masks.stamp import USER_BLOCK, write_stamp
from shortcut_audit.masks.store import MaskStore

HEIGHT, WIDTH = 10, 13


def test_every_record_comes_back(sealed, job, records):
    store = MaskStore(sealed)
    assert len(store) == len(records) == 150
    for found, record in zip(store, records, strict=True):
        assert (found.sample_id, found.finding) == (record.sample_id, record.finding)
        assert (found.foreground == record.foreground).all()
        assert (found.known == record.known).all()
        assert abs(found.heatmap - record.heatmap).max() <= abs(record.heatmap).max() / 254 * 1.001
        assert found.delta == (None if record.delta is None else pytest.approx(record.delta, rel=1e-6))
        assert found.threshold == (None if record.threshold is None else pytest.approx(record.threshold, rel=1e-6))
        assert found.steps == record.steps
        assert found.score == pytest.approx(record.score, rel=1e-6)
    assert store.job.fingerprint == job.fingerprint
    assert store.header.settings == {"steps": 4}


def test_rows_count_from_the_end_too_and_end_where_the_store_ends(sealed, records):
    store = MaskStore(sealed)
    assert store[-1].sample_id == records[-1].sample_id
    with pytest.raises(IndexError):
        store[150]


def test_a_sample_has_its_own_pairs_and_one_without_pairs_has_none(sealed, job, records):
    store = MaskStore(sealed)
    for sample_id in job.pairs.sample_ids:
        mine = [record.finding for record in records if record.sample_id == sample_id]
        assert [record.finding for record in store.for_sample(sample_id)] == mine
    assert min(len(store.rows(sample_id)) for sample_id in job.pairs.sample_ids) == 0


def test_a_sample_of_another_manifest_is_refused(sealed):
    with pytest.raises(InputError, match=r"holds no sample 'film 3' \(did you mean 'film 3 é'\?\); it was made from"):
        MaskStore(sealed).rows("film 3")


def test_planes_of_samples_are_stacked_by_finding_and_what_is_not_stored_is_not_known(sealed, job, records):
    wanted = job.pairs.sample_ids[5:25][::-1]
    foreground, known = MaskStore(sealed).planes(wanted)
    assert foreground.shape == known.shape == (20, 2, HEIGHT, WIDTH)
    expected = {(record.sample_id, record.finding): record for record in records}
    nothing = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for n, sample_id in enumerate(wanted):
        for k, finding in enumerate(job.pairs.findings):
            record = expected.get((sample_id, finding))
            assert (foreground[n, k] == (record.foreground if record else nothing)).all()
            assert (known[n, k] == (record.known if record else nothing)).all()


def test_a_mean_image_is_stored_with_the_masks(tmp_path, make_job, records, fill):
    mean = np.random.default_rng(0).random((1, HEIGHT, WIDTH)).astype(np.float32)
    job = make_job(mean_image=mean)
    store = MaskStore(fill(tmp_path, job, records))
    assert (store.header.mean_image == mean).all()
    assert store.job.fingerprint == job.fingerprint != make_job().fingerprint


def test_plain_h5py_reads_the_file_by_the_documentation_alone(sealed, job, records):
    with h5py.File(sealed, "r") as file:
        assert file.attrs["format"] == "shortcut-audit masks"
        assert (file.attrs["version"], file.attrs["complete"]) == (2, 1)
        assert json.loads(file.attrs["findings"]) == ["pneumothorax", "effusion"]
        row = int(file["offset"][7])
        assert file["sample_id"][7].decode() == job.pairs.sample_ids[7] == records[row].sample_id
        bits = np.unpackbits(file["mask"][row], axis=-1, count=WIDTH)
        assert (bits[0] == records[row].foreground).all()
        assert (bits[1] == records[row].known).all()
        heatmap = file["heatmap"][row] * file["scale"][row]
        assert heatmap == pytest.approx(records[row].heatmap, abs=float(file["scale"][row]) * 0.51)
        assert np.isnan(file["delta"][0])
        assert file["steps"][0] == -1
        for name in file:
            assert file[name].compression == "gzip"
            assert file[name].fletcher32 == (name not in ("mask", "heatmap"))


def test_the_head_of_the_file_says_what_it_is(sealed):
    first, second, third = sealed.read_bytes()[:USER_BLOCK].rstrip(b"\0").decode().splitlines()
    assert first == "shortcut-audit masks 2"
    assert second == f"bytes {sealed.stat().st_size}"
    assert len(third) == 64


def test_the_file_holds_ids_and_is_for_its_owner_only(sealed):
    assert sealed.stat().st_mode & 0o777 == 0o600


def test_a_truncated_store_says_so_whatever_is_left(sealed):
    whole = sealed.read_bytes()
    for length in [30, 40, 200, USER_BLOCK, *range(600, len(whole), len(whole) // 25), len(whole) - 1]:
        sealed.write_bytes(whole[:length])
        with pytest.raises(
            OutputError,
            match=r"masks.h5 is truncated: .* bytes are there; run 'audit explain' or 'masks import' again",
        ):
            MaskStore(sealed)


def test_any_flipped_bit_is_seen(sealed):
    whole = sealed.read_bytes()
    rng = random.Random(0)
    places = [*rng.sample(range(USER_BLOCK), 60), *rng.sample(range(len(whole)), 60)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        sealed.write_bytes(damaged)
        with pytest.raises(OutputError, match=r"run 'audit explain' or 'masks import' again"):
            MaskStore(sealed)


def test_a_changed_store_says_so(sealed):
    sealed.write_bytes(sealed.read_bytes() + b"more")
    with pytest.raises(OutputError, match=r"masks.h5 does not match its SHA-256: it was changed or damaged"):
        MaskStore(sealed)


@pytest.mark.parametrize("content", [b"", b"<html>" * 200, b"\x89HDF\r\n\x1a\n" + bytes(600)])
def test_another_file_by_that_name_is_no_store(sealed, content):
    sealed.write_bytes(content)
    with pytest.raises(OutputError, match=r"does not begin with 'shortcut-audit masks': it is no finished mask store"):
        MaskStore(sealed)


def test_a_store_of_a_later_format_is_not_guessed_at(sealed):
    sealed.write_bytes(sealed.read_bytes().replace(b"shortcut-audit masks 2\n", b"shortcut-audit masks 3\n", 1))
    with pytest.raises(OutputError, match=r"is of format version 3, this program reads 2"):
        MaskStore(sealed)


def test_a_store_that_is_not_there_says_so(tmp_path):
    with pytest.raises(OutputError, match=r"masks.h5 is not there; run 'audit explain' or 'masks import' again"):
        MaskStore(tmp_path / "masks.h5")


def test_a_store_that_is_not_finished_says_so(tmp_path):
    (tmp_path / "masks.work").mkdir()
    with pytest.raises(OutputError, match=r"masks.h5 is not finished; run 'audit explain' or 'masks import' again"):
        MaskStore(tmp_path / "masks.h5")


def test_a_folder_by_that_name_cannot_be_read(tmp_path):
    (tmp_path / "masks.h5").mkdir()
    with pytest.raises(OutputError, match=r"masks.h5 cannot be read \(Is a directory\)"):
        MaskStore(tmp_path / "masks.h5")


def test_damage_after_opening_is_seen_at_the_read(sealed):
    store = MaskStore(sealed)
    with h5py.File(sealed, "r") as file:
        chunk = file["heatmap"].id.get_chunk_info(0)
    with sealed.open("r+b") as stream:
        stream.seek(chunk.byte_offset + 20)
        stream.write(b"\xff\x00\xff\x00")
    with pytest.raises(
        OutputError, match=r"'heatmap' of pair 0 is damaged .*; run 'audit explain' or 'masks import' again"
    ):
        store[0]


def rewrite(path, change):
    """Change a store with h5py and stamp it anew, as somebody could who means harm."""
    with h5py.File(path, "r+") as file:
        change(file)
    write_stamp(path)


def replace(name, values, chunks=None):
    def change(file):
        del file[name]
        file.create_dataset(name, data=values, chunks=chunks or values.shape)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.attrs.__delitem__("manifest"), "attribute 'manifest' is missing"),
        (lambda f: f.__delitem__("scale"), "object 'scale' doesn't exist"),
        (lambda f: f.attrs.__setitem__("height", "tall"), "tall"),
        (lambda f: f.attrs.__setitem__("settings", "{"), "Expecting property name"),
        (
            lambda f: f.attrs.__setitem__("width", 14 + 8),
            r"'mask' is \(150, 2, 10, 2\) in chunks of .*, expected \(150,",
        ),
        (replace("score", np.zeros(9, dtype="f4")), r"'score' is \(9,\)"),
        (replace("score", np.zeros(150, dtype="f4"), (50,)), r"in chunks of \(50,\), expected \(150,\) in \(150,\)"),
        (replace("score", np.zeros(150)), "'score' is of type float64, expected f4"),
        (replace("sample_id", np.arange(100)), "'sample_id' is of type int64, expected S"),
        (replace("offset", np.arange(101)), "'offset' does not cut the pairs into samples"),
        (replace("finding", np.full(150, 2)), "'finding' points beyond the list of findings"),
        (lambda f: f.create_dataset("mean_image", data=np.zeros((1, 4, 4)), chunks=(1, 2, 4)), "more than one chunk"),
    ],
)
def test_a_whole_file_that_is_laid_out_otherwise_is_refused(sealed, change, message):
    rewrite(sealed, change)
    with pytest.raises(InputError, match=f"not laid out as 'shortcut-audit masks' 2: .*{message}"):
        MaskStore(sealed)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_of_a_data_loader_read_what_the_parent_reads(sealed, start):
    store = MaskStore(sealed)
    mine = [store[row] for row in (3, 140, 70)]
    loader = DataLoader(
        store, batch_size=None, sampler=[3, 140, 70], num_workers=2, multiprocessing_context=start, timeout=240
    )
    for theirs, own in zip(loader, mine, strict=True):
        assert theirs.sample_id == own.sample_id
        assert (theirs.heatmap == own.heatmap).all()
        assert (theirs.foreground == own.foreground).all()
        assert (theirs.known == own.known).all()
    assert (store[3].heatmap == mine[0].heatmap).all()


def test_a_store_is_pickled_without_its_open_file_and_reads_on_after_close(sealed):
    store = MaskStore(sealed)
    before = store[0]
    again = pickle.loads(pickle.dumps(store))
    assert not again._opened
    store.close()
    assert not store._opened
    assert (again[0].heatmap == before.heatmap).all()
    assert (store[0].heatmap == before.heatmap).all()


def test_quantising_keeps_the_sign_and_the_extremes_and_is_exact_for_zero():
    heatmap = np.array([[-2.0, 0.0, 1.0, 2.0, 0.001]], dtype=np.float32)
    steps, scale = quantise(heatmap)
    assert steps.tolist() == [[-127, 0, 64, 127, 0]]
    assert dequantise(steps, scale)[0, [0, 1, 3]] == pytest.approx([-2, 0, 2])
    nothing, no_scale = quantise(np.zeros((2, 2), dtype=np.float32))
    assert (no_scale, nothing.any()) == (0.0, False)
