"""Errors a user can cause, each with the exit code that the command line returns for it.

AuditError                70  our bug, unless a subclass says otherwise
├── UsageError             2  command line, config, unknown name, a column that is not there
├── InputError             4  the content of an input: a value, a duplicate, too many bad images, leakage
├── DivergedError         71  training produced no finite loss
├── BusyError             73  a run folder is in use, or would be overwritten
└── OutputError           74  input/output failed, or a file of ours is truncated or fails its hash

A message says what was found, what was expected and what to do, naming the file, row or key.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AuditError(Exception):
    """Base of every error that is reported as one message without a traceback."""

    exit_code = 70


class UsageError(AuditError):
    """What was typed or configured cannot be carried out."""

    exit_code = 2


class InputError(AuditError):
    """A file the user brought holds something that must not be guessed at."""

    exit_code = 4


class DivergedError(AuditError):
    """Training ran into a loss that is not finite."""

    exit_code = 71


class BusyError(AuditError):
    """A run folder belongs to another run."""

    exit_code = 73


class OutputError(AuditError):
    """A file could not be written, or one of ours is not what was written."""

    exit_code = 74


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest known name, or an empty string."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{matches[0]}'?)" if matches else ""
