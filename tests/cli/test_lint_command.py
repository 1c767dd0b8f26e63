"""``audit data lint`` as a user types it."""

import json

import numpy as np
import pytest
from PIL import Image

CONFIG = """
dataset:
  name: table
  table:
    file: films.csv
    columns: {image: path, patient: who, split: part, labels: {ill: y}, attributes: {scanner: scanner}}
"""


@pytest.fixture
def films(tmp_path):
    """Sixty films of sixty patients; the scanner gives the label away."""
    rng = np.random.default_rng(0)
    lines = ["path,who,part,y,scanner"]
    for number in range(60):
        Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(tmp_path / f"{number}.png")
        part = "train" if number < 40 else "test"
        lines.append(f"{number}.png,p{number},{part},{number % 2},{'ab'[number % 2]}")
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "mine.yaml").write_text(CONFIG)
    return tmp_path


COMMAND = ("data", "lint", "--config", "mine.yaml", "--root", ".")


def test_it_prints_a_table_and_leaves_lint_json(audit, films):
    ran = audit(*COMMAND, "--out", "lint")

    told = json.loads((films / "lint" / "lint.json").read_text())
    clue = next(one for one in told["clues"] if one["clue"] == "attribute.scanner")
    assert (ran.returncode, clue["said"]) == (0, "given away")
    assert clue["value"] == pytest.approx(1)
    lines = ran.stdout.splitlines()
    assert lines[0].split()[:5] == ["said", "finding", "probe", "clue", "AUROC"]
    assert lines[1].startswith("  GIVEN AWAY  ill      metadata")
    assert "not known: ill, image_file, extension: it is the same in every film" in lines
    assert any(line.startswith("no leakage: 0 of 60 patients are in several splits") for line in lines)
    assert any(line.startswith("alike: 0 of 800 pairs of other films across splits look alike; ") for line in lines)
    assert lines[-1] == "numbers: lint/lint.json"


def test_without_out_it_leaves_nothing_and_as_json_prints_nothing_else(audit, films, files):
    before = files()

    ran = audit(*COMMAND, "--json", "--quiet", "--probe", "metadata")

    assert (0, "", before) == (ran.returncode, ran.stderr, files())
    assert {one["probe"] for one in json.loads(ran.stdout)["clues"]} == {"metadata"}


def test_a_folder_that_cannot_be_written_to_is_74_before_anything_is_read(audit, films):
    (films / "taken").write_text("")

    ran = audit(*COMMAND, "--out", "taken/lint")

    assert (ran.returncode, ran.stdout) == (74, "")
    assert "error: taken/lint cannot be written to: " in ran.stderr
    assert "taken is no folder; choose another folder with --out" in ran.stderr


def test_strict_ends_with_1_where_a_label_is_given_away(audit, films):
    assert audit(*COMMAND, "--strict", "--probe", "metadata").returncode == 1
    assert audit(*COMMAND, "--strict", "--probe", "shuffled_pixels").returncode == 0


def test_a_file_in_two_splits_is_4_and_the_numbers_are_still_told(audit, films):
    (films / "59.png").write_bytes((films / "0.png").read_bytes())

    ran = audit(*COMMAND, "--probe", "metadata")

    assert ran.returncode == 4
    assert "LEAKAGE: 0 of 60 patients are in several splits; 2 of 60 files are copies of another, 2 of" in ran.stdout


def test_a_folder_with_lint_of_other_data_is_73_before_anything_is_read(audit, films, files):
    audit(*COMMAND, "--out", "lint", "--probe", "metadata")
    table = (films / "films.csv").read_text()
    (films / "films.csv").write_text(table.replace("\n0.png,p0,train,0", "\n0.png,p0,train,1"))
    before = files()

    ran = audit(*COMMAND, "--out", "lint")

    assert (73, "", before) == (ran.returncode, ran.stdout, files())
    assert "lint.json is of other data; choose another folder with --out" in ran.stderr


def test_an_unknown_probe_is_2_with_the_nearest(audit, films):
    ran = audit(*COMMAND, "--probe", "metdata")

    assert ran.returncode == 2
    assert "no probe is called 'metdata' (did you mean 'metadata'?)" in ran.stderr
