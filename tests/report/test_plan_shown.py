"""A plan in the report: kept or departed from on the first screen, its limits among verdicts and checks."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from fake_audit import FINDING, TUBE, full_data
from pydantic import ValidationError
from read_page import Page

from shortcut_audit.audit.plans.limits import MetricLimit, judge_limits
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.machine import junit, markdown
from shortcut_audit.report.render import render_html
from shortcut_audit.report.sections import SECTIONS

PLAN = {"file": "plan.yaml", "sha256": "ef" * 32, "frozen": "2026-11-20T06:00:00Z", "intended_use": "Triage"}
DEVIATION = {"what": "evaluate.margin", "planned": "0.05", "asked": "0.1"}


def planned(at_most: float = 0.1, **fields) -> AuditResult:
    """The made-up audit by a plan with one limit, which the classifier misses at 0.1 and holds at 0.9."""
    before = AuditResult.model_validate(full_data())
    limit = MetricLimit(metric="interventional_gap", at_most=at_most, model="classifier")
    (judged,) = judge_limits([limit], before.metrics, [("classifier", FINDING, TUBE)], source="plan")
    data = {
        "verdicts": (*before.verdicts, judged.verdict), "answers": (*before.answers, judged.answer),
        "limits": (*before.limits, limit.recorded("plan")),
    }  # fmt: skip
    return AuditResult.model_validate({**full_data(), **data, "plan": {**PLAN, **fields}})


def show(name: str, result: AuditResult) -> str:
    return re.sub(r"\s+", " ", Page(SECTIONS.get(name).body(result)).text)


def test_a_plan_that_was_kept_is_named_beside_the_verdict():
    assert "Made by the plan plan.yaml: nothing was changed." in show("verdict", planned())
    assert "Made by the plan" not in show("verdict", AuditResult.model_validate(full_data()))


def test_a_deviation_stands_beside_the_verdict_with_its_reason_and_in_its_own_table():
    result = planned(deviations=[DEVIATION], reason="agreed with the sponsor")

    assert "plan.yaml: 1 deviation (reason given: agreed with the sponsor)." in show("verdict", result)
    told = show("plan", result)
    assert "Reason given: agreed with the sponsor" in told
    assert "evaluate.margin0.050.1" in told.replace(" ", "")


def test_a_deviation_without_a_reason_is_no_audit_result():
    with pytest.raises(ValidationError, match="an audit that deviates from its plan needs a reason"):
        planned(deviations=[DEVIATION])


def test_the_section_shows_plan_intended_use_and_each_limit_with_its_status():
    told = show("plan", planned())

    assert "ef" * 32 in told
    assert "Intended use Triage" in told.replace("useTriage", "use Triage")
    assert "None: what was asked and what was tested is as the plan says." in told
    assert "interventional_gap at most 0.1" in told
    assert "✖ FAIL" in told


@pytest.mark.parametrize(
    ("held", "told"), [(True, "held by hash: a changed one is a deviation"), (False, "not held by this plan")]
)
def test_the_section_says_whether_labels_and_attributes_are_held(held, told):
    assert told in show("plan", planned(holds_values=held))


def test_a_limit_is_a_card_with_its_sentences_and_without_the_two_answers():
    page = Page(SECTIONS.get("verdict").body(planned()))
    cards = re.sub(r"\s+", " ", page.text).split("A limit of the plan is missed.")

    assert len(cards) == 2
    assert "Rule that decided: limit:interventional_gap" in cards[1]
    assert "BEYOND" not in cards[1].split("Rule that decided")[0]
    assert "5 verdicts: 2 FAIL" in cards[0]


def test_a_limit_is_a_check_whose_origin_is_the_plan():
    rows = Page(SECTIONS.get("checks").body(planned())).rows[""]

    (row,) = [row for row in rows if row[0].startswith("limit")]
    assert row[2] == "MISSED"
    assert row[4] == "0.100plan"


def test_a_limit_that_is_held_does_not_send_a_failed_model_down_the_list_of_checks():
    rows = Page(SECTIONS.get("checks").body(planned(at_most=0.9))).rows[""][1:]

    assert rows[0][1].startswith("classifier")
    assert "HELD" in [row[2] for row in rows]


def test_markdown_and_junit_name_the_limit():
    text = markdown(planned()).replace("\\", "")
    names = [case.get("name") for case in ET.fromstring(junit(planned())).iter("testcase")]

    assert "| limit of the plan | interventional_gap at most 0.1 |" in text
    assert f"## classifier, {FINDING}, chest tube, interventional_gap at most 0.1" in text
    assert names[-1] == f"classifier, {FINDING}, {TUBE}, interventional_gap at most 0.1"


def test_the_page_with_a_plan_has_every_id_once():
    page = Page(render_html(planned(deviations=[DEVIATION], reason="why"), source_sha256="0" * 64))

    assert len(set(page.ids)) == len(page.ids)
    assert "plan" in page.ids
