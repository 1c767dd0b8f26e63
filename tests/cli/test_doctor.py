"""The doctor finds what is wrong with a machine, and works on one without torch."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from shortcut_audit_cli import machine

NO_TORCH = "for name in ('torch', 'torchvision', 'h5py'):\n    sys.modules[name] = None\n"


def test_a_sound_machine_ends_with_0_and_leaves_nothing(audit, files):
    ran = audit("doctor", "--json")

    found = {entry["check"]: entry for entry in json.loads(ran.stdout)}
    assert (ran.returncode, ran.stderr, files()) == (0, "", {})
    assert found["shortcut-audit"]["found"] == version("shortcut-audit")
    assert found["torchvision operators"] == {
        "check": "torchvision operators", "state": "ok", "found": "nms runs", "advice": ""
    }  # fmt: skip
    assert "gzip and fletcher32" in found["HDF5 round trip"]["found"]
    assert found["write and rename"]["state"] == "ok"
    assert found["data sets"]["advice"].startswith("set it to the folder")


def test_without_torch_it_says_so_and_ends_with_0(audit_after):
    ran = audit_after(NO_TORCH, "doctor")

    assert ran.returncode == 0
    assert "! torchvision operators: torch or torchvision is not installed" in ran.stdout
    assert "! HDF5 round trip: h5py is not installed" in ran.stdout


def test_a_data_folder_that_is_not_there_is_broken_and_ends_with_1(audit_after):
    ran = audit_after(NO_TORCH, "doctor", env={"SHORTCUT_AUDIT_DATA": "nowhere"})

    assert ran.returncode == 1
    assert "✖ data sets: SHORTCUT_AUDIT_DATA=nowhere is not a folder" in ran.stdout


def test_data_sets_are_found_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("SHORTCUT_AUDIT_DATA", str(tmp_path))
    before = machine.datasets()
    (tmp_path / "chexpert").mkdir()
    after = machine.datasets()

    assert ("note", f"{tmp_path}: none") == (before.state, before.found)
    assert "chexpert" in before.advice
    assert ("ok", f"{tmp_path}: chexpert") == (after.state, after.found)


@pytest.mark.parametrize("found", ["2.6.2", "2.6.3"])
def test_a_poisoned_release_of_lightning_is_broken(monkeypatch, found):
    monkeypatch.setattr(machine, "version", lambda _: found)

    assert machine.lightning().state == "broken"
    assert found in machine.lightning().found


def test_another_release_of_lightning_is_no_concern(monkeypatch):
    monkeypatch.setattr(machine, "version", lambda _: "2.6.4")

    assert machine.lightning().state == "ok"


@pytest.mark.parametrize(
    ("installed", "state", "found"),
    [
        ("2.14.0", "ok", "2.14.0"),
        ("2.15.1+cpu", "ok", "2.15.1+cpu"),
        ("3.0", "ok", "3.0"),
        ("2.9.1", "broken", "2.9.1, expected 2.14 or newer"),
    ],
)
def test_a_package_older_than_its_floor_is_broken(monkeypatch, installed, state, found):
    monkeypatch.setattr(machine, "requires", lambda _: ["torch>=2.14", "ruff>=1; extra == 'dev'"])
    monkeypatch.setattr(machine, "version", lambda _: installed)

    ours, torch = machine.packages()

    assert ours.check == "shortcut-audit"
    assert ("torch", state, found) == (torch.check, torch.state, torch.found)


def test_a_ceiling_before_the_floor_does_not_hide_it(monkeypatch):
    monkeypatch.setattr(machine, "requires", lambda _: ["typer<0.30,>=0.29"])
    monkeypatch.setattr(machine, "version", lambda _: "0.28.1")

    assert list(machine.packages())[1].found == "0.28.1, expected 0.29 or newer"


def test_a_folder_that_cannot_be_written_to_is_broken(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    monkeypatch.setattr(machine.Path, "cwd", lambda: gone)

    assert machine.writing().state == "broken"
    assert "--out" in machine.writing().advice


def test_more_threads_than_cores_are_noted(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")

    assert (machine.threads().state, "OMP_NUM_THREADS=4096" in machine.threads().found) == ("note", True)


def test_little_space_and_memory_are_noted(monkeypatch):
    monkeypatch.setattr(machine, "FREE_DISK", 2**60)
    monkeypatch.setattr(machine, "FREE_MEMORY", 2**60)

    assert (machine.disk().state, machine.memory().state) == ("note", "note")


def test_a_broken_pair_of_torch_and_torchvision_is_broken(monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr("torchvision.ops.nms", broken)

    found = machine.vision_ops()
    assert (found.state, found.found) == ("broken", "RuntimeError: operator torchvision::nms does not exist")
    assert found.advice == "install torch and torchvision of one release, from one index"


def test_the_home_folder_is_not_told(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("SHORTCUT_AUDIT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(machine, "CHECKS", (machine.datasets,))

    assert machine.examine()[0].found == "SHORTCUT_AUDIT_DATA=~/data is not a folder"
