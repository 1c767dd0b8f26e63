"""``audit compare A B``: the gate before a new version of a model, with its exit codes, without torch."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

NO_TORCH = """
for name in ('torch', 'torchvision', 'timm', 'captum', 'segmentation_models_pytorch', 'lightning_fabric', 'h5py'):
    sys.modules[name] = None
"""
IMPORTED = "import atexit\natexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))\n"
COMPARE = ("compare", "old.csv", "new.csv", "--spurious", "chest_tube", "--out", "out")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    def write_scores(name: str, *, noise: float = 0.0, films: int = 400, first: int = 0, flip: str = "") -> None:
        draw = random.Random(1)
        own = random.Random(name)
        with (tmp_path / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("sample_id", "patient_id", "label", "score", "chest_tube"))
            for number in range(films):
                label, tube = number % 2, number // 2 % 2
                score = 2.0 * label + draw.gauss(0, 1) + noise * own.gauss(0, 1)
                sample = f"film{number + first}"
                writer.writerow((sample, f"p{number // 2}", 1 - label if sample == flip else label, score, tube))

    return write_scores


def test_a_version_that_is_worse_by_more_than_the_margin_ends_with_1(audit, write):
    write("old")
    write("new", noise=6.0)

    ran = audit(*COMPARE, "--not-worse", "0.05")

    assert ran.returncode == 1
    assert "new" not in ran.stderr
    assert "✖ FAIL  model, finding, chest_tube, robust_auroc, robust: B is worse than A by more than" in ran.stdout
    assert ran.stdout.splitlines()[-2:] == ["numbers: out/compare.json", "report:  out/compare.html"]


@pytest.mark.parametrize(("choice", "code"), [((), 0), (("--fail-on", "insufficient"), 3)])
def test_who_cannot_tell_ends_with_3_only_where_asked(audit, write, choice, code):
    write("old", films=120)
    write("new", films=120, noise=0.5)

    ran = audit(*COMPARE, "--not-worse", "0.01", *choice)

    assert ran.returncode == code
    assert "? INSUFFICIENT" in ran.stdout


def test_a_version_that_is_no_worse_ends_with_0_also_at_the_strictest(audit, write):
    write("old", noise=1.0)
    write("new")

    ran = audit(*COMPARE, "--not-worse", "0.05", "--not-worse", "auroc=0.05", "--fail-on", "insufficient")

    assert ran.returncode == 0
    assert ran.stdout.count("✔ PASS") == 2


def test_without_a_margin_nothing_is_judged(audit, write):
    write("old")
    write("new", noise=6.0, films=300)

    ran = audit(*COMPARE, "--fail-on", "insufficient")

    assert ran.returncode == 0
    assert "model, finding: 300 films of 150 patients in common; only in A: 100, only in B: 0\n" in ran.stdout
    assert "FAIL" not in ran.stdout


def test_it_works_where_torch_was_never_installed_and_imports_none_where_it_is(audit_after, write):
    write("old")
    write("new", noise=0.2)

    without = audit_after(NO_TORCH, *COMPARE, "--not-worse", "0.2")
    with_it = audit_after(IMPORTED, *COMPARE, "--not-worse", "0.2")

    assert (without.returncode, with_it.returncode) == (0, 0)
    assert without.stdout == with_it.stdout
    assert with_it.stderr.splitlines()[-1] == "False"


def test_two_audits_are_compared_with_their_verdicts(audit, write):
    write("old")
    write("new", noise=0.2)
    for name in ("old", "new"):
        audit("evaluate", "--scores", f"{name}.csv", "--spurious", "chest_tube", "--out", name)

    ran = audit("compare", "old", "new/audit.json", "--out", "out")

    assert ran.returncode == 0
    assert "verdict of the audits on model, finding, chest_tube: A INSUFFICIENT, B INSUFFICIENT" in ran.stdout


def test_json_is_all_that_is_on_the_output_stream(audit, write, tmp_path):
    write("old")
    write("new", noise=6.0)

    ran = audit(*COMPARE, "--not-worse", "0.05", "--json")
    told = json.loads(ran.stdout)

    assert (ran.returncode, told["status"], told["run"]) == (1, "fail", "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"compare.json", "compare.md", "compare.html"}
    assert told["not_worse"][0]["low"] > 0.05
    assert told["films"][0]["images"] == 400


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"flip": "film7"}, 4, "sample_id 'film7', finding 'finding': label is 1 for model in A and 0 for model in B"),
        ({"first": 1000}, 4, "A and B have no test film of 'finding' in common"),
    ],
)
def test_versions_that_were_not_scored_on_the_same_films_are_refused(audit, write, files, changes, code, said):
    write("old")
    write("new", **changes)
    before = files()

    ran = audit(*COMPARE)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert files() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "old.csv", "lost.csv"), "B: lost.csv is not there"),
        (("compare", "old.csv", "old.csv", "--spurious", "chest_tube", "--not-worse", "x"), "'x' is no margin"),
    ],
)
def test_what_cannot_be_compared_ends_with_2(audit, write, words, said):
    write("old")

    ran = audit(*words)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
