"""``audit list KIND``: what can be named in a configuration or on the command line."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from .options import PrintOptions, takes
from .output import emit, emit_json, emit_table

REGISTRIES = {
    "datasets": ("shortcut_audit.data.datasets", "DATASETS"),
    "codecs": ("shortcut_audit.data.drawn.codecs", "CODECS"),
    "attributes": ("shortcut_audit.data.spurious", "SPURIOUS"),
    "rules": ("shortcut_audit.masks.rules", "RULES"),
    "exports": ("shortcut_audit.masks.exports", "EXPORTS"),
    "imports": ("shortcut_audit.masks.imports", "IMPORTS"),
    "methods": ("shortcut_audit.attribution.base", "METHODS"),
    "summarizers": ("shortcut_audit.models.summarizers", "SUMMARIZERS"),
    "cleaning": ("shortcut_audit.masks.cleaning", "CLEANING"),
    "probes": ("shortcut_audit.audit.lint.probes", "PROBES"),
    "checks": ("shortcut_audit.audit.checks", "CHECKS"),
    "sections": ("shortcut_audit.report.sections", "SECTIONS"),
}
KINDS = (*REGISTRIES, "configs")


@takes(PrintOptions)
def list_kind(
    options: PrintOptions, *, kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS))]
) -> None:
    """What there is, by kind: datasets, attributes, methods, checks and the like.

    Reads the package only. Each entry is one file of it: add a file, and it
    is listed here.

    Example: audit list datasets
    """
    entries = _entries(kind)
    if options.as_json:
        emit_json([{"name": name, "about": about} for name, about in entries])
    elif entries:
        emit_table(("name", "about"), entries)
    else:
        emit(f"no {kind}")


def _entries(kind: str) -> list[tuple[str, str]]:
    from shortcut_audit.errors import UsageError, did_you_mean

    if kind == "configs":
        from .shipped import first_comment, shipped_configs

        return [(name, first_comment(path)) for name, path in shipped_configs().items()]
    if kind not in REGISTRIES:
        raise UsageError(f"no kind is called '{kind}'{did_you_mean(kind, KINDS)}; there are: {', '.join(KINDS)}")
    module, registry = REGISTRIES[kind]
    described: list[tuple[str, str]] = getattr(import_module(module), registry).describe()
    return described
