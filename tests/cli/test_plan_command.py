"""``--freeze``, ``--plan``, ``--policy`` and ``--size-for`` as they are typed: files, messages and exit codes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
import yaml
from small_films import SPLITS, write_film
from small_networks import small_classifier

from shortcut_audit.models.checkpoint import save_model

Row = dict[str, str | float]
SCORES = ("evaluate", "--scores", "scores.csv")
FREEZE = (*SCORES, "--spurious", "chest_tube", "--ask", "gap", "--set", "evaluate.margin=0.06", "--freeze", "plan.yaml")
BY_PLAN = (*SCORES, "--plan", "plan.yaml", "--out", "out")


def films(per_cell: int = 40) -> list[Row]:
    draw = random.Random(0)
    cells = [(label, tube) for label in (0, 1) for tube in (0, 1) for _ in range(per_cell)]
    return [
        {"sample_id": f"film{number:03d}", "label": label, "score": 2.5 * label + draw.gauss(0, 1), "chest_tube": tube}
        for number, (label, tube) in enumerate(cells)
    ]


@pytest.fixture
def frozen(audit, write, tmp_path) -> Path:
    write(films())
    assert audit(*FREEZE, "--intended-use", "Triage").returncode == 0
    return tmp_path / "plan.yaml"


def test_a_plan_is_made_before_there_are_scores_and_is_never_written_over(audit, write, tmp_path, files):
    write([{key: value for key, value in row.items() if key != "score"} for row in films()])

    ran = audit(*FREEZE, "--intended-use", "Triage of chest films")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "plan:  plan.yaml",
        "asks:  gap of chest_tube, for finding, models any, 160 test images",
        "next:  complete 'intended_use' and 'limits' in it and keep it where its date is known; then",
        "       audit evaluate --scores scores.csv --plan plan.yaml",
    ]
    path = tmp_path / "plan.yaml"
    plan = yaml.safe_load(path.read_text())
    assert (plan["evaluate"]["margin"], plan["evaluate"]["ask"], plan["models"]) == (0.06, "gap", None)
    assert (plan["intended_use"], plan["test_ids"]["images"]) == ("Triage of chest films", 160)
    assert path.stat().st_mode & 0o777 == 0o600
    before = files()
    again = audit(*FREEZE)
    assert (again.returncode, files()) == (73, before)
    assert "plan.yaml is there already, and a plan is never written over" in again.stderr


def test_an_attribute_that_is_not_there_is_not_planned(audit, write, files):
    write(films(5))
    before = files()

    ran = audit(*SCORES, "--spurious", "chest_tub", "--freeze", "plan.yaml")

    assert (ran.returncode, files()) == (2, before)
    assert "did you mean 'chest_tube'?" in ran.stderr


def test_an_audit_by_the_plan_takes_its_values_and_says_so(audit, frozen, tmp_path):
    ran = audit(*BY_PLAN)

    assert ran.returncode == 0
    assert ran.stdout.startswith("By the plan plan.yaml (SHA-256 ")
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found["plan"]["deviations"] == []
    assert found["plan"]["intended_use"] == "Triage"
    assert found["provenance"]["inputs"]["plan"] == found["plan"]["sha256"]
    origins = {limit["name"]: (limit["value"], limit["origin"]) for limit in found["limits"]}
    assert (origins["margin"], origins["confidence"]) == ((0.06, "plan"), (0.95, "plan"))
    assert "nothing was changed" in (tmp_path / "out" / "report.html").read_text()


def test_one_changed_limit_and_one_changed_id_are_2_by_name_and_leave_nothing(audit, frozen, write, files):
    rows = films()
    rows[3]["sample_id"] = "another"
    write(rows)
    before = files()

    ran = audit(*BY_PLAN, "--set", "evaluate.margin=0.1")

    assert (ran.returncode, ran.stdout, files()) == (2, "", before)
    assert len(ran.stderr.splitlines()) == 1
    assert "'evaluate.margin' is 0.1 (command line), the plan says 0.06" in ran.stderr
    assert "1 not in the plan: 'another', 1 missing: the one between 'film002' and 'film004'" in ran.stderr


def test_a_deviation_with_its_reason_is_shown_first_and_names_no_id(audit, frozen, write, tmp_path):
    rows = films()
    rows[3]["sample_id"] = "another"
    write(rows)

    ran = audit(*BY_PLAN, "--ask", "both", "--allow-deviation", "withdrawn by the site")

    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("! DEVIATES from the plan plan.yaml (SHA-256 ")
    assert lines[1] == "    evaluate.ask: both, planned gap"
    assert lines[2].startswith("    test ids: 160 images, SHA-256 ")
    assert lines[3] == "    Reason given: withdrawn by the site"
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found["banners"][0].endswith("Reason given: withdrawn by the site")
    assert [one["what"] for one in found["plan"]["deviations"]] == ["evaluate.ask", "test ids"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "another" not in (tmp_path / "out" / "audit.json").read_text()
    assert page.index("This audit deviates from its plan plan.yaml") < page.index('<section id="verdict"')


FILMS_YAML = """\
name: squares
dataset: {name: table, pairs: exact, table: {file: films.csv, columns: {image: image, sample: sample_id,
  patient: patient_id, split: split}}}
image: {size: 32}
evaluate: {gallery: 0, saliency_images: 0}
"""


def test_a_plan_for_a_model_file_holds_its_audit_and_a_refusal_leaves_nothing(audit, tmp_path, files):
    (tmp_path / "films").mkdir()
    rows = [write_film(tmp_path / "films", row) for row in range(len(SPLITS))]
    pl.DataFrame(rows).write_csv(tmp_path / "films" / "films.csv")
    (tmp_path / "films.yaml").write_text(FILMS_YAML)
    save_model(small_classifier(findings=("pneumothorax",)), tmp_path / "net.safetensors")
    given = ("--config", "films.yaml", "--root", "films", "--model", "net.safetensors")

    frozen = audit("evaluate", *given, "--spurious", "chest_tube", "--freeze", "plan.yaml")

    assert frozen.returncode == 0
    assert frozen.stdout.splitlines()[1:] == [
        "asks:  gap and reliance of chest_tube, for pneumothorax, models net, 10 test images",
        "next:  complete 'intended_use' and 'limits' in it and keep it where its date is known; then",
        f"       audit evaluate {' '.join(given)} --plan plan.yaml",
    ]
    ran = audit("evaluate", *given, "--plan", "plan.yaml", "--out", "out")
    assert ran.returncode == 0
    assert ran.stdout.startswith("By the plan plan.yaml (SHA-256 ")

    before = files()
    places = [("--out", "out"), ("--out", "deep/new"), ()]
    refused = [
        audit("evaluate", *given, "--plan", "plan.yaml", "--set", "evaluate.margin=0.1", *place) for place in places
    ]
    assert [one.returncode for one in refused] == [2, 2, 2]
    assert all("'evaluate.margin' is 0.1 (command line), the plan says 0.05" in one.stderr for one in refused)
    assert files() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["films", "out"]


def test_another_plan_does_not_write_over_an_audit(audit, frozen, files):
    assert audit(*BY_PLAN).returncode == 0
    frozen.write_text(frozen.read_text().replace("Triage", "Screening"))
    before = files()

    ran = audit(*BY_PLAN)

    assert (ran.returncode, files()) == (73, before)


def test_limits_of_the_plan_are_verdicts_of_their_own_and_count(audit, frozen, tmp_path):
    limits = "limits:\n  - {metric: auroc, at_least: 0.5}\n  - {metric: robust_auroc, at_least: 0.999}\n"
    frozen.write_text(frozen.read_text().replace("limits: []\n", limits))

    ran = audit(*BY_PLAN)

    assert ran.returncode == 1
    assert "✖ FAIL  model, finding, chest_tube: limit robust_auroc at least 0.999\n" in ran.stdout
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    table, held, missed = found["verdicts"]
    assert table["rule"].startswith("ask:gap:")
    assert table["status"] != "fail"
    assert [(one["rule"], one["status"], one["gap"]) for one in (held, missed)] == [
        ("limit:auroc", "pass", None), ("limit:robust_auroc", "fail", None)
    ]  # fmt: skip
    assert found["status"] == "fail"
    origins = {limit["name"]: limit["origin"] for limit in found["limits"]}
    assert origins["limit:robust_auroc"] == "plan"


def test_a_limit_on_a_number_that_does_not_exist_is_2_with_the_nearest(audit, frozen, files):
    frozen.write_text(frozen.read_text().replace("limits: []\n", "limits: [{metric: robust_aurc, at_least: 0.7}]\n"))
    before = files()

    ran = audit(*BY_PLAN)

    assert (ran.returncode, files()) == (2, before)
    assert "plan.yaml: a limit is set on 'robust_aurc'" in ran.stderr
    assert "did you mean 'robust_auroc'?" in ran.stderr


def test_a_policy_decides_the_exit_code_and_writes_junit(audit, write, tmp_path):
    write(films(5))
    policy = tmp_path / "policy.yaml"
    policy.write_text("policy: 1\nfail_on: insufficient\n")
    ask = (*SCORES, "--spurious", "chest_tube", "--out", "out", "--policy", "policy.yaml")

    refused = audit(*ask)
    policy.write_text(
        "policy: 1\nfail_on: insufficient\nallow: [{attribute: chest_tube, status: insufficient, reason: it grows}]\n"
    )
    allowed = audit(*ask, "--json")

    assert refused.returncode == 3
    assert refused.stdout.splitlines()[-3:] == [
        "policy policy.yaml: 1 refused, 0 allowed, 0 accepted; exit code 3",
        "    refused: INSUFFICIENT model, finding, chest_tube (all but PASS are refused)",
        "junit:   out/policy.junit.xml",
    ]
    told = json.loads(allowed.stdout)
    assert (allowed.returncode, told["status"], told["policy"]["exit_code"]) == (0, "insufficient", 0)
    (ruling,) = told["policy"]["rulings"]
    assert (ruling["ruled"], ruling["inconclusive"]) == ("allowed", True)
    suite = ET.parse(tmp_path / "out" / "policy.junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("1", "0", "1")


def test_how_many_patients_a_study_needs_is_told_without_any_score(audit, write, files):
    write([{key: value for key, value in row.items() if key != "score"} for row in films()])
    before = files()

    ran = audit("evaluate", "--size-for", "gap=.05,auroc=.9", "--scores", "scores.csv", "--spurious", "chest_tube")
    told = audit("evaluate", "--size-for", "gap=.05,auroc=.9,prevalence=.2,given_finding=.7,given_none=.1", "--json")

    assert (ran.returncode, told.returncode, files()) == (0, 0, before)
    assert "Patients needed, as many in every cell:" in ran.stdout
    assert "Patients needed, at the rates of scores.csv: finding, chest_tube:" in ran.stdout
    assert "  AUROC 0.9 in every pair of cells" in ran.stdout
    equal, named = json.loads(told.stdout)["studies"]
    assert (equal["needs"][0]["answer"], named["mix"]) == ("gap WITHIN 0.05, if there is none", "at the rates named")
    assert equal["needs"][0]["total"] == sum(equal["needs"][0]["cells"].values())
    assert named["needs"][0]["total"] > equal["needs"][0]["total"]


def test_a_study_that_would_be_too_large_has_no_size(audit):
    ran, told = (audit("evaluate", "--size-for", "gap=.00001", *more) for more in ((), ("--json",)))
    need = json.loads(told.stdout)["studies"][0]["needs"][0]

    assert (ran.returncode, told.returncode) == (0, 0)
    assert "more than 100,000,000" in ran.stdout
    assert (need["total"], need["cells"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--freeze", "a.yaml", "--plan", "b.yaml"), "--freeze and --plan do not go together; give one of them"),
        (("--policy", "a.yaml", "--fail-on", "fail"), "--policy and --fail-on do not go together"),
        (("--allow-deviation", "why"), "--allow-deviation goes with --plan FILE"),
        (("--intended-use", "why"), "--intended-use goes with --freeze FILE"),
        (("--plan", "b.yaml"), "b.yaml: cannot be read"),
        (("--policy", "b.yaml"), "b.yaml: cannot be read"),
        (("--size-for", "gp=.05"), "'gp=.05' is not understood (did you mean 'gap'?)"),
    ],
)
def test_options_that_contradict_or_miss_each_other_are_2(audit, words, told):
    ran = audit(*SCORES, "--spurious", "chest_tube", *words)

    assert ran.returncode == 2
    assert told in ran.stderr
