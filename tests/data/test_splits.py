"""Cutting by patient."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shortcut_audit.data.splits import complete, cut_by_patient, hash_fraction, hash_fractions, one_person_perhaps

NAMES = st.lists(st.text(max_size=8), min_size=1, max_size=30)


def test_a_fraction_is_fixed_by_id_and_salt_for_good():
    assert hash_fraction("patient00001", "a") == 0.7707123497761117
    assert hash_fraction("patient00001", "b") != hash_fraction("patient00001", "a")


@given(NAMES)
def test_fractions_of_a_column_are_those_of_its_cells(names):
    fractions = hash_fractions(pl.Series("p", names), "salt").to_list()
    assert fractions == [hash_fraction(name, "salt") for name in names]
    assert all(0 <= fraction < 1 for fraction in fractions)


@given(NAMES, st.randoms())
def test_a_patient_has_one_split_whatever_the_order_and_the_others(names, random):
    alone = {name: cut_by_patient(pl.Series("p", [name]))[0] for name in names}
    shuffled = random.sample(names, len(names))
    assert cut_by_patient(pl.Series("p", shuffled)).to_list() == [alone[name] for name in shuffled]


def test_the_cut_is_60_20_20():
    cut = cut_by_patient(pl.Series("p", [f"p{number}" for number in range(20_000)]))
    assert cut.name == "split"
    shares = dict(cut.value_counts(normalize=True).iter_rows())
    assert abs(shares["train"] - 0.6) < 0.015
    assert abs(shares["val"] - 0.2) < 0.015
    assert abs(shares["test"] - 0.2) < 0.015


def split_of(*splits, owners):
    ids = [f"i{number}" for number in range(len(splits))]
    frame = pl.DataFrame(
        {"sample_id": ids, "patient_id": owners, "split": splits}, schema_overrides={"patient_id": pl.String}
    )
    made, notes = complete(frame, "salt")
    assert made["patient_id"].to_list() == owners
    return made["split"].to_list(), notes


def test_three_published_splits_stay():
    assert split_of("train", "val", "test", owners=[None] * 3) == (["train", "val", "test"], [])


def test_without_a_test_split_all_patients_are_cut_and_an_unknown_one_is_its_image():
    made, notes = split_of(*["train"] * 200, owners=["p"] * 100 + [None] * 100)
    assert (len(set(made[:100])), set(made[100:])) == (1, {"train", "val", "test"})
    assert notes[0].startswith("no split was given")


def test_without_a_val_split_some_of_train_are_held_out():
    made, notes = split_of(*["train"] * 300, "test", owners=[None] * 301)
    assert 0 < made.count("val") < 40
    assert made[300] == "test"
    assert notes == ["val is 5% of the training patients by a hash of their id"]


def test_spellings_of_one_id_in_two_splits_are_found():
    train = ["p1", "P02", "00012", "a b", "x10", "same", "q1", "q01", "k100", "1 12", "3 02", " s  7 x"]
    test = ["P01", "p2", "12", "AB", "x1", "same", "other", "k1", "11 2", "3 2", "s7x "]
    splits = ["train"] * len(train) + ["test"] * len(test)
    assert one_person_perhaps(pl.Series(train + test), pl.Series(splits)) == [
        [" s  7 x", "s7x "], ["00012", "12"], ["3 02", "3 2"], ["AB", "a b"], ["P01", "p1"], ["P02", "p2"],
    ]  # fmt: skip


@given(NAMES)
def test_one_split_has_nobody_in_two(names):
    assert one_person_perhaps(pl.Series(names), pl.Series(["train"] * len(names))) == []
