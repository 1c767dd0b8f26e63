"""What a plan holds of the test images, all by hash: their ids, and their labels and attributes.

The ids are one SHA-256 over all of them; each column of labels or attributes is one over ids and values. Beside
each stand 32 bits of a salted hash of every image, in the order of the ids: enough to name one that was changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.audit.table.scores import ScoresTable
from shortcut_audit.errors import InputError
from shortcut_audit.provenance import fingerprint

DIGEST_LENGTH = 8
PER_LINE = 12


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedIds(_Part):
    """The test ids by hash.

    ``rows`` counts the test rows of a table (models x findings x images); None where the plan was made of
    images or before there were scores. ``digests`` may be taken out: changed ids are then only counted.
    """

    images: int
    rows: int | None = None
    sha256: str
    digests: str = ""


class PlannedValues(_Part):
    """Labels and attributes of the test images by hash.

    ``sha256`` is by column (``label.<finding>``, ``attribute.<name>``). ``digests`` may be taken out: that a
    column was changed is then said, and not of which images.
    """

    sha256: dict[str, str]
    digests: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scope:
    """What an audit is about, besides its configuration.

    Attributes:
        findings: what the labels are about.
        models: which are audited; None where they are not known yet.
        rows: test rows of a table (models x findings x images); None where they are not counted.
        images: test images and findings, each pair at least once: ``sample_id``, ``finding``, ``label`` (blank
            where unknown) and ``attribute.<name>``.
    """

    findings: tuple[str, ...]
    models: tuple[str, ...] | None
    rows: int | None
    images: pl.DataFrame

    @cached_property
    def ids(self) -> list[str]:
        """The test ids, sorted."""
        return sorted(self.images["sample_id"].unique().to_list())

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that there are."""
        return tuple(name.removeprefix("attribute.") for name in self.images.columns if name.startswith("attribute."))

    def values(self, column: str) -> list[tuple[str, Any]] | None:
        """Return the distinct pairs of id and value of a column, sorted; None where there is no such column."""
        kind, _, name = column.partition(".")
        if kind == "label":
            if name not in self.findings:
                return None
            chosen = self.images.filter(pl.col("finding") == name).select("sample_id", value="label")
        elif column in self.images.columns:
            chosen = self.images.select("sample_id", value=column)
        else:
            return None
        if chosen["value"].dtype.is_numeric():
            chosen = chosen.with_columns(pl.col("value").cast(pl.Float64))
        return chosen.unique().sort("sample_id", "value").rows()


def scope_of_table(table: ScoresTable, *, scored: bool = True) -> Scope:
    """Return the scope of a table of scores; controls are left out.

    Args:
        table: the table.
        scored: False where it has no scores yet: any model may then be audited.

    Raises:
        InputError: there are no test rows.
    """
    rows = table.frame.filter(table.frame["role"] == "model")
    test = rows.filter(rows["split"] == "test")
    if not test.height:
        raise InputError("the table of scores has no rows with split = test; the audit looks at those alone")
    return Scope(
        findings=tuple(rows["finding"].unique(maintain_order=True)),
        models=tuple(rows["model"].unique(maintain_order=True)) if scored else None,
        rows=test.height if scored else None,
        images=test.select("sample_id", "finding", "label", *(f"attribute.{name}" for name in table.attributes)),
    )


def plan_ids(scope: Scope) -> PlannedIds:
    """Return the test ids by hash: SHA-256 of their sorted list as JSON, and a digest of each."""
    sha256 = fingerprint(scope.ids)
    digests = [digest_of(name, sha256) for name in scope.ids]
    return PlannedIds(images=len(scope.ids), rows=scope.rows, sha256=sha256, digests=in_lines(digests))


def plan_values(scope: Scope, spurious: Sequence[str]) -> PlannedValues:
    """Return labels of all findings and attributes asked about by hash.

    Args:
        scope: what the audit is about.
        spurious: attributes as the user wrote them; a composite holds several.
    """
    terms = [term for asked in spurious for term in composite_terms(asked, scope.attributes)]
    names = [term if term in scope.attributes else term.partition("=")[0] for term in terms]
    columns = [f"label.{name}" for name in scope.findings] + [f"attribute.{name}" for name in dict.fromkeys(names)]
    sha256 = {column: fingerprint(scope.values(column)) for column in columns}
    return PlannedValues(sha256=sha256, digests=in_lines(value_digests(scope, sha256).values()))


def value_digests(scope: Scope, sha256: dict[str, str]) -> dict[str, str]:
    """Return a digest of the values of each image by its id, in the order of the ids.

    Args:
        scope: what the audit is about; it has all the columns.
        sha256: of the plan, by column; together they are the salt.
    """
    held: dict[str, list[list[Any]]] = {name: [] for name in scope.ids}
    for column in sha256:
        pairs = scope.values(column) or []
        for values in held.values():
            values.append([])
        for name, value in pairs:
            held[name][-1].append(value)
    salt = fingerprint(sha256)
    return {name: digest_of(json.dumps([name, values], ensure_ascii=False), salt) for name, values in held.items()}


def digest_of(text: str, salt: str) -> str:
    """Return 32 bits of the SHA-256 of a text after a salt, as hexadecimal digits."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()[:DIGEST_LENGTH]


def in_lines(digests: Iterable[str]) -> str:
    """Return digests as lines of a plan."""
    listed = list(digests)
    return "\n".join(" ".join(listed[start : start + PER_LINE]) for start in range(0, len(listed), PER_LINE))
