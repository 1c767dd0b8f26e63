"""The page of two versions: what was judged, what changed, on which images; and nothing a name can do there."""

from __future__ import annotations

import hashlib

import pytest
from fake_audit import full_data
from read_page import Page

from shortcut_audit.audit.versions.update_result import Difference, UpdateResult, write_update
from shortcut_audit.report.update import update_markdown, update_page, write_update_report

ABOUT = {"model": "new net", "other": "old net", "finding": "pneumothorax", "attribute": "chest_tube"}


def reading(value):
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def difference(name, group, value, **changes):
    known = value is not None
    return {**ABOUT, "name": name, "group": group, "value": value, "low": value - 0.03 if known else None,
            "high": value + 0.03 if known else None, "n": 900, "n_pos": 300, "n_neg": 600, "n_patients": 850,
            "method": "MOVER", "a": reading(0.8), "b": reading(0.8 + (value or 0)), **changes}  # fmt: skip


def result(**changes):
    judged = {
        **ABOUT,
        "group": "robust",
        "name": "robust_auroc",
        "margin": 0.02,
        "status": "fail",
        "value": 0.08,
        "low": 0.05,
        "high": 0.11,
        "sentence": "B is worse than A by more than the margin: loss 0.080.",
    }
    a = {"status": "pass", "gap": "within", "reliance": "excluded", "rule": "table:within:excluded"}
    b = {"status": "concern", "gap": "beyond", "reliance": "open", "rule": "table:beyond:open"}
    undefined = "there is no column 'score_with.chest_tube'"
    data = {
        "status": "fail", "title": "new against old",
        "a": {"name": "old/audit.json", "title": "t", "status": "pass"},
        "b": {"name": "new.csv", "title": None, "status": None},
        "provenance": full_data()["provenance"],
        "films": [{"model": "new net", "other": "old net", "finding": "pneumothorax", "images": 900, "patients": 850,
                   "only_a": 7, "only_b": 0}],
        "not_worse": [judged], "verdicts": [{**ABOUT, "a": a, "b": b}], "notes": ["A names no patients."],
        "differences": [
            difference("robust_auroc", "robust", -0.08), difference("score_shift", "label:0", 0.05),
            difference("interventional_gap", "all", None, reason=undefined,
                       a={"value": None, "low": None, "high": None, "reason": undefined}),
        ],
        **changes,
    }  # fmt: skip
    return UpdateResult.model_validate(data)


@pytest.fixture
def page():
    return Page(update_page(result(), source_sha256="0" * 64))


def test_the_page_says_what_was_judged_first_and_what_it_was_made_from(page):
    order = [
        "new against old", "✖ FAIL", "B is worse than A by more than the margin", "✔ PASS by table:within:excluded",
        "A names no patients.", "−0.080 (95 % CI −0.110 to −0.050)", "Only in A", "SHA-256",
    ]  # fmt: skip
    places = [page.text.index(words) for words in order]

    assert places == sorted(places)
    assert "Made from compare.json" in " ".join(page.text.split())


def test_the_page_loads_nothing_and_every_chart_has_its_numbers_in_a_table(page):
    assert page.all("section")
    assert "default-src 'none'" in str(page.all("meta"))
    assert len(page.all("svg")) == 3
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in page.ids}


def test_what_is_not_defined_has_its_reason_on_the_page_and_in_the_markdown(page):
    assert "not computed (there is no column 'score_with.chest_tube')" in page.text
    assert r"not computed (there is no column 'score\_with.chest\_tube')" in update_markdown(result())


def test_without_a_margin_the_page_says_that_nothing_was_judged():
    unjudged = result(status=None, not_worse=[])

    for text in (Page(update_page(unjudged, source_sha256="0" * 64)).text, update_markdown(unjudged)):
        assert "No margin was given (--not-worse), so whether B may take the place of A was not judged." in text


def test_the_markdown_has_every_difference_and_the_films():
    text = update_markdown(result())

    assert "| new net (B), old net (A), pneumothorax, chest tube | Robust AUROC | 0.800 (0.780 to 0.820)" in text
    assert "Score shift, images without the finding" in text
    assert "| new net (B), old net (A), pneumothorax | 900 | 850 | 7 | 0 |" in text
    assert "- A names no patients." in text


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7 * 7 }}"])
def test_a_name_stays_a_name(payload):
    plain = Page(update_page(result(), source_sha256="0" * 64))
    films = [{**result().films[0].model_dump(), "model": payload}]
    hostile = Page(update_page(result(title=payload, notes=[payload], films=films), source_sha256="0" * 64))

    assert hostile.skeleton == plain.skeleton
    assert payload in hostile.text


def test_the_reports_are_written_beside_the_comparison_with_its_hash(tmp_path):
    path = tmp_path / "compare.json"
    write_update(result(), path)

    written = write_update_report(result(), path)

    assert written == [tmp_path / "compare.md", tmp_path / "compare.html"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (tmp_path / "compare.html").read_text()


def test_a_difference_has_a_value_or_a_reason():
    with pytest.raises(ValueError, match="difference 'auroc' must have either a value or a reason"):
        Difference.model_validate(difference("auroc", "all", None))
