"""Errors of labels leave pixels alone and say nothing that is not so."""

import numpy as np
import pytest

from shortcut_audit.data.rendered import with_errors

ROWS = [
    {
        "label.ill": str(n % 2),
        "severity.ill": "0.1",
        "attribute.tube": "1",
        "counterpart.tube": "a.png",
        "mask.ill": "m",
    }
    for n in range(1000)
]


def test_without_errors_rows_are_as_they_were():
    assert with_errors(ROWS, labels=0.0, attributes=0.0, seed=0) == ROWS


def test_labels_and_attributes_are_wrong_at_their_rates_apart_and_what_hangs_on_them_is_blank():
    wrong = with_errors(ROWS, labels=0.2, attributes=0.1, seed=0)

    labels = np.array([a["label.ill"] != b["label.ill"] for a, b in zip(ROWS, wrong, strict=True)])
    tubes = np.array([a["attribute.tube"] != b["attribute.tube"] for a, b in zip(ROWS, wrong, strict=True)])
    assert labels.mean() == pytest.approx(0.2, abs=0.04)
    assert tubes.mean() == pytest.approx(0.1, abs=0.03)
    assert np.corrcoef(labels, tubes)[0, 1] == pytest.approx(0, abs=0.1)
    assert [row["severity.ill"] is None for row in wrong] == labels.tolist()
    assert [row["counterpart.tube"] is None for row in wrong] == tubes.tolist()
    assert all(row["mask.ill"] == "m" for row in wrong)
    assert (
        wrong
        == with_errors(ROWS, labels=0.2, attributes=0.1, seed=0)
        != with_errors(ROWS, labels=0.2, attributes=0.1, seed=1)
    )
