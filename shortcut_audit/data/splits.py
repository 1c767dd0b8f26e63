"""Cuts a data set by patient. A patient's place depends on the id alone: not on order, size or machine."""

from __future__ import annotations

import hashlib

import polars as pl

CUT_NOTE = "no split was given: patients are cut 60/20/20 into train, val and test by a hash of their id"
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
