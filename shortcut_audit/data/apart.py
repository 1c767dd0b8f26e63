"""GDCM in a process of its own: on some damaged frames it ends the process that it runs in, and with it hours of work.

The process is begun with the first film that needs it, runs this file as a script, and ends with its parent. It reads
files from its standard input, each with its length before it, and writes what they store to its standard output: a
line of ``+``, type and shape, then the values, or a line of ``-`` and the reason.
"""

from __future__ import annotations

import atexit
import io
import os
import struct
import subprocess
import sys
import threading
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")


def decode_apart(raw: bytes) -> NDArray[Any]:
    """Return the stored values of the first frame of a DICOM file, decoded by GDCM.

    Raises:
        ValueError: GDCM or pydicom refuses the file, or GDCM broke down on it.
    """
    try:
        return _CHILD.ask(raw)
    except (OSError, EOFError) as error:
        raise ValueError("gdcm: broke down on it") from error


class _Child:
    """The process, which answers one question at a time; a forked process gets one of its own."""

    def __init__(self) -> None:
        self._forget()
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, raw: bytes) -> NDArray[Any]:
        """Return the answer of the process, which is begun if there is none.

        Raises:
            ValueError: it says why it cannot read the file.
            OSError, EOFError: it ended instead.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", __file__],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            questions, answers = cast("IO[bytes]", self._process.stdin), cast("io.BufferedReader", self._process.stdout)
            try:
                questions.write(_LENGTH.pack(len(raw)) + raw)
                questions.flush()
                reason, stored = _read_answer(answers)
            except BaseException:
                # Also if interrupted: what it still answers must not become the next film's.
                self._end()
                raise
        if stored is None:
            raise ValueError(reason)
        return stored

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None


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
        answers.write(f"-{reason}\n".encode())
    else:
        answers.write(f"+{stored.dtype.str} {' '.join(map(str, stored.shape))}\n".encode())
        answers.write(stored.data.cast("B"))
    answers.flush()


def _serve() -> None:
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while length := sys.stdin.buffer.read(_LENGTH.size):
        _answer(sys.stdin.buffer.read(*_LENGTH.unpack(length)), answers)


if __name__ == "__main__":
    _serve()
