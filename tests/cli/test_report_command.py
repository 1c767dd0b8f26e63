"""``audit report`` renders again from audit.json, in every format, and refuses what is not one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NO_TORCH = "for name in ('torch', 'torchvision', 'timm', 'captum', 'h5py', 'polars'):\n    sys.modules[name] = None\n"


@pytest.fixture
def audited(audit, tmp_path: Path) -> Path:
    """The folder of a finished audit."""
    rows = [f"s{n},{n % 2},{n % 7 / 10 + n % 2 / 5},{n // 2 % 2}" for n in range(80)]
    (tmp_path / "scores.csv").write_text("\n".join(["sample_id,label,score,chest_tube", *rows]))
    audit("evaluate", "--scores", "scores.csv", "--spurious", "chest_tube", "--out", "run")
    return tmp_path / "run"


def test_the_report_is_the_same_bytes_again(audit, audited):
    first = (audited / "report.html").read_bytes()
    (audited / "report.html").unlink()

    ran = audit("report", "run")

    assert (ran.returncode, ran.stdout) == (0, "run/report.html\n")
    assert (audited / "report.html").read_bytes() == first


def test_every_format_is_written_without_torch_and_named(audit_after, audited):
    ran = audit_after(NO_TORCH, "report", "run", "--format", "html,json,csv,md,junit", "--json")

    written = json.loads(ran.stdout)["written"]
    assert ran.returncode == 0
    tables = {"metrics", "comparisons", "operating_points", "seeds", "curves", "answers", "verdicts"}
    assert {path.removeprefix("run/") for path in written} == {
        "report.html", "audit.json", "report.md", "report.junit.xml", *(f"{table}.csv" for table in tables)
    }  # fmt: skip
    assert all((audited.parent / path).stat().st_size for path in written)


def test_an_audit_json_may_be_named_itself(audit, audited):
    ran = audit("report", "run/audit.json", "--format", "md")

    assert ran.returncode == 0
    assert (audited.parent / ran.stdout.strip()).suffix == ".md"


def test_an_unknown_format_is_2_with_the_nearest(audit, audited, files):
    before = files()

    ran = audit("report", "run", "--format", "html,junt")

    assert (2, before) == (ran.returncode, files())
    assert ran.stderr == (
        "error: no report format is called 'junt' (did you mean 'junit'?); there are: html, json, csv, md, junit\n"
    )


def test_a_folder_without_an_audit_is_74_and_says_what_to_run_first(audit, files):
    ran = audit("report", "nowhere")

    assert (ran.returncode, files()) == (74, {})
    assert "nowhere is not there; run 'audit evaluate' first" in ran.stderr


def test_a_truncated_audit_is_74_and_leaves_the_old_report(audit, audited, files):
    whole = (audited / "audit.json").read_bytes()
    (audited / "audit.json").write_bytes(whole[: len(whole) // 2])
    before = files()

    ran = audit("report", "run")

    assert (74, before) == (ran.returncode, files())
    assert "run/audit.json is not an audit result of schema 1" in ran.stderr
