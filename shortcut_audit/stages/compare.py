"""Two versions of a model on the same films, from their tables of scores: no images, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from shortcut_audit.audit.result.judgement import Verdict
from shortcut_audit.audit.result.result import AuditResult, read_result, worst
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import ScoresTable, read_scores
from shortcut_audit.audit.table.units import collapse
from shortcut_audit.audit.versions.update import NUMBERS, Paired, differences, films, not_worse, pair_versions
from shortcut_audit.audit.versions.update_result import (
    Judgement,
    UpdateResult,
    VerdictChange,
    Version,
    read_update,
    write_update,
)
from shortcut_audit.config import EvaluateConfig
from shortcut_audit.errors import BusyError, InputError, OutputError, UsageError, did_you_mean
from shortcut_audit.provenance import collect_provenance, command_line, sha256_file
from shortcut_audit.report.update import write_update_report
from shortcut_audit.runs import RUNS

COMPARE = "compare.json"
SCORES = "scores.csv"
DEFAULT = "robust_auroc"
"""What a margin without a name is about."""
DECISIVE = ("margin", "min_skill", "min_cell_patients", "min_pass_images", "confidence", "ask", "per")
"""Settings of two audits that must agree before their verdicts say the same."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed beside the two versions."""

    spurious: Sequence[str] = ()
    association: Literal["positive", "negative"] | None = None
    not_worse: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Side:
    """One version: its table, and its audit with what that asked, if it has one."""

    letter: str
    path: Path
    table: ScoresTable
    sha256: str
    audit: AuditResult | None = None
    settings: EvaluateConfig | None = None


def compare_files(a: Path, b: Path, asked: Asked, out: Path | None) -> tuple[UpdateResult, Path]:
    """Compare two versions of a model; write ``compare.json``, ``compare.md`` and ``compare.html``.

    Args:
        a: the version there is: a folder with an audit, its ``audit.json``, or a CSV of scores.
        b: the version that is to take its place, likewise.
        asked: attributes, sign of the association and margins.
        out: folder to write to; None: a new one under ``./runs``.

    Raises:
        UsageError: nothing to compare, or no attribute named.
        InputError: the versions were not scored on the same films, or the films are not said to be the same.
        BusyError: ``out`` holds another comparison.
    """
    margins = parse_margins(asked.not_worse)
    sides = read_side(a, "A"), read_side(b, "B")
    settings = _settings(*sides, asked)
    config = {"evaluate": settings.model_dump(mode="json"), "not_worse": margins}
    inputs = {side.letter.lower(): side.sha256 for side in sides}
    folder = out or RUNS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-compare"
    _refuse_other(folder / COMPARE, inputs, config)
    setting = Setting(limits=settings, pairs="edited", test_design="natural")
    tables = [collapse(side.table, settings.per) for side in sides]
    paired = pair_versions(tables[0], tables[1], setting)
    judged = [one for pair in paired for one in not_worse(pair, margins)]
    result = UpdateResult(
        status=worst([one.status for one in judged]) if judged else None,
        title=f"{_title(sides[1])} against {_title(sides[0])}",
        a=_version(sides[0]),
        b=_version(sides[1]),
        provenance=collect_provenance(command=command_line(), config=config, seed=None, inputs=inputs),
        films=tuple(films(paired)),
        not_worse=tuple(judged),
        verdicts=tuple(change for pair in paired for change in _changes(pair, *sides)),
        differences=tuple(found for pair in paired for found in differences(pair)),
        notes=tuple(_notes(*sides, settings)),
    )
    write_update(result, folder / COMPARE)
    write_update_report(result, folder / COMPARE)
    return result, folder


def parse_margins(texts: Sequence[str]) -> dict[str, float]:
    """Return margins by number, from ``0.02`` (of robust AUROC) or ``auroc=0.01``.

    Raises:
        UsageError: no such number, or not a margin.
    """
    known = list(dict.fromkeys(number.name for number in NUMBERS))
    margins: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        name = name if equals else DEFAULT
        if name not in known:
            raise UsageError(
                f"--not-worse {text}: no number compared is called '{name}'{did_you_mean(name, known)}; "
                f"there are: {', '.join(known)}"
            )
        try:
            margin = float(value)
        except ValueError:
            margin = 0.0
        if not 0 < margin < 0.5:
            raise UsageError(f"--not-worse {text}: '{value}' is no margin; expected a number above 0 and below 0.5")
        margins[name] = margin
    return margins


def read_side(path: Path, letter: str) -> Side:
    """Read one version.

    Raises:
        UsageError: it is not there.
        OutputError: a folder without an audit, or an audit without its scores.
        InputError: a cell of the table, or scores that the audit was not made of.
    """
    if not path.exists():
        raise UsageError(
            f"{letter}: {path} is not there; name a folder with an audit, an audit.json or a CSV of scores"
        )
    if path.is_dir():
        path = path / "audit.json"
    if path.suffix != ".json":
        return Side(letter=letter, path=path, table=read_scores(path), sha256=sha256_file(path))
    audit, scores = read_result(path), path.with_name(SCORES)
    if not scores.is_file():
        raise OutputError(
            f"{scores} is not there, and the audit alone does not hold scores; put them there, or name the CSV itself"
        )
    found = sha256_file(scores)
    if audit.provenance.inputs.get("scores", found) != found:
        raise InputError(f"{scores} is not the table that {path} was made of; put that there, or name the CSV itself")
    return Side(
        letter=letter, path=path, table=read_scores(scores), sha256=found, audit=audit, settings=_asked_by(audit, path)
    )


def _asked_by(audit: AuditResult, path: Path) -> EvaluateConfig:
    try:
        return EvaluateConfig.model_validate(audit.provenance.config.get("evaluate", {}))
    except ValidationError as error:
        raise OutputError(f"{path} was made by another version of this program; run 'audit evaluate' again") from error


def _settings(a: Side, b: Side, asked: Asked) -> EvaluateConfig:
    """Return what is asked of both: as typed, else as the audits asked (A before B)."""
    given = [side.settings for side in (a, b) if side.settings]
    if len({settings.per for settings in given}) > 1:
        raise UsageError(
            f"the audit of A has one row per {given[0].per}, that of B one per {given[1].per}; "
            "audit both with the same --per, or name the two CSVs"
        )
    spurious = list(asked.spurious) or _common_attributes(given)
    if not spurious:
        raise UsageError("which spurious attribute? Name it with --spurious NAME, as in --spurious chest_tube")
    base = given[0] if given else EvaluateConfig()
    return base.model_copy(update={"spurious": spurious, "association": asked.association or base.association})


def _common_attributes(given: Sequence[EvaluateConfig]) -> list[str]:
    if not given:
        return []
    shared = [name for name in given[0].spurious if all(name in other.spurious for other in given)]
    if not shared:
        both = "; ".join(f"{letter}: {', '.join(one.spurious)}" for letter, one in zip("AB", given, strict=False))
        raise UsageError(
            f"the two audits have no attribute in common ({both}); name one that both tables have with --spurious"
        )
    return shared


def _refuse_other(path: Path, inputs: Mapping[str, str], config: Mapping[str, Any]) -> None:
    if not path.exists():
        return
    found = read_update(path).provenance
    if found.inputs != inputs or found.config != config:
        raise BusyError(f"{path.parent} holds another comparison; choose another folder with --out")


def _title(side: Side) -> str:
    return side.path.parent.name if side.path.suffix == ".json" else side.path.stem


def _version(side: Side) -> Version:
    audit = side.audit
    return Version(name=str(side.path), title=audit.title if audit else None, status=audit.status if audit else None)


def _changes(pair: Paired, a: Side, b: Side) -> list[VerdictChange]:
    """Return the verdicts of both audits on the models of a pair; seeds are matched by name."""
    if a.audit is None or b.audit is None:
        return []
    finding, attribute = pair.a[0].finding, pair.a[0].attribute
    single = len(pair.a) == len(pair.b) == 1
    models = [question.model for question in pair.b]
    changes = []
    for model, other in zip(models, [pair.a[0].model] if single else models, strict=True):
        old, new = (_verdict(side.audit, name, finding, attribute) for side, name in ((a, other), (b, model)))
        if old and new:
            changes.append(
                VerdictChange(model=model, other=other, finding=finding, attribute=attribute, a=old, b=new)
            )  # fmt: skip
    return changes


def _verdict(audit: AuditResult | None, model: str, finding: str, attribute: str) -> Judgement | None:
    def about(one: Verdict) -> bool:
        return (one.model, one.finding, one.attribute, one.limit) == (model, finding, attribute, None)

    found = next((one for one in audit.verdicts if about(one)), None) if audit else None
    return Judgement(**found.model_dump(include=set(Judgement.model_fields))) if found else None


def _notes(a: Side, b: Side, settings: EvaluateConfig) -> list[str]:
    notes = []
    for side in (a, b):
        left_out = [name for name in (side.settings.spurious if side.settings else []) if name not in settings.spurious]
        if left_out:
            notes.append(f"The audit of {side.letter} asks about {', '.join(left_out)} too; that is not compared.")
        if side.table.unit == "image":
            notes.append(f"{side.letter} names no patients.")
    if a.settings and b.settings:
        one, other = a.settings, b.settings
        unlike = [
            f"{name} {getattr(one, name)} and {getattr(other, name)}"
            for name in DECISIVE if getattr(one, name) != getattr(other, name)
        ]  # fmt: skip
        if unlike:
            notes.append(
                f"The audits of A and B were not made alike ({'; '.join(unlike)}): mind that in their verdicts."
            )
    return notes
