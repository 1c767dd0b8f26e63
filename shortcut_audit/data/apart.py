"""GDCM in a process of its own: on some damaged frames it ends the process that it runs in, and with it hours of work.

The process is begun with the first film that needs it, runs this file as a script, and ends with its parent. It says
that it is ready, then reads files from its standard input, each with its length before it, and writes what they store
to its standard output: a line of ``+``, type and shape, then the values, or a line of ``-`` and the reason.
"""

from __future__ import annotations

import atexit
import io
import os
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")
_READY = b"shortcut-audit: ready\n"
"""The first line of the process; what an interpreter prints before it is no answer."""


def decode_apart(raw: bytes) -> NDArray[Any]:
    """Return the stored values of the first frame of a DICOM file, decoded by GDCM.

    Raises:
        ValueError: GDCM or pydicom refuses the file, or GDCM broke down on it, twice: the first time it may have been
            ended from outside, by Ctrl-C or for want of memory.
        UsageError: the process does not start.
    """
    try:
        return _CHILD.ask(raw)
    except (OSError, EOFError):
        pass
    try:
        return _CHILD.ask(raw)
    except (OSError, EOFError) as error:
        raise ValueError("gdcm: broke down on it") from error


class _Child:
    """The process, which answers one question at a time; a forked process gets one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def ask(self, raw: bytes) -> NDArray[Any]:
        """Return the answer of the process, which is begun if there is none.

        Raises:
            UsageError: it does not start.
            ValueError: it says why it cannot read the file.
            OSError, EOFError: it ended instead.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._begin()
            process = cast("subprocess.Popen[bytes]", self._process)
            questions, answers = cast("IO[bytes]", process.stdin), cast("io.BufferedReader", process.stdout)
            try:
                questions.write(_LENGTH.pack(len(raw)))
                questions.write(raw)
                questions.flush()
                reason, stored = _read_answer(answers)
            except BaseException:
                # Also if interrupted: what it still answers must not become the next film's.
                self._end()
                raise
        if stored is None:
            raise ValueError(reason)
        return stored

    def _begin(self) -> None:
        self._end()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            _widen(self._process)
            if any(line == _READY for line in cast("IO[bytes]", self._process.stdout)):
                return
            reason = "it ended at once"
        except OSError as error:
            reason = str(error)
        self._end()
        from shortcut_audit.errors import UsageError  # the process, which runs this file, may not find the package

        raise UsageError(
            f"lossless JPEG is decoded by '{sys.executable}' in a process of its own, which does not start ({reason}); "
            "try 'audit doctor', or save these films uncompressed"
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        _close(process)

    def _forget(self) -> None:
        """Leave the process to the one that began it, which this one was forked from."""
        self._lock = threading.Lock()
        if self._process is not None:
            self._process.returncode = 0
            _close(self._process)
        self._process = None


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let a film through the pipes in a few pieces instead of hundreds, where the system allows it."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        for pipe in (process.stdin, process.stdout):
            fcntl.fcntl(cast("IO[bytes]", pipe), fcntl.F_SETPIPE_SZ, 2**20)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        # What was not sent to a process that is gone is lost with it.
        with suppress(OSError):
            cast("IO[bytes]", pipe).close()


_CHILD = _Child()


def _read_answer(answers: io.BufferedReader) -> tuple[str, NDArray[Any] | None]:
    line = answers.readline().decode()
    if not line.endswith("\n"):
        raise EOFError
    if line.startswith("-"):
        return line[1:-1], None
    kind, *shape = line[1:].split()
    stored = np.empty([int(side) for side in shape], dtype=kind)
    if answers.readinto(stored.data.cast("B")) < stored.nbytes:
        raise EOFError
    return "", stored


def _answer(raw: bytes, answers: IO[bytes]) -> None:
    import pydicom
    from pydicom.pixels.utils import pixel_array

    try:
        stored = np.ascontiguousarray(pixel_array(pydicom.dcmread(io.BytesIO(raw)), index=0, decoding_plugin="gdcm"))
    except Exception as error:  # noqa: BLE001 (whatever is raised is why the film cannot be read)
        reason = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        # So GDCM's binding fails where GDCM has decoded nothing.
        reason = "gdcm: it is damaged" if "'NoneType'" in reason else reason
        answers.write(f"-{reason}\n".encode())
    else:
        answers.write(f"+{stored.dtype.str} {' '.join(map(str, stored.shape))}\n".encode())
        answers.write(stored.data.cast("B"))
    answers.flush()


def _serve() -> None:
    # Ctrl-C is for the parent, and what a library prints is no answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for library in ("gdcm", "pydicom"):
        import_module(library)  # what is missing is missed now, not with each film
    answers.write(_READY)
    answers.flush()
    while length := sys.stdin.buffer.read(_LENGTH.size):
        _answer(sys.stdin.buffer.read(*_LENGTH.unpack(length)), answers)


if __name__ == "__main__":
    _serve()
