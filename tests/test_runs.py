"""A run folder: what is done is done only if it still holds."""

import json
import os
import subprocess
import sys

import pytest

from shortcut_audit.config import load_config
from shortcut_audit.errors import BusyError, InputError, OutputError, UsageError
from shortcut_audit.lock import LOCK
from shortcut_audit.provenance import sha256_file
from shortcut_audit.runs import RECORD, hold, open_run, read_run

CONFIG = load_config(sets=["name=small"])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to be in, so that ./runs is the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opened(here):
    """Open the run folder ``out``; other options by name."""
    return lambda command="train", config=CONFIG, new=False, out=here / "out": open_run(
        command, config, out=out, new=new
    )


def do(run, calls, *, inputs=None, outputs=("a.txt", "b.txt"), name="work"):
    def work():
        calls.append(name)
        for output in outputs:
            run.path(output).write_text(f"{output} {len(calls)}")

    run.stage(name, inputs={"x": 1} if inputs is None else inputs, outputs=outputs, work=work)


def test_a_stage_is_done_once_also_when_the_command_is_typed_again(opened, capsys):
    calls = []
    for _ in range(3):
        with opened() as run:
            do(run, calls)
    assert calls == ["work"]
    assert "work: done before, taken as it is" in capsys.readouterr().err


@pytest.mark.parametrize("changes", [{"inputs": {"x": 2}}, {"outputs": ("a.txt",)}])
def test_a_stage_with_other_inputs_or_outputs_is_done_again(opened, changes):
    calls = []
    with opened() as run:
        do(run, calls)
        do(run, calls, **changes)
    assert len(calls) == 2


@pytest.mark.parametrize("harm", ["alter", "remove", "truncate"])
def test_a_stage_whose_output_was_altered_is_done_again(opened, harm, capsys):
    calls = []
    with opened() as run:
        do(run, calls)
    path = run.path("b.txt")
    path.unlink() if harm == "remove" else path.write_text("else" if harm == "alter" else "")
    with opened() as run:
        do(run, calls)
        assert path.read_text() == "b.txt 2"
        assert run.digest("b.txt") == sha256_file(path)
    assert "work: b.txt is missing or altered; making it again" in capsys.readouterr().err


def test_a_stage_that_failed_is_not_done_and_what_was_before_it_is(opened):
    calls = []

    def fails():
        raise KeyboardInterrupt

    with opened() as run:
        do(run, calls, name="first")
        with pytest.raises(KeyboardInterrupt):
            run.stage("second", inputs={}, outputs=["c.txt"], work=fails)
        assert not read_run(run.folder).finished
    with opened() as run:
        do(run, calls, name="first")
        do(run, calls, name="second", outputs=("c.txt",))
    assert calls == ["first", "second"]
    assert read_run(run.folder).finished


def test_while_a_stage_is_done_again_it_does_not_count_as_done(opened):
    seen = []
    with opened() as run:
        do(run, [])
        run.stage(
            "work", inputs={"x": 2}, outputs=["a.txt"],
            work=lambda: seen.append((run.has("a.txt"), json.loads(run.path(RECORD).read_text())["stages"])),
        )  # fmt: skip
    assert seen == [(False, {})]


def test_an_output_is_known_only_from_a_finished_stage(opened):
    with opened() as run:
        run.path("a.txt").write_text("left over")
        assert not run.has("a.txt")
        with pytest.raises(UsageError, match=r"out has no a.txt; run the stage that makes it first"):
            run.digest("a.txt")
        do(run, [])
        assert run.has("a.txt")
        assert run.digest("a.txt") == sha256_file(run.path("a.txt"))
        run.path("a.txt").unlink()
        assert not run.has("a.txt")


def test_a_run_can_be_read_back(opened):
    with opened(command="train --supervision mask", config=load_config(sets=["seed=4"])) as run:
        assert not run.finished
    found = read_run(run.folder)
    assert (found.command, found.config.seed, found.finished) == ("train --supervision mask", 4, True)
    assert run.path(RECORD).stat().st_mode & 0o777 == 0o600


def test_a_folder_of_another_configuration_is_refused_and_left_as_it_is(opened):
    with opened() as run:
        do(run, [])
    before = run.path(RECORD).read_bytes()
    message = r"out belongs to another run \('audit train' with another configuration\); choose another --out"
    for changes in ({"config": load_config(sets=["seed=1"])}, {"command": "pretrain"}):
        with pytest.raises(BusyError, match=message), opened(**changes):
            pass
    assert run.path(RECORD).read_bytes() == before


def test_what_is_asked_of_the_models_does_not_make_another_run(opened):
    with opened():
        pass
    with opened(config=load_config(sets=["name=small", "evaluate.margin=0.2"])) as run:
        assert run.config.evaluate.margin == 0.2


def test_a_folder_with_something_else_in_it_is_refused(opened, here):
    (here / "out").mkdir()
    (here / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(BusyError, match=r"out is not empty and not a run of ours; choose another --out"), opened():
        pass
    assert [path.name for path in (here / "out").iterdir()] == ["thesis.tex"]


def test_a_lock_of_a_process_that_is_gone_is_taken_over(opened, here):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with opened():
        pass
    (here / "out" / LOCK).write_text(f"{gone.pid}\n")
    with opened() as run:
        assert run.path(LOCK).read_text() == f"{os.getpid()}\n"
    assert not run.path(LOCK).exists()


@pytest.mark.parametrize("content", ["", "not a number\n"])
def test_a_lock_that_names_nobody_is_taken_over(opened, here, content):
    with opened():
        pass
    (here / "out" / LOCK).write_text(content)
    with opened() as run:
        assert run.path(LOCK).read_text() == f"{os.getpid()}\n"


def test_a_folder_held_by_a_living_process_is_refused(opened):
    with opened() as run:
        pass
    run.path(LOCK).write_text(f"{os.getppid()}\n")
    message = rf"out is in use by process {os.getppid()}; wait for it, or choose another --out"
    with pytest.raises(BusyError, match=message), opened():
        pass
    with pytest.raises(BusyError, match=message), hold(read_run(run.folder)):
        pass
    assert run.path(LOCK).exists()


def test_a_process_of_another_user_is_alive(opened, monkeypatch):
    with opened() as run:
        pass
    run.path(LOCK).write_text("1\n")

    def forbidden(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    with pytest.raises(BusyError, match="in use by process 1"), opened():
        pass


def test_a_held_run_is_locked_and_released(opened):
    with opened() as run:
        pass
    with hold(read_run(run.folder)) as held:
        assert held.path(LOCK).exists()
    assert not run.path(LOCK).exists()


@pytest.mark.parametrize("error", [UsageError, InputError])
def test_where_the_input_is_refused_nothing_new_stays_on_disk(opened, here, error):
    with pytest.raises(error), opened(out=here / "deep" / "er" / "out"):
        raise error("no such column")
    assert list(here.iterdir()) == []


def test_a_folder_that_another_run_moved_into_stays(opened, here):
    def refused():
        (here / "runs" / "theirs").mkdir()
        raise UsageError("no such column")

    with pytest.raises(UsageError, match="no such column"), opened(out=here / "runs" / "mine"):
        refused()
    assert [path.name for path in (here / "runs").iterdir()] == ["theirs"]


def test_what_was_there_before_stays_where_the_input_is_refused(opened, here):
    (here / "deep").mkdir()
    (here / "deep" / "note.txt").write_text("mine")
    with pytest.raises(InputError), opened(out=here / "deep" / "out"):
        raise InputError("no such column")
    assert [path.name for path in (here / "deep").iterdir()] == ["note.txt"]


def test_a_run_that_has_begun_stays_where_the_input_is_refused(opened):
    def refused(run):
        do(run, [])
        raise InputError("a mask cannot be read")

    with pytest.raises(InputError), opened() as run:
        refused(run)
    assert read_run(run.folder).has("a.txt")


def test_a_finished_run_stays_finished_where_what_was_asked_of_it_is_refused(opened):
    with opened() as run:
        do(run, [])
    before = (run.folder / "run.json").read_bytes()
    with pytest.raises(UsageError), opened():
        raise UsageError("not as planned")
    assert (run.folder / "run.json").read_bytes() == before


def test_an_empty_folder_is_empty_again_where_the_input_is_refused(opened, here):
    (here / "out").mkdir()
    with pytest.raises(InputError), opened():
        raise InputError("no such column")
    assert list((here / "out").iterdir()) == []


def test_a_folder_without_a_record_is_no_run(here):
    with pytest.raises(UsageError, match=r"is not a run folder \(run.json is not there\); name one with --run"):
        read_run(here)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"stages": {}}'])
def test_a_record_that_is_damaged_is_said_so(opened, content):
    with opened() as run:
        pass
    run.path(RECORD).write_text(content)
    for attempt in (lambda: read_run(run.folder), lambda: opened().__enter__()):
        with pytest.raises(OutputError, match=r"run.json is damaged and cannot be read; start again with --new"):
            attempt()
