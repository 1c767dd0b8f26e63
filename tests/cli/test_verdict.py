"""A verdict in words, the worst first, and the exit code that a gate asked for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from shortcut_audit_cli.verdict import exit_code, summary, verdict_lines

from shortcut_audit.audit.result.judgement import SEVERITY, Verdict

CODES = {
    "pass": {"fail": 0, "concern": 0, "insufficient": 0, "never": 0},
    "insufficient": {"fail": 0, "concern": 0, "insufficient": 3, "never": 0},
    "concern": {"fail": 0, "concern": 1, "insufficient": 1, "never": 0},
    "fail": {"fail": 1, "concern": 1, "insufficient": 1, "never": 0},
}


def verdict(status: str, model: str) -> Verdict:
    return Verdict(
        model=model, finding="mass", attribute="tube", status=status, gap="open", reliance="open",
        rule="table:open:open", sentences=("First.", "Second."), answers=("gap", "reliance"),
    )  # fmt: skip


@pytest.mark.parametrize("status", SEVERITY)
@pytest.mark.parametrize("fail_on", ["fail", "concern", "insufficient", "never"])
def test_the_exit_code_is_1_from_the_asked_status_on_and_3_for_insufficient(status, fail_on):
    assert exit_code(SimpleNamespace(status=status), fail_on) == CODES[status][fail_on]


def test_the_worst_verdict_is_told_first_each_with_its_two_answers_and_sentences():
    verdicts = (verdict("pass", "a"), verdict("fail", "b"), verdict("concern", "c"), verdict("insufficient", "d"))

    lines = verdict_lines(SimpleNamespace(verdicts=verdicts))

    assert lines[:3] == ["✖ FAIL  b, mass, tube: gap OPEN, reliance OPEN", "    First.", "    Second."]
    assert [line.split()[1] for line in lines[::3]] == ["FAIL", "CONCERN", "INSUFFICIENT", "PASS"]


def test_the_summary_names_only_files_that_are_there(tmp_path):
    (tmp_path / "audit.json").write_text("{}")

    told = summary(tmp_path, SimpleNamespace(status="pass", plan=None, verdicts=(verdict("pass", "a"),)))

    assert set(told) == {"run", "audit", "status", "verdicts"}
    assert told["audit"] == str(tmp_path / "audit.json")
    assert (told["verdicts"][0]["status"], told["verdicts"][0]["model"]) == ("pass", "a")


def test_a_stage_without_an_audit_has_no_status(tmp_path):
    assert summary(tmp_path, None) == {"run": str(tmp_path)}
