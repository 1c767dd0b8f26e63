"""``audit evaluate --scores``: a table in, a verdict out, with its exit code; a bad table leaves nothing behind."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest

Row = dict[str, str | float]
Table = Callable[..., list[Row]]
ON, OFF = "score_with.chest_tube", "score_without.chest_tube"
ASK = ("evaluate", "--scores", "scores.csv", "--spurious", "chest_tube", "--out", "audited")
REFUSED = "error: audited holds another audit; choose another folder with --out\n"
CHEAT, HONEST = 2.0, 0.0
NO_TORCH = """
for name in ('torch', 'torchvision', 'timm', 'captum', 'segmentation_models_pytorch', 'lightning_fabric', 'h5py'):
    sys.modules[name] = None
"""


def rows_of(*, per_cell: int, tube_effect: float, pairs: bool, skill: float = 2.5) -> list[Row]:
    """Films of a model that reads the finding with some skill and a tube with some effect, as many in each cell."""
    draw = random.Random(0)
    rows: list[Row] = []
    for label, tube in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        for _ in range(per_cell):
            off = skill * label + draw.gauss(0, 1)
            on = off + tube_effect
            row: Row = {"sample_id": f"film{len(rows)}", "patient_id": f"p{len(rows)}", "label": label,
                        "score": on if tube else off, "chest_tube": tube}  # fmt: skip
            rows.append(row | {ON: on, OFF: off} if pairs else row)
    return rows


def test_a_model_that_depends_on_the_tube_fails_and_the_exit_code_says_so(audit, write, tmp_path):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))

    ran = audit(*ASK, "--pairs", "exact")

    assert ran.returncode == 1
    assert ran.stdout.startswith("✖ FAIL  model, finding, chest_tube: gap BEYOND, reliance SHOWN\n")
    assert ran.stdout.splitlines()[-2:] == ["numbers: audited/audit.json", "report:  audited/report.html"]
    found = json.loads((tmp_path / "audited" / "audit.json").read_text())
    assert (found["schema"], found["status"]) == (1, "fail")
    assert "chest_tube" in (tmp_path / "audited" / "report.html").read_text()


def test_cases_to_read_again_are_listed_for_their_owner_only_where_a_fail_hangs_on_few_labels(audit, write, tmp_path):
    rows = rows_of(per_cell=120, tube_effect=HONEST, pairs=False)
    for place, row in enumerate(rows):
        reference = float(row["score"])
        overlooked = (row["label"], row["chest_tube"]) == (0, 1) and place % 4 == 0
        row.update(reference_score=reference, score=reference + 2.5 * overlooked)
    write(rows)

    ran = audit(*ASK)

    assert ran.returncode == 1
    path = tmp_path / "audited" / "cases.csv"
    head, *listed = path.read_text().splitlines()
    (reread,) = json.loads((tmp_path / "audited" / "audit.json").read_text())["rereads"]
    scores = {str(row["sample_id"]): row for row in rows}
    assert (head, path.stat().st_mode & 0o777) == ("case,sample_id", 0o600)
    assert [line.split(",")[0] for line in listed] == reread["cases"]
    assert {(scores[line.split(",")[1]]["label"], scores[line.split(",")[1]]["chest_tube"]) for line in listed} == {
        (0, 1)
    }

    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))
    audit(*ASK[:-1], "pairs", "--pairs", "exact")
    assert not (tmp_path / "pairs" / "cases.csv").exists()


@pytest.mark.parametrize("choice", [("--fail-on", "never"), ("--fail-on", "insufficient", "--exit-zero")])
def test_who_only_wants_the_report_gets_0_whatever_the_verdict(audit, write, choice):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))

    ran = audit(*ASK, "--pairs", "exact", *choice)

    assert ran.returncode == 0
    assert "FAIL" in ran.stdout


@pytest.mark.parametrize(("fail_on", "code"), [("fail", 0), ("concern", 1)])
def test_a_gap_of_unknown_cause_is_a_concern_which_fails_only_where_asked(audit, write, fail_on, code):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=False))

    ran = audit(*ASK, "--fail-on", fail_on)

    assert ran.returncode == code
    assert "! CONCERN  model, finding, chest_tube: gap BEYOND, reliance OPEN" in ran.stdout


@pytest.mark.parametrize(("fail_on", "code"), [("fail", 0), ("insufficient", 3)])
def test_too_few_patients_are_insufficient_which_is_3_only_where_asked(audit, write, fail_on, code):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))

    ran = audit(*ASK, "--fail-on", fail_on)

    assert ran.returncode == code
    assert "? INSUFFICIENT" in ran.stdout


def test_an_honest_model_with_pairs_and_enough_patients_passes(audit, write):
    write(rows_of(per_cell=400, tube_effect=HONEST, pairs=True))

    ran = audit(*ASK, "--pairs", "exact", "--fail-on", "insufficient")

    assert ran.returncode == 0
    assert "✔ PASS  model, finding, chest_tube: gap WITHIN, reliance EXCLUDED" in ran.stdout


def test_json_is_all_that_is_on_the_output_stream(audit, write):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))

    ran = audit(*ASK, "--pairs", "exact", "--json")

    told = json.loads(ran.stdout)
    assert (ran.returncode, told["status"], told["run"]) == (1, "fail", "audited")
    assert (told["audit"], told["report"]) == ("audited/audit.json", "audited/report.html")
    assert told["verdicts"][0]["rule"] == "table:beyond:shown"


def test_options_and_configuration_reach_the_audit_with_their_origin(audit, write, tmp_path):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))

    audit(*ASK, "--pairs", "exact", "--ask", "gap", "--set", "evaluate.margin=0.02")

    found = json.loads((tmp_path / "audited" / "audit.json").read_text())
    config = found["provenance"]["config"]
    assert (
        config["evaluate"]["ask"], config["evaluate"]["margin"], config["dataset"]["pairs"]
    ) == ("gap", 0.02, "exact")  # fmt: skip
    margins = [limit for limit in found["limits"] if limit["name"] == "margin"]
    assert margins[0]["value"] == 0.02
    assert margins[0]["origin"] == "command line"
    assert found["status"] == "concern"


def test_the_operating_point_and_the_place_of_use_reach_the_numbers(audit, write, tmp_path):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=False))

    ran = audit(*ASK, "--operating-point", "3.5", "--set", "evaluate.prevalence=0.05")

    found = json.loads((tmp_path / "audited" / "audit.json").read_text())
    assert ran.returncode == 0
    assert [(point["rule"], point["threshold"]) for point in found["operating_points"]] == [("3.5", 3.5)]
    assert found["populations"][0]["named"] == ["prevalence"]
    missed = {metric["group"]: metric for metric in found["metrics"] if metric["name"] == "missed_per_1000"}
    assert 0 < missed["within:1"]["value"] < missed["within:0"]["value"] < 25


def test_a_text_that_is_no_operating_point_is_refused_before_anything_is_written(audit, write, tmp_path):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))

    ran = audit(*ASK, "--operating-point", "sensitivity=90")

    assert ran.returncode == 2
    assert "'evaluate.operating_point' is 'sensitivity=90': expected 'youden', 'sensitivity=S'" in ran.stderr
    assert not (tmp_path / "audited").exists()


def test_neither_torch_nor_h5py_is_needed(audit_after, write, tmp_path):
    write(rows_of(per_cell=60, tube_effect=CHEAT, pairs=True))

    ran = audit_after(NO_TORCH, *ASK, "--pairs", "exact")

    assert (ran.returncode, (tmp_path / "audited" / "report.html").is_file()) == (1, True)


def test_without_out_it_goes_to_a_new_folder_under_runs(audit, write, tmp_path):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))

    audit(*ASK[:-2])

    [folder] = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-scores")
    assert sorted(path.name for path in folder.iterdir()) == ["audit.json", "report.html", "scores.csv"]


def test_the_same_audit_may_be_written_again_but_no_other_over_it(audit, write, files):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))
    assert [audit(*ASK).returncode for _ in range(2)] == [0, 0]
    before = files()

    another_question = audit(*ASK, "--ask", "gap")
    assert (another_question.returncode, another_question.stdout, files()) == (73, "", before)
    assert another_question.stderr == REFUSED

    write(rows_of(per_cell=6, tube_effect=HONEST, pairs=False))
    another_table = audit(*ASK)
    assert (another_table.returncode, another_table.stderr) == (73, REFUSED)


def test_a_file_called_audit_json_that_is_none_is_not_overwritten(audit, write, tmp_path, files):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))
    (tmp_path / "audited").mkdir()
    (tmp_path / "audited" / "audit.json").write_text("{")
    before = files()

    ran = audit(*ASK)

    assert (ran.returncode, ran.stderr, files()) == (73, REFUSED, before)


@pytest.mark.parametrize(
    ("row", "column", "value", "told"),
    [
        (3, "score", "nan", ["scores.csv: row 4, column 'score'", "nan"]),
        (3, "score", "high", ["scores.csv: row 4, column 'score'", "high"]),
        (3, "label", "2", ["scores.csv: row 4, column 'label'", "2"]),
        (3, "sample_id", "film0", ["row 4: sample_id 'film0' occurs twice"]),
        (3, "score", "99", ["row 4, column 'score' is 99", ON, OFF]),
    ],
)
def test_a_cell_that_must_not_be_guessed_at_is_4_naming_row_and_column_and_leaves_nothing(
    audit, write, files, row, column, value, told
):
    rows = rows_of(per_cell=5, tube_effect=CHEAT, pairs=True)
    rows[row][column] = value
    write(rows)
    before = files()

    ran = audit(*ASK, "--pairs", "exact")

    assert (4, "", before) == (ran.returncode, ran.stdout, files())
    assert len(ran.stderr.splitlines()) == 1
    assert all(word in ran.stderr for word in told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scores", "scors.csv", "--spurious", "chest_tube"), ["scors.csv: cannot be read"]),
        (("--scores", "scores.csv", "--spurious", "chest_tub"), ["'chest_tub'", "did you mean 'chest_tube'?"]),
        (
            ("--scores", "scores.csv"),
            ["which spurious attribute? Name it with --spurious NAME (the table has: chest_tube"],
        ),
        ((*ASK[1:5], "--set", "evaluate.margn=1"), ["unknown key 'evaluate.margn' (did you mean 'margin'?)"]),
        ((*ASK[1:5], "--set", "evaluate.margin=wide"), ["the command line: 'evaluate.margin' is 'wide'"]),
        ((*ASK[1:5], "--config", "missing.yaml"), ["missing.yaml: cannot be read"]),
    ],
)
def test_what_cannot_be_carried_out_is_2_says_what_to_do_and_leaves_nothing(audit, write, files, words, told):
    write(rows_of(per_cell=5, tube_effect=HONEST, pairs=False))
    before = files()

    ran = audit("evaluate", *words)

    assert (2, "", before) == (ran.returncode, ran.stdout, files())
    assert len(ran.stderr.splitlines()) == 1
    assert all(word in ran.stderr for word in told)


def test_a_column_that_is_missing_is_2_with_the_nearest(audit, write, files):
    write([{("scor" if key == "score" else key): value for key, value in row.items()}
           for row in rows_of(per_cell=5, tube_effect=HONEST, pairs=False)])  # fmt: skip
    before = files()

    ran = audit(*ASK)

    assert (2, before) == (ran.returncode, files())
    assert "scores.csv: there is no column 'score' (did you mean 'scor'?)" in ran.stderr


def test_one_class_only_is_4_naming_row_and_column(audit, write, files):
    write([row for row in rows_of(per_cell=60, tube_effect=HONEST, pairs=False) if row["label"] == 1])
    before = files()

    ran = audit(*ASK)

    assert (4, "", before) == (ran.returncode, ran.stdout, files())
    assert "scores.csv: row 1, column 'label' is 1, and so it is in every test row" in ran.stderr


def changed(column: str, value: Callable[[int, Row], str | float]) -> list[Row]:
    rows = rows_of(per_cell=60, tube_effect=HONEST, pairs=False)
    return [row | {column: value(number, row)} for number, row in enumerate(rows)]


def many_sites() -> list[Row]:
    """A thousand sites, each with some training and some test films."""
    rows = rows_of(per_cell=1000, tube_effect=HONEST, pairs=False)
    return [row | {"site": f"site{i * 7 % 1000}", "split": ("train", "test")[i % 2]} for i, row in enumerate(rows)]


INSUFFICIENT = {
    "an empty cell": ("chest_tube", [row for row in rows_of(per_cell=60, tube_effect=HONEST, pairs=False)
                                     if (row["label"], row["chest_tube"]) != (0, 1)]),
    "constant scores": ("chest_tube", changed("score", lambda _, row: 0.5)),
    "attribute equals label": ("chest_tube", changed("chest_tube", lambda _, row: row["label"])),
    "three patients": ("chest_tube", changed("patient_id", lambda number, _: f"p{number % 3}")),
    "nobody looked": ("chest_tube", changed("chest_tube", lambda _, row: "")),
    "one of a thousand sites": ("site=site7", many_sites()),
    "a thousand sites": ("site", many_sites()),
}  # fmt: skip


@pytest.mark.parametrize("case", INSUFFICIENT)
def test_what_tells_nothing_is_no_error_but_insufficient(audit, write, tmp_path, case):
    attribute, rows = INSUFFICIENT[case]
    write(rows)

    ran = audit("evaluate", "--scores", "scores.csv", "--spurious", attribute, "--out", "audited")

    assert ran.returncode == 0
    assert all(line.startswith("note: ") for line in ran.stderr.splitlines())
    assert "? INSUFFICIENT" in ran.stdout
    assert json.loads((tmp_path / "audited" / "audit.json").read_text())["status"] == "insufficient"


def test_logits_are_said_and_taken_as_ranks(audit, write, tmp_path):
    rows = rows_of(per_cell=60, tube_effect=CHEAT, pairs=False)
    write(rows)
    audit(*ASK)
    logits = json.loads((tmp_path / "audited" / "audit.json").read_text())
    write([row | {"score": 1 / (1 + math.exp(-float(row["score"])))} for row in rows])
    audit(*ASK[:-1], "squeezed")
    scores = json.loads((tmp_path / "squeezed" / "audit.json").read_text())

    assert any("outside 0 to 1: they are read as ranks only" in note for note in logits["notes"])
    assert not any("ranks only" in note for note in scores["notes"])
    values = [{(m["name"], m["group"]): m["value"] for m in found["metrics"] if "auroc" in m["name"]}
              for found in (logits, scores)]  # fmt: skip
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_unknown_attributes_are_listed_to_be_labelled_next_for_their_owner_only(audit, write, tmp_path):
    write(changed("chest_tube", lambda number, row: row["chest_tube"] if number % 3 == 0 else ""))

    audit(*ASK)

    path = tmp_path / "audited" / "label_next.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads((tmp_path / "audited" / "audit.json").read_text())
    [needed] = [answer["labels_needed"] for answer in found["answers"] if answer["check"] == "label_next"]
    assert len(path.read_text().splitlines()) == needed + 1


def test_one_score_per_patient_counts_patients(audit, write, tmp_path):
    write(changed("patient_id", lambda number, _: f"p{number // 2}"))

    audit(*ASK, "--per", "patient")

    counts = json.loads((tmp_path / "audited" / "audit.json").read_text())["counts"]
    assert (counts["per"], counts["images"], counts["patients"]) == ("patient", 120, 120)
    assert "120 patients of 120 patients were audited" in (tmp_path / "audited" / "report.html").read_text()


def test_per_patient_without_patients_is_2_and_says_what_to_add(audit, write):
    rows = rows_of(per_cell=5, tube_effect=HONEST, pairs=False)
    write([{key: value for key, value in row.items() if key != "patient_id"} for row in rows])

    ran = audit(*ASK, "--per", "patient")

    assert ran.returncode == 2
    assert "add a column patient_id, or leave out --per patient" in ran.stderr


def test_a_categorical_attribute_without_training_rows_is_2_and_says_what_to_do(audit, write):
    write(changed("site", lambda number, _: "abc"[number % 3]))

    ran = audit("evaluate", "--scores", "scores.csv", "--spurious", "site")

    assert ran.returncode == 2
    assert "ask for one value against the rest, as in 'site=a', or for what it suggests" in ran.stderr
