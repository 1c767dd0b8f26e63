"""Help teaches, is fast, and never imports torch."""

from __future__ import annotations

from importlib.metadata import version

import pytest

COMMANDS = [
    "demo", "train", "explain", "pretrain", "finetune", "evaluate", "compare", "report", "list", "doctor",
    "data check", "data prepare", "data synth", "data lint",
]  # fmt: skip
PRINT_EVERY_HELP = """
from shortcut_audit_cli.main import app
for words in {commands!r}:
    print("=====", words)
    try:
        app([*words.split(), "--help"])
    except SystemExit as end:
        assert end.code == 0, words
heavy = sorted(set(sys.modules) & {{"torch", "numpy", "polars", "scipy", "timm", "captum", "shortcut_audit.pipeline"}})
print("===== imported", heavy)
"""


def test_the_help_of_every_command_says_what_it_reads_and_leaves_and_gives_an_example_without_heavy_imports(
    audit_after,
):
    ran = audit_after(PRINT_EVERY_HELP.format(commands=COMMANDS), "--version")

    pages = dict(page.split("\n", 1) for page in ran.stdout.split("===== ")[1:])
    assert "imported []" in pages.popitem()[0], "help must not import these"
    assert list(pages) == COMMANDS
    for command, page in pages.items():
        assert f"Example: audit {command}" in page
        assert "Reads" in page
        assert "eaves" in page or command == "list"


def test_the_first_page_names_every_command_where_to_start_and_the_exit_codes(audit):
    ran = audit("--help")

    assert ran.returncode == 0
    for command in {words.split()[0] for words in COMMANDS}:
        assert f"│ {command} " in ran.stdout
    assert "Start with 'audit demo'" in ran.stdout
    assert "Exit codes: 0 done, 1 FAIL, 2 usage" in ran.stdout


def test_version_is_the_version_of_the_installed_package(audit):
    ran = audit("--version")

    assert (0, f"shortcut-audit {version('shortcut-audit')}\n") == (ran.returncode, ran.stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["evaluat"], "Did you mean 'evaluate'?"),
        (["data", "chek"], "Did you mean 'check'?"),
        (["evaluate", "--spurios", "x"], "--spurious"),
        (["evaluate", "--fail-on", "sometimes"], "'sometimes' is not one of"),
        (["report"], "Missing argument 'RUN'"),
        (["train", "--device", "gpu"], "'gpu' is not"),
    ],
)
def test_a_slip_of_the_keyboard_is_told_apart_and_ends_with_2(audit, words, told):
    ran = audit(*words)

    assert ran.returncode == 2
    assert told in ran.stderr
    assert ran.stdout == ""
