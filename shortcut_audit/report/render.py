"""One offline page from an audit result, and the same result for machines.

The page loads nothing: a strict content security policy admits one style and one script by their
hashes and pictures inside the page only. The same result gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from shortcut_audit.audit.result import AuditResult, read_result
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.provenance import sha256_file, write_atomic
from shortcut_audit.report.machine import junit, markdown, metrics_csv
from shortcut_audit.report.sections import ordered_sections

POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)
TWINS: dict[str, tuple[str, Callable[[AuditResult], str]]] = {
    "csv": ("metrics.csv", metrics_csv),
    "md": ("report.md", markdown),
    "junit": ("report.junit.xml", junit),
}
FORMATS = ("html", "json", *TWINS)


def render_html(result: AuditResult, *, source_sha256: str) -> str:
    """Return the report as one HTML page.

    Args:
        result: the audit result; nothing else is shown.
        source_sha256: SHA-256 of the ``audit.json`` it was read from, printed at the end.
    """
    style, script = _asset("style.css"), _asset("script.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_asset("template.html"))
    return page.render(
        result=result,
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        sections=[(section, section.body(result)) for section in ordered_sections()],
        source_sha256=source_sha256,
    )


def write_report(source: Path, formats: Sequence[str] = ("html",)) -> list[Path]:
    """Write the report of an audit beside its ``audit.json``.

    Args:
        source: an ``audit.json``, or the run folder it lies in.
        formats: any of html, json, csv, md, junit; json is ``audit.json`` itself.

    Returns:
        one path for each format.

    Raises:
        UsageError: a format that does not exist.
        OutputError: ``audit.json`` is missing or not one of ours, or a file cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            known = ", ".join(FORMATS)
            raise UsageError(f"no report format is called '{name}'{did_you_mean(name, FORMATS)}; there are: {known}")
    path = source / "audit.json" if source.is_dir() else source
    result = read_result(path)
    return [_write(result, path, name) for name in formats]


def _write(result: AuditResult, source: Path, name: str) -> Path:
    if name == "json":
        return source
    if name == "html":
        target, text = source.with_name("report.html"), render_html(result, source_sha256=sha256_file(source))
    else:
        file_name, write = TWINS[name]
        target, text = source.with_name(file_name), write(result)
    write_atomic(target, text)
    return target


def _asset(name: str) -> Markup:
    """Return a file of ours as markup; no text of a user ever comes this way."""
    return Markup(files("shortcut_audit.report").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
