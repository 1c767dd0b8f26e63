"""A pickle of plain values: nothing in it can name a class or a function, so nothing in it can run."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import NoReturn

from shortcut_audit.errors import InputError, UsageError


class _PlainUnpickler(pickle._Unpickler):  # noqa: SLF001 (it has no other name)
    """In Python, whose memo is a dict: the fast one takes as much memory as a damaged file says."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}, which could run code")


def read_flags(path: Path) -> dict[str, bool]:
    """Return the dict of names to True and False that a pickle holds.

    Raises:
        UsageError: the file cannot be opened.
        InputError: it holds anything else.
    """
    try:
        found = _PlainUnpickler(io.BytesIO(path.read_bytes())).load()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name an existing file") from error
    except Exception as error:
        raise InputError(f"{path}: not a pickle of plain values ({error}); fetch the file again") from error
    if not isinstance(found, dict) or not all(isinstance(k, str) and isinstance(v, bool) for k, v in found.items()):
        raise InputError(f"{path}: expected a dict of image ids to True or False, found {type(found).__name__}")
    return found
