"""A policy rules on verdicts and never changes them: what is refused, what is let through and until when."""

from datetime import date
from xml.etree import ElementTree as ET

import pytest
from fake_audit import FINDING, TUBE, full_result
from shortcut_audit_cli.verdict import gate_lines

from shortcut_audit.audit.plans.policy import apply_policy, read_policy
from shortcut_audit.errors import UsageError
from shortcut_audit.report.machine import junit_of_gate

TODAY = date(2026, 11, 21)
CHEAT, PSEUDO, DRAWN, FREE = "classifier", "segmenter, pseudo-masks", "segmenter, drawn masks", "segmenter, tube-free"
"""FAIL, CONCERN, INSUFFICIENT and PASS in the made-up audit."""


@pytest.fixture
def gate(tmp_path):
    def rule(text, today=TODAY):
        path = tmp_path / "policy.yaml"
        path.write_text("policy: 1\n" + text)
        return apply_policy(read_policy(path), full_result(), path=path, today=today)

    return rule


def ruled(gate):
    return {one.verdict.limit or one.verdict.model: one.ruled for one in gate.rulings}


@pytest.mark.parametrize(
    ("fail_on", "refused"),
    [("fail", {CHEAT}), ("concern", {CHEAT, PSEUDO}), ("insufficient", {CHEAT, PSEUDO, DRAWN})],
)
def test_the_asked_status_and_worse_are_refused(gate, fail_on, refused):
    found = gate(f"fail_on: {fail_on}\n")

    assert {name for name, how in ruled(found).items() if how == "refused"} == refused
    assert found.code == 1


def test_what_a_policy_refuses_must_be_said(gate):
    with pytest.raises(UsageError, match="there is no key 'fail_on', which is needed"):
        gate("")


@pytest.mark.parametrize(
    "text",
    ["fail_on: fail\n", "fail_on: insufficient\nallow:\n  - {attribute: TUBE, status: insufficient, reason: grows}\n"],
)
def test_insufficient_that_is_let_through_is_inconclusive_and_skipped_never_passed(gate, text):
    found = gate(text.replace("TUBE", TUBE))
    (unknown,) = [one for one in found.rulings if one.inconclusive]
    suite = ET.fromstring(junit_of_gate(full_result(), found)).find("testsuite")
    (skipped,) = [case for case in suite.iter("testcase") if case.find("skipped") is not None]

    assert unknown.verdict.model == DRAWN
    assert (suite.get("skipped"), skipped.get("name").startswith(DRAWN)) == ("1", True)
    assert f"{unknown.ruled.capitalize()}: {unknown.why}. INSUFFICIENT by " in skipped[0].get("message")
    assert any(f"    {unknown.ruled}: INSUFFICIENT {DRAWN}" in line for line in gate_lines(found))
    assert "; 1 let through INSUFFICIENT, which is not a pass; exit code" in gate_lines(found)[0]


ALLOW = "fail_on: insufficient\nallow:\n  - {model: classifier, status: fail, reason: known}\n"
ALLOW += "  - {model: 'segmenter, pseudo-masks', reason: ticket 12, until: 2027-01-31}\n"


def test_what_is_allowed_does_not_count_and_insufficient_alone_is_3(gate):
    found = gate(ALLOW)

    assert ruled(found) == {CHEAT: "allowed", PSEUDO: "allowed", DRAWN: "refused", FREE: "accepted"}
    assert found.code == 3
    assert {one.why for one in found.rulings if one.ruled == "allowed"} == {
        "without an end, known", "until 2027-01-31, ticket 12"
    }  # fmt: skip


def test_nothing_refused_is_0(gate):
    found = gate(ALLOW + "  - {model: 'segmenter, drawn masks', status: insufficient, reason: grows}\n")

    assert (found.code, found.notes) == (0, ())


@pytest.mark.parametrize(("today", "how"), [(date(2027, 1, 31), "allowed"), (date(2027, 2, 1), "refused")])
def test_an_allowance_holds_to_the_end_of_its_last_day(gate, today, how):
    found = gate(ALLOW, today)

    assert ruled(found)[PSEUDO] == how
    assert any("ended on 2027-01-31" in note for note in found.notes) == (how == "refused")


def test_an_allowance_does_not_let_something_worse_through(gate):
    assert ruled(gate(f"fail_on: fail\nallow:\n  - {{attribute: {TUBE}, reason: known}}\n"))[CHEAT] == "refused"


def test_an_allowance_that_nothing_needs_is_noted(gate):
    assert gate("fail_on: fail\nallow:\n  - {attribute: chest_tub, reason: x}\n").notes == (
        "the allowance of chest_tub: CONCERN was not needed; take it out, or mend its names",
    )


def test_limits_of_the_policy_are_judged_on_the_numbers_of_the_audit_which_stays_as_it_is(gate):
    before = full_result().model_dump_json()
    found = gate("fail_on: fail\nlimits:\n  - {metric: interventional_gap, at_most: 0.1, model: classifier}\n")

    assert ruled(found)["interventional_gap at most 0.1"] == "refused"
    assert found.rulings[-1].verdict.sentences[0] == "A limit of the policy is missed."
    assert full_result().model_dump_json() == before


def test_a_limit_is_let_through_by_its_metric_only(gate):
    limits = "fail_on: fail\nlimits:\n  - {metric: interventional_gap, at_most: 0.1, model: classifier}\nallow:\n"
    by_model = gate(limits + "  - {model: classifier, status: fail, reason: x}\n")
    by_metric = gate(limits + "  - {metric: interventional_gap, status: fail, reason: x}\n")

    assert ruled(by_model) | {PSEUDO: "", DRAWN: "", FREE: ""} == {
        CHEAT: "allowed", "interventional_gap at most 0.1": "refused", PSEUDO: "", DRAWN: "", FREE: ""
    }  # fmt: skip
    assert (ruled(by_metric)[CHEAT], ruled(by_metric)["interventional_gap at most 0.1"]) == ("refused", "allowed")


def test_an_allowance_of_a_metric_may_be_of_one_of_its_groups(gate):
    limits = "fail_on: fail\nlimits:\n"
    for group in ("pair:0:0", "pair:1:1"):
        limits += f'  - {{metric: auroc_pair, group: "{group}", at_least: 0.99999, model: classifier}}\n'
    allow = "allow:\n  - {metric: auroc_pair, group: 'GROUP', status: fail, reason: x}\n"
    found = gate(limits + allow.replace("GROUP", "pair:0:0"))

    own = {one.verdict.group: one.ruled for one in found.rulings if one.verdict.limit}
    assert own == {"pair:0:0": "allowed", "pair:1:1": "refused"}
    assert gate(limits + allow.replace("GROUP", "pair:0:2")).notes == (
        "the allowance of auroc_pair (pair:0:2): FAIL was not needed; take it out, or mend its names",
    )


def test_junit_has_a_case_for_each_ruling_and_names_the_policy(gate):
    found = gate(ALLOW + f"limits:\n  - {{metric: auroc, at_least: 0.5, finding: {FINDING}, model: classifier}}\n")
    suite = ET.fromstring(junit_of_gate(full_result(), found)).find("testsuite")

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "0")
    named = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert named == {"policy": "policy.yaml", "policy_sha256": found.sha256}
    (failed,) = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert failed.get("name").startswith(DRAWN)
    assert failed[0].get("message").startswith("Refused: all but PASS are refused. INSUFFICIENT by ")
    passed = {case.get("name"): case[0].text for case in suite.iter("testcase") if case[0].tag == "system-out"}
    assert passed[f"{CHEAT}, {FINDING}, {TUBE}"].startswith("Allowed: without an end, known. FAIL by table")
    assert passed[f"{CHEAT}, {FINDING}, {TUBE}, auroc at least 0.5"].startswith("Accepted: all but PASS are refused.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fail_on: never\n", "'fail_on' is 'never'"),
        ("allow:\n  - {attribute: tube}\n", "there is no key 'allow.0.reason', which is needed"),
        ("allow:\n  - {attribute: tube, reason: ''}\n", "'allow.0.reason' is ''"),
        ("allow:\n  - {attribute: tube, group: all, reason: x}\n", "the group 'all' is of a metric; name that too"),
        ("allow:\n  - {reason: x}\n", "names at least one of model, finding, attribute and metric"),
        ("allow:\n  - {atribute: x, reason: x}\n", r"unknown key 'allow.0.atribute' \(did you mean 'attribute'\?\)"),
        ("allow:\n  - {model: x, reason: x, until: soon}\n", "'allow.0.until' is 'soon'"),
        ("limit: []\n", r"unknown key 'limit' \(did you mean 'limits'\?\); known keys here: allow, fail_on, limits"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told_with_the_key(gate, text, told):
    with pytest.raises(UsageError, match=told):
        gate(text if "fail_on" in text else "fail_on: fail\n" + text)
