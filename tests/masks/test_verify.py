"""Verifying a store: what is damaged is named."""

import h5py
import numpy as np
import polars as pl
import pytest

from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError, OutputError
from shortcut_audit.masks.stamp import write_stamp
from shortcut_audit.masks.verify import verify_store


def manifest_of(ids):
    frame = pl.DataFrame({"sample_id": ids, "image": [f"{n}.png" for n in range(len(ids))], "split": "train"})
    return Manifest.from_frame(frame, card=DataCard(name="films", licence="none"), root=".", where="films")


def hit(path, name, row):
    """Overwrite some bytes in the middle of a pair's chunk."""
    with h5py.File(path, "r") as file:
        chunk = file[name].id.get_chunk_info(row)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset + chunk.size // 2)
        stream.write(b"\xff\x00\xff\x00")


def test_a_whole_store_is_whole(sealed):
    found = verify_store(sealed)
    assert (found.pairs, found.shards, found.bytes, found.of_manifest) == (150, 3, sealed.stat().st_size, None)


@pytest.mark.parametrize("name", ["mask", "heatmap"])
def test_damaged_pairs_are_named_by_shard_number_and_sample(sealed, records, name):
    for row in (3, 130):
        hit(sealed, name, row)
    with pytest.raises(OutputError) as caught:
        verify_store(sealed)
    text = str(caught.value)
    assert "masks.h5 does not match its SHA-256" in text
    assert f"damaged: shard 0, pair 3 (sample '{records[3].sample_id}')" in text
    assert f"shard 2, pair 130 (sample '{records[130].sample_id}')" in text
    assert caught.value.exit_code == 74


def test_many_damaged_pairs_are_counted(sealed):
    for row in range(20, 40):
        hit(sealed, "heatmap", row)
    with pytest.raises(OutputError, match=r"pair 24 \(sample '.*'\) and 15 more"):
        verify_store(sealed)


def test_chunks_exchanged_and_stamped_anew_are_seen_by_the_sum_of_their_shard(sealed):
    with h5py.File(sealed, "r+") as file:
        mask = file["mask"]
        (_, first), (_, second) = (mask.id.read_direct_chunk((row, 0, 0, 0)) for row in (70, 71))
        mask.id.write_direct_chunk((70, 0, 0, 0), second)
        mask.id.write_direct_chunk((71, 0, 0, 0), first)
    write_stamp(sealed)
    with pytest.raises(
        OutputError,
        match=r"masks.h5: damaged: shard 1, pairs 64 to 127; run 'audit explain' or",
    ):
        verify_store(sealed)


def test_damage_outside_of_the_pairs_is_told_apart(sealed):
    with sealed.open("r+b") as stream:
        stream.seek(60)
        stream.write(b"0" * 64)
    with pytest.raises(OutputError, match="no pair is damaged: the damage lies in the stamp, the head or a column"):
        verify_store(sealed)


def test_a_store_whose_head_is_gone_is_not_trusted_at_all(sealed):
    with sealed.open("r+b") as stream:
        stream.seek(520)
        stream.write(bytes(80))
    with pytest.raises(OutputError, match="its head or index is damaged, so no pair of it can be trusted"):
        verify_store(sealed)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda raw: raw[:-9], "is truncated"),
        (lambda raw: b"<html>" + raw, "does not begin with 'shortcut-audit masks'"),
    ],
)
def test_a_truncated_file_and_another_file_are_one_message(sealed, spoil, message):
    sealed.write_bytes(spoil(sealed.read_bytes()))
    with pytest.raises(OutputError, match=message):
        verify_store(sealed)


def test_a_store_is_held_against_a_manifest(tmp_path, make_job, fill, records):
    ids = list(make_job().pairs.sample_ids)
    manifest = manifest_of(ids)
    path = fill(tmp_path, make_job(manifest=manifest.fingerprint), records)
    assert verify_store(path, manifest).of_manifest is True
    with pytest.raises(
        InputError, match=r"another manifest than that of 'films' \(1 of its samples are not in it: 'film 99 é'"
    ):
        verify_store(path, manifest_of(ids[:-1]))
    with pytest.raises(InputError, match="all its samples are in it"):
        verify_store(path, manifest_of([*ids, "more"]))


def test_counts_in_the_file_are_those_of_the_masks(sealed, records):
    with h5py.File(sealed, "r") as file:
        assert file["foreground_px"][:].tolist() == [int(np.sum(record.foreground)) for record in records]
        assert file["known_px"][:].tolist() == [int(np.sum(record.known)) for record in records]
