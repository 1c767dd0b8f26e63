"""``audit evaluate --spurious chest_tube`` on a data set without tube labels says what helps."""

from __future__ import annotations

import pytest
from trees.chexpert_tree import write_chexpert

SMALL = ("--set", "image.size=32", "--set", "classifier.epochs=1", "--set", "classifier.findings=[pneumothorax]")


@pytest.fixture
def at_home(tmp_path):
    """Twenty films in the folder that the environment names."""
    write_chexpert(tmp_path / "data" / "chexpert", films=20)
    return {"SHORTCUT_AUDIT_DATA": str(tmp_path / "data")}


def test_without_a_run_it_says_how_to_make_one_and_leaves_nothing(audit, files):
    ran = audit("evaluate", "--spurious", "chest_tube")

    assert (ran.returncode, ran.stdout, files()) == (2, "", {})
    assert "there is no run under ./runs" in ran.stderr
    assert "audit train" in ran.stderr


def test_the_newest_run_is_taken_what_helps_is_listed_and_the_run_is_kept_from_another(audit, at_home, tmp_path, files):
    trained = audit("train", "--dataset", "chexpert", *SMALL, env=at_home)
    assert trained.returncode == 0, trained.stderr
    [run] = (tmp_path / "runs").iterdir()
    name = f"runs/{run.name}"
    assert f"model: {name}/classifier.safetensors" in trained.stdout
    before = files()

    ran = audit("evaluate", "--spurious", "chest_tube", env=at_home)
    assert (ran.returncode, ran.stdout, files()) == (2, "", before)
    assert f"Taking models from {name}\n" in ran.stderr
    for told in (
        "'CheXpert' has no attribute 'chest_tube'",
        "--attributes FILE",
        "--spurious support_devices",
        "--dataset",
    ):
        assert told in ran.stderr

    other = audit("train", "--dataset", "chexpert", *SMALL, "--seed", "1", "--out", name, env=at_home)
    assert (other.returncode, other.stdout, files()) == (73, "", before)
    assert f"{name} belongs to another run" in other.stderr


def test_a_data_set_that_is_not_there_is_2_naming_the_folder_and_leaves_nothing(audit, tmp_path, files):
    ran = audit("pretrain", "--dataset", "chexpert", env={"SHORTCUT_AUDIT_DATA": str(tmp_path)})

    assert (ran.returncode, ran.stdout, files()) == (2, "", {})
    assert (
        f"{tmp_path / 'chexpert'}: there is no such folder; name the folder of the data set with --root" in ran.stderr
    )
    assert "--root" in ran.stderr


def test_a_data_set_with_too_many_missing_images_is_4_and_leaves_nothing(audit, at_home, tmp_path, files):
    for film in sorted((tmp_path / "data").rglob("*.jpg"))[:8]:
        film.unlink()
    before = files()

    ran = audit("train", "--dataset", "chexpert", *SMALL, env=at_home)

    assert (ran.returncode, ran.stdout, files()) == (4, "", before)
    assert "are missing or cannot be read, more than max(3, 1 %)" in ran.stderr
    assert "Traceback" not in ran.stderr
