"""Students of cleaned pseudo-masks: one segmenter a rule and seed, all on the masks of one run.

A cleaning rule is judged by its student alone: interventional gap and robust AUROC, paired over seeds and
patients, beside a student whose masks lost as many pixels at random.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.config import Config
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.cleaning import parse_cleaning
from shortcut_audit.masks.store import NAME as MASKS
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.runs import Run
from shortcut_audit.stages.learn import CLASSIFIER, learn_pseudo_masks
from shortcut_audit.stages.lessons import check_scores
from shortcut_audit.stages.study import Study

BASE = "blank_negatives"
CONTROL = "remove_at_random"
NUMBERS = ("robust_auroc", "interventional_gap")


def students(rules: Sequence[str]) -> dict[str, list[str]]:
    """Return what is done to the masks of each student, by name: nothing, each rule, and the random control.

    Raises:
        UsageError: an unknown rule, or none.
    """
    asked = list(dict.fromkeys(rules))
    attributes = dict.fromkeys(parse_cleaning(rule).attribute for rule in asked)
    if not asked:
        raise UsageError("which cleaning rule? Name it with --rule, as in --rule subtract_footprint:chest_tube")
    controls = [f"{CONTROL}:{attribute}" for attribute in attributes if attribute]
    named = {"student": [BASE]}
    for rule in dict.fromkeys([*asked, *controls]):
        if rule != BASE:
            named[f"student, {rule}"] = [BASE, rule]
    return named


def check_masks(study: Study, source: Run, named: dict[str, list[str]]) -> None:
    """Raise UsageError unless the run's pseudo-masks are of these films and have what the rules ask for."""
    store = MaskStore(source.path(MASKS))
    for cleaning in named.values():
        check_scores(study.cleaned(cleaning), store)
    if store.header.manifest != study.manifest.fingerprint:
        raise UsageError(
            f"{source.path(MASKS)} was made of other films than those of '{study.manifest.card.name}'; "
            "name the run that explained these, with --run"
        )


def teach(study: Study, source: Run, named: dict[str, list[str]], seeds: int) -> dict[str, Path]:
    """Train every student that is not there yet; return weight files by model name, the teacher first.

    Seed k of a student has the seed of the configuration plus k: what differs between students of one seed is
    the masks alone.
    """
    files = {"classifier": source.path(CLASSIFIER)} if source.has(CLASSIFIER) else {}
    for name, cleaning in named.items():
        for seed in range(seeds):
            model = f"{name}, seed {study.config.seed + seed}" if seeds > 1 else name
            weights = re.sub(r"[^A-Za-z0-9]+", "_", model) + ".safetensors"
            learn_pseudo_masks(
                study.cleaned(cleaning, seed=study.config.seed + seed), source=source, weights=weights, stage=model
            )
            files[model] = study.run.path(weights)
    return files


def asked_of(config: Config, rules: Sequence[str]) -> Config:
    """Return the configuration with the rules' attributes as the question, where none is named."""
    if config.evaluate.spurious:
        return config
    attributes = [name for name in dict.fromkeys(parse_cleaning(rule).attribute for rule in rules) if name]
    evaluate = config.evaluate.model_copy(update={"spurious": attributes})
    return config.model_copy(update={"evaluate": evaluate})


def told(result: AuditResult) -> tuple[str, ...]:
    """Return a line for every student and number: what it changed against the student of the masks as they are."""
    lines = []
    for found in result.comparisons:
        if found.name not in NUMBERS or "student" not in (found.model, found.other):
            continue
        one, sign = (found.model, 1) if found.other == "student" else (found.other, -1)
        if not one.startswith("student"):
            continue
        about = f"{one.removeprefix('student, ')}: {found.name}, {found.attribute}"
        if found.value is None or found.low is None or found.high is None:
            lines.append(f"{about}: not known ({found.reason})")
            continue
        low, high = sorted((sign * found.low, sign * found.high))
        said = "no difference seen" if low <= 0 <= high else "differs"
        lines.append(f"{about}: {sign * found.value:+.3f} ({low:+.3f} to {high:+.3f}), {said}")
    return tuple(lines)
