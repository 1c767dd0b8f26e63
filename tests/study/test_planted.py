"""One study that plants a shortcut and must find it, one control where it must not."""

from __future__ import annotations

import pytest
from study.conftest import run_audit

from shortcut_audit.audit.result.result import read_result

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def classifier_of(folder):
    """The verdict on the classifier."""
    result = read_result(folder / "audit.json")
    return next(verdict for verdict in result.verdicts if verdict.model == "classifier")


def test_a_planted_tube_is_found(tmp_path):
    done = run_audit(tmp_path, "demo", "--quick", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("planted shortcut found: yes")
    assert classifier_of(tmp_path / "run").status == "fail"


def test_without_the_association_nothing_fails(tmp_path):
    done = run_audit(tmp_path, "demo", "--quick", "--no-shortcut", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("planted shortcut found: no")
    assert not [v for v in read_result(tmp_path / "run" / "audit.json").verdicts if v.status == "fail"]
