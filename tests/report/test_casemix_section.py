"""What the part on case mix says."""

import re

import numpy as np
import polars as pl
import pytest
from fake_audit import empty_result
from read_page import Page

from shortcut_audit import audit_scores
from shortcut_audit.report.numbers import number
from shortcut_audit.report.sections import SECTIONS
from shortcut_audit.report.vocabulary import METRICS


def scores(*, columns=True, serial=False, count=900):
    """A model that reads tubes, which go with size; with two images a patient, of one label, if ``serial``."""
    rng = np.random.default_rng(0)
    label = np.arange(count) // 2 % 2
    size = rng.normal(size=count)
    tube = rng.random(count) < 0.4 + 0.2 * (size > 0)
    frame = pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(count)],
            "patient_id": [f"p{i // 2 if serial else i}" for i in range(count)],
            "label": label,
            "tube": tube.astype(int),
            "score": 2 * label + size + tube + rng.normal(size=count),
        }
    )
    if not columns:
        return frame
    return frame.with_columns(pl.Series("severity.finding", size), pl.Series("covariate.age", rng.normal(size=count)))


def page(frame, **options):
    return Page(SECTIONS.get("casemix").body(audit_scores(frame, spurious="tube", **options)))


def words(found):
    return re.sub(r"\s+", " ", found.text)


def cells(row):
    return [re.sub(r"\s+", " ", cell) for cell in row]


def test_the_standardised_numbers_stand_beside_the_raw():
    result = audit_scores(scores(), spurious="tube")
    tables = [cells(row) for row in Page(SECTIONS.get("casemix").body(result)).rows[""]]

    for name in ("auroc_gap", "robust_auroc"):
        (row,) = [row for row in tables if row[0] == METRICS[name].label]
        for cell, metric in zip(row[1:], (name, f"{name}_standardised"), strict=True):
            assert cell.startswith(number(result.find(metric)[0].value))
            assert "95 % CI" in cell


def test_columns_stand_before_and_after_with_what_the_cells_are_worth():
    tables = [cells(row) for row in page(scores()).rows[""]]

    sides = [row[1] for row in tables if row[0].startswith(("severity", "age"))]
    assert sides == ["positives", "positives", "negatives"]
    worth = [row for row in tables if row[0].startswith(("positives with", "negatives with"))]
    assert len(worth) == 4
    assert all(int(row[1]) > float(row[2].split()[0]) > 30 for row in worth)


def test_the_sentence_says_how_unlike_patients_would_have_to_be():
    text = words(page(scores()))

    assert re.search(
        r"To explain the gap of −?0\.\d{3} without use of tube, positives with it would have to be \d\.\d{3} SD "
        r"(more|less) severe and negatives with it \d\.\d{3} SD (more|less) suspicious than those without it "
        r"\(SD of the score\); measured severity differs by \d\.\d{3} SD \(95 % CI", text,
    )  # fmt: skip


def test_without_columns_it_says_why_nothing_was_standardised():
    text = words(page(scores(columns=False)))

    assert "Not standardised: there is no column 'severity.finding' and no 'covariate.*'." in text
    assert "severity was not measured" in text
    assert "Case-mix columns" not in text


@pytest.mark.parametrize(("serial", "said"), [
    (True, r"\d+ patients have images as positives in both states of tube. The share of such pairs in which"),
    (False, r"Serial images of one patient: not computed \(no patient has images with and without tube"),
])  # fmt: skip
def test_serial_images_are_told_of_or_missed(serial, said):
    assert re.search(said, words(page(scores(serial=serial))))


def test_nothing_forbidden_is_said():
    text = words(page(scores())).lower()

    assert not [word for word in ("proves", "unbiased", "depends on", "relies on", "causes") if word in text]


def test_an_audit_without_a_gap_says_so():
    assert "No gap was computed" in words(Page(SECTIONS.get("casemix").body(empty_result())))
