"""How to make this report again, and which files may be shared."""

from __future__ import annotations

import json

from markupsafe import Markup

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.provenance import Provenance
from shortcut_audit.report.blocks import definitions, folded, nothing, paragraph, table
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.sections import section


@section("reproduce", title="How to reproduce", order=140)
def reproduce(result: AuditResult) -> Markup:
    """Command, configuration, seed, versions and hashes, and what may be shared."""
    return join([
        paragraph("The command that made the audit:"),
        origin_of(result.provenance),
        tag("h3", "What may be shared"),
        paragraph("This page, audit.json and the tables made from it hold case numbers only. Not to be shared: "
                  "manifest.csv, scores.csv, masks.h5, cases.csv and label_next.csv; they hold ids as they came."),
    ])  # fmt: skip


def origin_of(origin: Provenance) -> Markup:
    """Return command, configuration, versions and hashes of what was made."""
    config = json.dumps(origin.config, indent=2, ensure_ascii=False, sort_keys=True)
    facts = (
        ("Version", origin.version),
        ("Commit", _commit(origin.commit)),
        ("Seed", "not set" if origin.seed is None else str(origin.seed)),
        ("Run", origin.created),
        ("Python", origin.python),
        ("Machine", origin.machine),
    )
    return join(
        [
            tag("pre", tag("code", origin.command), tabindex="0"),
            definitions(facts),
            folded("Configuration after defaults", tag("pre", tag("code", config), tabindex="0")),
            tag("h3", "Inputs"),
            _table("Inputs", ("Input", "SHA-256"), origin.inputs, "No input was recorded."),
            tag("h3", "Packages"),
            _table("Packages", ("Package", "Version"), origin.packages, "No package was recorded."),
        ]
    )


def _commit(commit: str | None) -> str:
    if commit is None:
        return "not a source checkout"
    return f"{commit} (with changes that are not committed)" if commit.endswith("-dirty") else commit


def _table(title: str, head: tuple[str, str], found: dict[str, str], otherwise: str) -> Markup:
    if not found:
        return nothing(otherwise)
    rows = ([name, tag("code", value)] for name, value in sorted(found.items()))
    return table(title, head, rows)
