"""Paired differences between models on the same films."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

from shortcut_audit.audit.measures.seeds import Arm, arms, combine
from shortcut_audit.audit.result.numbers import Comparison
from shortcut_audit.audit.statistics.estimate import fields
from shortcut_audit.audit.table.common_films import on_common_films
from shortcut_audit.audit.table.question import Question
from shortcut_audit.audit.versions.contrasts import AUROC, INTERVENTIONAL, ROBUST, unlike_cells

NUMBERS = (AUROC, ROBUST, INTERVENTIONAL)
NO_SEEDS: Mapping[str, str] = MappingProxyType({})


def compare_models(questions: Sequence[Question], families: Mapping[str, str] = NO_SEEDS) -> list[Comparison]:
    """Compare every two models, controls last, on the films that both scored.

    Seeds of one model are not compared with each other; their mean is compared with other models.

    Args:
        questions: of one finding and one attribute, one a model.
        families: from the name of a seed to that of its model, where a model has several.

    Returns:
        ``model - other`` for AUROC, robust AUROC and interventional gap, with intervals from the joint
        covariance over patients.
    """
    ordered = sorted(arms(questions, families), key=lambda arm: arm.role == "control")
    return [found for one, other in combinations(ordered, 2) for found in _compare(one, other)]


def _compare(one: Arm, other: Arm) -> list[Comparison]:
    common = on_common_films([*one.questions, *other.questions])
    mine, theirs = common[: len(one.questions)], common[len(one.questions) :]
    first, confidence = common[0], common[0].limits.confidence
    found = []
    for number in NUMBERS:
        reason = unlike_cells(number, common)
        sides = [
            [first.undefined(reason)] if reason else [number.of(question) for question in side]
            for side in (mine, theirs)
        ]
        found.append(
            Comparison(
                model=one.name, other=other.name, finding=first.finding, attribute=first.attribute, name=number.name,
                confidence=confidence, **fields(combine([(1.0, sides[0]), (-1.0, sides[1])], confidence)),
            )
        )  # fmt: skip
    return found
