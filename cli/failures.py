"""From an exception to one message and an exit code: never a traceback on the screen.

An :class:`~shortcut_audit.errors.AuditError` carries its code. An error of the file system is 74. A
package that is not there is 2: 'audit evaluate --scores' and 'audit report' do without torch, the
rest does not. Everything else is a bug of ours: 70, with the traceback in a file.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from types import FrameType
from typing import NoReturn

from shortcut_audit.errors import AuditError, OutputError, UsageError

from .output import printable

BUG = AuditError.exit_code
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
OWN_PACKAGES = ("shortcut_audit", "shortcut_audit_cli")


def fail(error: Exception) -> NoReturn:
    """Say what went wrong in one message on the error stream and end with the code for it."""
    message, code = _explain(error)
    print(f"error: {printable(message)}", file=sys.stderr, flush=True)
    sys.exit(code)


def _explain(error: Exception) -> tuple[str, int]:
    if isinstance(error, AuditError):
        return str(error), error.exit_code
    if isinstance(error, ModuleNotFoundError) and _package(error) not in OWN_PACKAGES:
        return (
            f"this command needs the package '{_package(error)}', which is not installed; "
            "'python -m pip install shortcut-audit' installs all it needs ('audit doctor' lists them)"
        ), UsageError.exit_code
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}; check the path, its permissions and the free space", (
            OutputError.exit_code
        )
    return f"this is a bug of ours ({type(error).__name__}: {error}); {_keep_traceback(error)}", BUG


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def _keep_traceback(error: Exception) -> str:
    """Write the traceback to a file of its own; where even that fails, put it into the message."""
    text = "".join(traceback.format_exception(error))
    try:
        descriptor, name = tempfile.mkstemp(prefix="shortcut-audit-error-", suffix=".txt")
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
    except OSError:
        return f"the traceback could not be written to a file:\n{text.rstrip()}"
    return f"please report it with the traceback in {name}"


def stop_on_sigterm() -> None:
    """End with 143 when asked to terminate, through every ``finally`` on the way out."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(TERMINATED)

    signal.signal(signal.SIGTERM, stop)


def tell_stopped(code: object) -> None:
    """Say so where a signal ended the command."""
    if code in (INTERRUPTED, TERMINATED):
        print("stopped; the same command goes on from what is finished", file=sys.stderr, flush=True)
