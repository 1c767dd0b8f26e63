"""What a long-running step tells the person in front of it, and how many threads it may use.

On a terminal there is a bar; elsewhere (batch jobs, CI) one plain line every 30 seconds. All of it
goes to the error stream: the output stream carries results only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Protocol

PLAIN_LINE_SECONDS = 30.0
MEMINFO, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPJ_NUM_THREADS")


class Bar(Protocol):
    """Where a step reports that it went on."""

    def advance(self, steps: int = 1) -> None:
        """Report ``steps`` more units of work done."""


class _PlainBar:
    """Prints a line when work starts and ends, and one every 30 seconds between."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._done = 0
        self._start = self._said = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._said < PLAIN_LINE_SECONDS:
            return
        self._said = now
        elapsed = now - self._start
        left = elapsed / max(self._done, 1) * (self._total - self._done)
        say(f"{self._what}: {self._done} of {self._total} {self._unit}, about {left:.0f} s left")

    def finish(self) -> None:
        seconds = time.monotonic() - self._start
        say(f"{self._what}: {self._done} {self._unit} in {seconds:.0f} s")


class _RichBar:
    """A bar on a terminal."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def advance(self, steps: int = 1) -> None:
        self._advance(steps)


@contextmanager
def progress(what: str, total: int, unit: str = "steps") -> Iterator[Bar]:
    """Show that ``total`` units of ``what`` are being worked through.

    Args:
        what: the work in words, as a sentence's beginning ("Training the classifier").
        total: units of work.
        unit: the plural of a unit ("films").
    """
    if not sys.stderr.isatty():
        bar = _PlainBar(what, total, unit)
        yield bar
        bar.finish()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TextColumn(unit, markup=False), TimeElapsedColumn(), TextColumn("left", markup=False),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total)
        yield _RichBar(lambda steps: shown.advance(task, steps))


def say(message: str) -> None:
    """Print one line of information to the error stream."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Begin processes that Ctrl-C, which reaches all of a terminal, does not end with a traceback each.

    They never hear of it: who gave out the work ends them. Here it is heard afterwards. Blocking is inherited by the
    processes, but hinders no other thread here from taking the signal; so the handler waits as well.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def end_with_parent() -> None:
    """End this process as soon as the one that began it is gone, which cannot do that any more if it was killed."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def available_memory() -> int | None:
    """Return how many bytes of memory this process can still get, None where the system does not tell.

    On Linux what the kernel calls available, less where a control group (a container) allows less.
    """
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        found = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError, IndexError):
        return None
    try:
        allowed = int((CGROUP / "memory.max").read_text()) - int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return found
    return max(min(found, allowed), 0)


def usable_cores() -> int:
    """Return how many cores this process may use, which on a shared machine can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cap_threads() -> int:
    """Limit BLAS and OpenMP to the cores this process may use, and let OpenJPEG use them; return that number.

    Must run before numpy is imported. Over-subscribed BLAS pools made a peer's audit 20 times slower; OpenJPEG, with
    which Pillow decodes JPEG 2000, takes one thread where nothing is said.
    A limit that the user set is left alone, and holds for the libraries that were not named: torch takes
    MKL_NUM_THREADS before OMP_NUM_THREADS, and threads that wait for a core of their own spin.
    """
    cores = usable_cores()
    named = [os.environ[variable] for variable in THREAD_VARIABLES if os.environ.get(variable)]
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, named[0] if named else str(cores))
    return cores
