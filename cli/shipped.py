"""The configurations that come with the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from shortcut_audit.errors import UsageError, did_you_mean

PACKAGE = "shortcut_audit_configs"


def shipped_configs() -> dict[str, Path]:
    """Return the shipped YAML files by name, sorted."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return {path.stem: path for folder in folders for path in sorted(Path(folder).glob("*.yaml"))}


def find_config(name: str) -> Path:
    """Return the file that ``--config NAME`` means: a path, or the name of a shipped configuration.

    Raises:
        UsageError: neither; the message names the nearest shipped one.
    """
    path = Path(name)
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    shipped = shipped_configs()
    if name not in shipped:
        raise UsageError(
            f"--config {name}: no such file, and no configuration of that name is shipped"
            f"{did_you_mean(name, shipped)}; shipped are: {', '.join(shipped) or 'none'}"
        )
    return shipped[name]


def first_comment(path: Path) -> str:
    """Return the first comment line of a YAML file: what it is for."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
