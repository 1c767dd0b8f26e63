"""Which folder a run gets, and which run is the newest."""

import json

import pytest

from shortcut_audit.config import load_config
from shortcut_audit.runs import RECORD, newest_run, open_run, read_run

CONFIG = load_config(sets=["name=small"])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to be in, so that ./runs is the test's own."""
    monkeypatch.chdir(tmp_path)


def opened(command="train", config=CONFIG, new=False):
    return open_run(command, config, out=None, new=new)


def test_without_out_an_unfinished_run_of_the_same_command_goes_on(capsys):
    with pytest.raises(KeyboardInterrupt), opened() as first:
        raise KeyboardInterrupt
    with opened() as second:
        assert second.folder == first.folder
    assert f"Going on with the unfinished run {first.folder}" in capsys.readouterr().err


@pytest.mark.parametrize("changes", [{"new": True}, {"command": "pretrain"}, {"config": load_config(sets=["seed=1"])}])
def test_anything_else_starts_a_new_folder(changes):
    with pytest.raises(KeyboardInterrupt), opened() as first:
        raise KeyboardInterrupt
    (first.folder.parent / "elsewhere").mkdir()
    first.folder.rename(first.folder.parent / "earlier")
    with opened(**changes) as second:
        assert second.folder.name != "earlier"


def test_a_finished_run_is_not_gone_on_with():
    with opened() as first:
        pass
    first.folder.rename(first.folder.parent / "earlier")
    with opened() as second:
        assert second.folder.name != "earlier"
        assert second.folder.name.endswith(read_run(second.folder)._record["fingerprint"][:4])


def test_the_name_of_a_folder_has_no_odd_characters():
    with opened(config=load_config(sets=["name=../a b/é"])) as run:
        pass
    assert run.folder.parent.name == "runs"
    assert "-a-b-" in run.folder.name


def made(name, command, output, hour):
    """A run under ./runs that began at ``hour``; the order in which runs are written is the order of the calls."""
    with open_run(command, CONFIG, out=None, new=True) as run:
        run.stage("work", inputs={}, outputs=[output], work=lambda: run.path(output).write_text(""))
    folder = run.folder.rename(run.folder.parent / name)
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "began": f"2026-11-21T{hour:02}:00:00+00:00"}))


def test_the_run_with_the_output_that_began_last_is_found_and_a_demo_only_if_there_is_no_other():
    assert newest_run("classifier.safetensors") is None
    made("demo", "demo", "classifier.safetensors", hour=9)
    assert newest_run("classifier.safetensors").name == "demo"
    made("other", "train", "segmenter_scratch.safetensors", hour=8)
    made("newer", "train", "classifier.safetensors", hour=7)
    made("old", "train", "classifier.safetensors", hour=6)
    assert newest_run("classifier.safetensors").name == "newer"
    assert newest_run(r"(classifier|segmenter_\w+)\.safetensors").name == "other"
    assert newest_run("masks.h5") is None
