"""What is installed is what is here: a package that pyproject.toml does not list is missing from the wheel alone."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_package_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    here = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "shortcut_audit").rglob("__init__.py")}
    assert set(listed) == here | {"shortcut_audit_cli", "shortcut_audit_configs"}
    assert len(listed) == len(set(listed))
