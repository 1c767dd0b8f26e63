"""Whatever goes wrong has one message on the error stream, its exit code, and no traceback on the screen."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

BREAK = "import shortcut_audit_cli.listing as listing, shortcut_audit.errors as errors\n"
RAISE = BREAK + "def broken(kind):\n    raise {error}\nlisting._entries = broken\n"
SLEEP = BREAK + (
    "def broken(kind):\n    import time\n    try:\n        print('ready', flush=True)\n        time.sleep(60)\n"
    "    finally:\n        print('tidied', flush=True)\nlisting._entries = broken\n"
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("errors.UsageError('said')", 2),
        ("errors.InputError('said')", 4),
        ("errors.AuditError('said')", 70),
        ("errors.DivergedError('said')", 71),
        ("errors.BusyError('said')", 73),
        ("errors.OutputError('said')", 74),
    ],
)
def test_an_error_of_ours_is_one_message_and_its_code(audit_after, files, error, code):
    ran = audit_after(RAISE.format(error=error), "list", "methods")

    assert (code, "", "error: said\n") == (ran.returncode, ran.stdout, ran.stderr)
    assert files() == {}


def test_a_bug_is_70_with_a_short_message_and_the_traceback_in_a_file(audit_after, tmp_path):
    ran = audit_after(RAISE.format(error="KeyError('lost')"), "list", "methods")

    assert ran.returncode == 70
    assert re.fullmatch(
        r"error: this is a bug of ours \(KeyError: 'lost'\); please report it .* in \S+\.txt\n", ran.stderr
    )
    written = Path(re.search(r"\S+\.txt", ran.stderr).group())
    assert written.parent == tmp_path
    assert "Traceback (most recent call last)" in written.read_text()
    assert "KeyError: 'lost'" in written.read_text()


def test_a_bug_is_70_also_where_no_file_can_be_written(audit_after):
    nowhere = (
        "import tempfile\ndef full(**_):\n    raise OSError(28, 'No space left on device')\ntempfile.mkstemp = full\n"
    )

    ran = audit_after(nowhere + RAISE.format(error="KeyError('lost')"), "list", "methods")

    assert ran.returncode == 70
    assert "the traceback could not be written to a file" in ran.stderr
    assert "KeyError: 'lost'" in ran.stderr.splitlines()[-1]


def test_an_error_of_the_file_system_is_74_and_names_the_path(audit_after):
    ran = audit_after(RAISE.format(error="PermissionError(13, 'Permission denied', 'runs/x')"), "list", "methods")

    assert ran.returncode == 74
    assert ran.stderr == "error: runs/x: Permission denied; check the path, its permissions and the free space\n"


def test_a_package_that_is_not_installed_is_2_and_says_how_to_get_it(audit_after):
    ran = audit_after(RAISE.format(error="ModuleNotFoundError(name='torch')"), "list", "methods")

    assert ran.returncode == 2
    assert "this command needs the package 'torch', which is not installed" in ran.stderr
    assert "pip install shortcut-audit" in ran.stderr


def test_a_module_of_ours_that_is_missing_is_a_bug(audit_after):
    ran = audit_after(RAISE.format(error="ModuleNotFoundError(name='shortcut_audit.lost')"), "list", "methods")

    assert ran.returncode == 70


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_its_code_after_tidying_up(start_after, number, code):
    process = start_after(SLEEP, "list", "methods")
    assert process.stdout.readline() == "ready\n"

    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert process.returncode == code
    assert out == "tidied\n"
    assert err == "stopped; the same command goes on from what is finished\n"


def test_a_reader_that_goes_away_is_no_error(start_after):
    process = start_after("import time\ntime.sleep(0.2)", "list", "configs", "--json")
    process.stdout.close()

    told = process.stderr.read()
    process.stderr.close()

    assert (process.wait(timeout=60), told) == (0, "")


def test_control_characters_in_names_do_not_reach_the_terminal(audit):
    ran = audit("list", "\x1b[2Jme[red]thods")

    assert ran.returncode == 2
    assert "no kind is called '\\x1b[2Jme[red]thods'" in ran.stderr


def test_an_output_stream_that_cannot_show_a_sign_shows_it_escaped(audit_after):
    no_torch = "sys.modules['torch'] = None"

    ran = audit_after(no_torch, "doctor", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert ran.returncode == 0
    assert "\\u2714 python" in ran.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", ""], "after --out there is an empty word"),
        (["--out="], "--out= has no value"),
        (["--root", "", "--out", "o"], "after --root there is an empty word"),
        (["", "--out", "o"], "after synthetic_cxr there is an empty word"),
    ],
)
def test_an_empty_word_is_refused_as_it_would_mean_the_current_folder(audit, files, words, said):
    ran = audit("data", "prepare", "--dataset", "synthetic_cxr", *words)

    assert (ran.returncode, ran.stderr) == (2, f"error: {said}; was a variable not set?\n")
    assert files() == {}


def test_an_empty_text_in_the_configuration_is_a_value(audit):
    ran = audit("data", "check", "--dataset", "chexpert", "--root", "nowhere", "--set", "dataset.title=")

    assert (ran.returncode, "nowhere" in ran.stderr, "empty" in ran.stderr) == (2, True, False)
