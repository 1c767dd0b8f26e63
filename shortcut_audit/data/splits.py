"""Cuts a data set by patient. A patient's place depends on the id alone: not on order, size or machine."""

from __future__ import annotations

import hashlib

import polars as pl

_CUT = "patients are cut 60/20/20 into train, val and test by a hash of their id"
CUT_NOTE = f"no split was given: {_CUT}"
_SALT = "shortcut-audit/split"


def hash_fraction(patient_id: str, salt: str = _SALT) -> float:
    """Return a number in [0, 1) that is fixed by the id and the salt (first 52 bits of a SHA-256)."""
    digest = hashlib.sha256(f"{salt}\0{patient_id}".encode()).hexdigest()
    return int(digest[:13], 16) / 2**52


def hash_fractions(patients: pl.Series, salt: str = _SALT) -> pl.Series:
    """Return :func:`hash_fraction` of every row, in order."""
    unique = patients.unique()
    fractions = [hash_fraction(patient, salt) for patient in unique.to_list()]
    return patients.replace_strict(unique, pl.Series(fractions, dtype=pl.Float64), return_dtype=pl.Float64)


def cut_by_patient(patients: pl.Series, salt: str = _SALT) -> pl.Series:
    """Return train (60 %), val (20 %) or test (20 %) for every row; a patient is never in two of them."""
    fraction = pl.col("fraction")
    early = pl.when(fraction < 0.6).then(pl.lit("train")).when(fraction < 0.8).then(pl.lit("val"))
    cut = early.otherwise(pl.lit("test")).alias("split")
    return pl.DataFrame({"fraction": hash_fractions(patients, salt)}).select(cut)["split"]


def hold_out(frame: pl.DataFrame, salt: str, share: float = 0.05) -> tuple[pl.DataFrame, str]:
    """Return the table with a share of its training patients moved to val, and a note; for sets without a val."""
    chosen = (frame["split"] == "train") & (hash_fractions(frame["patient_id"], salt) < share)
    return (
        frame.with_columns(frame["split"].set(chosen, "val")),
        f"val is {share:.0%} of the training patients by a hash of their id",
    )


def complete(frame: pl.DataFrame, salt: str, *, cut_salt: str = _SALT) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with train, val and test, and a note on what was not published.

    Without a test split, patients are cut by a hash of their id; without val alone, some are held out of train.

    Args:
        frame: with ``split``, ``sample_id`` and, if known, ``patient_id``; a blank patient is its image's own.
        salt: names the data set, for the images held out.
        cut_salt: the same for the cut; by default a patient has one split in whatever data set.
    """
    there = set(frame["split"].to_list())
    patients = frame["patient_id" if "patient_id" in frame.columns else "sample_id"].fill_null(frame["sample_id"])
    owned = frame.with_columns(patients.alias("patient_id"))
    if "test" not in there:
        note = CUT_NOTE if there == {"train"} else f"no test split is here: {_CUT}"
        return frame.with_columns(cut_by_patient(patients, cut_salt)), [note]
    if "val" in there:
        return frame, []
    held, note = hold_out(owned, salt)
    return frame.with_columns(held["split"]), [note]


def one_person_perhaps(patients: pl.Series, splits: pl.Series) -> list[list[str]]:
    """Return patients of different splits whose ids differ only in case, white space or leading zeros of a number.

    Ids are taken byte for byte everywhere else, so that one person of two spellings may be on both sides of a cut.

    Args:
        patients: (N,) ids.
        splits: (N,) split of each.

    Returns:
        Groups of spellings, both in alphabetical order.
    """
    seen = pl.DataFrame({"id": patients, "split": splits}).unique()
    folded = pl.col("id").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(" ")
    folded = folded.str.replace_all(r"(^|\D)0+(\d)", "${1}${2}")
    # A space between two numbers is what keeps them apart.
    for around in (r"([^\d ]) ", r" ([^\d ])"):
        folded = folded.str.replace_all(around, "${1}")
    groups = seen.group_by(folded.alias("person")).agg(pl.col("id").unique().sort(), pl.col("split").n_unique())
    several = groups.filter(pl.col("id").list.len() > 1, pl.col("split") > 1)
    return sorted(several["id"].to_list())
