"""What the report says of thresholds, decisions and patients."""

from __future__ import annotations

import re

from fake_audit import full_data, full_result
from read_page import Page

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.sections import SECTIONS


def show(name: str, **fields) -> Page:
    result = AuditResult.model_validate({**full_data(), **fields}) if fields else full_result()
    return Page(SECTIONS.get(name).body(result))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def all_rows(page: Page) -> list[list[str]]:
    return [[squeezed(cell) for cell in row] for rows in page.rows.values() for row in rows]


def test_every_threshold_stands_with_its_rule_and_the_images_it_was_chosen_on():
    row = next(row for row in all_rows(show("operating")) if row[0].startswith("classifier"))

    assert row[1:] == [
        "0.412",
        "the largest score with a sensitivity of at least 0.9",
        "300 validation images of 281 patients, 70 positives",
    ]


def test_a_model_without_a_threshold_says_why_instead_of_a_number():
    rows = [row for row in all_rows(show("operating")) if row[0].startswith("segmenter, tube-free")]

    assert rows[0][1] == "not computed (there are no validation rows)"
    assert rows[0][3] == "no image"
    assert all("not computed (there is no threshold" in cell for row in rows[1:] for cell in row[2:])


def test_the_other_rules_are_told_in_words():
    points = [{**point, "rule": rule} for point, rule in zip(
        full_data()["operating_points"], ("youden", "specificity=0.95", "0.5", "youden"), strict=True
    )]  # fmt: skip
    rules = [row[2] for row in all_rows(show("operating", operating_points=points)) if len(row) == 4][1:5]

    assert rules[0] == "the score with the largest sensitivity + specificity (Youden)"
    assert rules[1:3] == ["the smallest score with a specificity of at least 0.95", "given as a number"]


def test_decisions_are_shown_for_every_group_with_interval_and_counts():
    rows = [row for row in all_rows(show("operating")) if row[0].startswith("classifier") and len(row) == 5]

    assert [row[1] for row in rows] == ["all images", "attribute present", "attribute absent"]
    assert rows[2][2].startswith("0.675 95 % CI 0.651 to 0.699")
    assert rows[2][2].endswith("n 1,951 · 1,712 patients")


def test_the_clinical_view_says_whom_the_model_misses_and_whom_it_alarms():
    said = squeezed(show("patients").text)

    assert (
        "classifier: missed with pneumothorax and without chest tube: 4.310 (95 % CI 2.410 to 6.210); "
        "flagged in vain without pneumothorax and with chest tube: 46.4 (95 % CI 44.5 to 48.3)."
    ) in said
    assert "segmenter, tube-free: missed with pneumothorax and without chest tube: not computed" in said


def test_the_clinical_view_says_which_shares_were_named_and_which_are_the_test_sets():
    rows = [row for row in all_rows(show("patients")) if row[0].startswith("classifier") and len(row) == 4]

    assert rows[0][1:] == ["0.050 (named)", "0.735 (as in the test set)", "nobody to count in the test set"]


def without_thresholds():
    """The made-up audit as of a table without validation rows."""
    data, why = full_data(), "there are no validation rows"
    flagged = {one for name in ("operating", "patients") for one in names_in(name)}
    points = [{**point, "threshold": None, "reason": why, "n": 0} for point in data["operating_points"]]
    metrics = [
        {**one, "value": None, "low": None, "high": None, "reason": f"there is no threshold: {why}"}
        if one["name"] in flagged else one
        for one in data["metrics"]
    ]  # fmt: skip
    return {"operating_points": points, "metrics": metrics}


def names_in(section: str) -> set[str]:
    shared = {"sensitivity", "specificity"}
    return shared | {"operating": {"ppv", "sensitivity_change", "false_alarm_change"},
                     "patients": {"missed_per_1000", "false_alarms_per_1000"}}[section]  # fmt: skip


def test_without_any_threshold_the_reason_is_said_once_and_not_in_every_cell():
    operating, patients = (show(name, **without_thresholds()) for name in ("operating", "patients"))

    assert "needs no validation images.Without a threshold no image is flagged" in squeezed(operating.text)
    assert {len(row) for row in all_rows(operating)} == {4}
    assert squeezed(patients.text).strip() == (
        "Nobody can say whom the decisions miss or alarm in vain: there is no threshold: there are no validation rows."
    )


def test_audits_of_before_there_were_thresholds_can_still_be_shown():
    metrics = [metric for metric in full_data()["metrics"] if metric["name"].startswith("auroc")]
    for name in ("operating", "patients"):
        page = show(name, metrics=metrics, operating_points=[], populations=[])
        assert "in this audit" in page.text
