"""The installed program, run as a user runs it, and the same program with one thing broken."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("audit")
Ran = subprocess.CompletedProcess[str]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a program in the test's empty folder; Rich gets no colour and a wide page."""

    def begin(*words: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        ours = {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200", "TMPDIR": str(tmp_path)}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SHORTCUT_AUDIT", "FORCE_"))}
        return subprocess.Popen(
            [str(word) for word in words],
            cwd=tmp_path, env={**kept, **ours, **(env or {})}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return begin


@pytest.fixture
def audit(start: Start) -> Callable[..., Ran]:
    """Run the installed ``audit``."""

    def run(*words: str | Path, env: dict[str, str] | None = None) -> Ran:
        return _finish(start(PROGRAM, *words, env=env))

    return run


@pytest.fixture
def start_after(start: Start) -> Start:
    """Start ``audit`` after some lines of Python that break or probe something."""

    def begin(before: str, *words: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        code = f"import sys\n{before}\nsys.argv = ['audit', *{[str(word) for word in words]!r}]\n"
        code += "from shortcut_audit_cli.main import main\nmain()\n"
        return start(sys.executable, "-c", code, env=env)

    return begin


@pytest.fixture
def audit_after(start_after: Start) -> Callable[..., Ran]:
    """Run ``audit`` after some lines of Python that break or probe something."""

    def run(before: str, *words: str | Path, env: dict[str, str] | None = None) -> Ran:
        return _finish(start_after(before, *words, env=env))

    return run


@pytest.fixture
def files(tmp_path: Path) -> Callable[[], dict[str, bytes]]:
    """Return every file in the test's folder with its content: what a refused input leaves as it was."""
    return lambda: {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def _finish(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=120)
    return Ran(process.args, process.returncode, out, err)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[list[dict[str, str | float]]], None]:
    """Write ``scores.csv`` into the test's folder."""

    def write_rows(rows: list[dict[str, str | float]]) -> None:
        with (tmp_path / "scores.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    return write_rows
