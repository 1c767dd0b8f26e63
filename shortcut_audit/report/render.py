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
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from shortcut_audit.audit.arms.result import ArmsResult
from shortcut_audit.audit.result.result import AuditResult, read_result
from shortcut_audit.audit.versions.update_result import UpdateResult
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.provenance import sha256_file, write_atomic
from shortcut_audit.report.machine import junit, markdown
from shortcut_audit.report.sections import ordered_sections
from shortcut_audit.report.tables import csv_tables

POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)
TWINS: dict[str, tuple[str, Callable[[AuditResult], str]]] = {
    "md": ("report.md", markdown),
    "junit": ("report.junit.xml", junit),
}
FORMATS = ("html", "json", "csv", *TWINS)


class Part(NamedTuple):
    """One part of a page; ``name`` is the id that links point to."""

    name: str
    title: str
    body: Markup


def render_html(result: AuditResult, *, source_sha256: str) -> str:
    """Return the report as one HTML page.

    Args:
        result: the audit result; nothing else is shown.
        source_sha256: SHA-256 of the ``audit.json`` it was read from, printed at the end.
    """
    parts = [Part(section.name, section.title, section.body(result)) for section in ordered_sections()]
    about = [
        result.dataset.get("title") or result.dataset.get("name") or "data set without a name",
        f"{result.counts.images:,} images of {result.counts.patients:,} patients",
    ]
    return render_page(
        result, parts, about=about, banners=result.banners, source="audit.json", source_sha256=source_sha256
    )


def render_page(
    result: AuditResult | UpdateResult | ArmsResult, parts: Sequence[Part], *, about: Sequence[str], source: str,
    source_sha256: str, banners: Sequence[str] = (),
) -> str:  # fmt: skip
    """Return a page with a heading, a list of its parts, and the parts.

    Args:
        result: for title, status and provenance.
        parts: what the page shows, in order.
        about: what stands under the title.
        source: name of the file that it was made from.
        source_sha256: of that file, printed at the end.
        banners: what must be read first.
    """
    style, script = _asset("style.css"), _asset("script.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_asset("template.html"))
    return page.render(
        result=result,
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        parts=parts,
        banners=banners,
        about=about,
        source=source,
        source_sha256=source_sha256,
    )


def write_report(source: Path, formats: Sequence[str] = ("html",)) -> list[Path]:
    """Write the report of an audit beside its ``audit.json``.

    Args:
        source: an ``audit.json``, or the run folder it lies in.
        formats: any of html, json, csv, md, junit; json is ``audit.json`` itself.

    Returns:
        what was written: one path a format, for csv one a table.

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
    return [written for name in formats for written in _write(result, path, name)]


def _write(result: AuditResult, source: Path, name: str) -> list[Path]:
    if name == "json":
        return [source]
    if name == "html":
        texts = {"report.html": render_html(result, source_sha256=sha256_file(source))}
    elif name == "csv":
        texts = csv_tables(result)
    else:
        file_name, write = TWINS[name]
        texts = {file_name: write(result)}
    for file_name, text in texts.items():
        write_atomic(source.with_name(file_name), text)
    return [source.with_name(file_name) for file_name in texts]


def _asset(name: str) -> Markup:
    """Return a file of ours as markup; no text of a user ever comes this way."""
    return Markup(files("shortcut_audit.report").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
