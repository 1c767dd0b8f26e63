"""One question: does this model's score for this finding hang on this attribute?

A :class:`Question` is one slice of the scores table as arrays, with the settings. Checks read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.audit.estimate import Contrast, Place, fields
from shortcut_audit.audit.groups import (
    Association,
    attribute_values,
    composite_values,
    count_cells,
    find_association,
    is_composite,
)
from shortcut_audit.audit.metrics import Sampling, auroc
from shortcut_audit.audit.result import CellCount, Metric
from shortcut_audit.audit.scores import STATES, ScoresTable
from shortcut_audit.config import EvaluateConfig, Origin
from shortcut_audit.data.manifest import Pairs, TestDesign
from shortcut_audit.shapes import Bools, Floats, Ints

Role = Literal["model", "control"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What holds for every question of an audit.

    ``origins`` tells where a limit comes from, by its name in :class:`EvaluateConfig`.
    """

    limits: EvaluateConfig
    pairs: Pairs
    test_design: TestDesign
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin(self, name: str) -> Origin:
        """Return where the limit called ``name`` comes from."""
        return self.origins.get(name, "default")


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """One (model, finding, attribute) as arrays over the N rows of the splits val and test.

    ``values`` (N,) is 1 present, 0 absent, NaN unknown. ``expected`` is the same with 1 and 0 in each
    other's place where the training association is negative: 1 always suggests the finding.
    ``states`` has the scores with the attribute on, off and under the control edit, NaN where blank.
    """

    model: str
    finding: str
    attribute: str
    role: Role
    setting: Setting
    samples: pl.Series
    sampling: Sampling
    test: Bools
    label: Bools
    values: Floats
    score: Floats
    states: Mapping[str, Floats]
    reference: Floats | None
    covariates: Mapping[str, Floats]
    association: Association
    composite: bool
    joint: bool

    @property
    def limits(self) -> EvaluateConfig:
        """The limits in force."""
        return self.setting.limits

    @property
    def reversed(self) -> bool:
        """Whether the test set's associations were reversed by design."""
        return self.setting.test_design == "reversed"

    @cached_property
    def expected(self) -> Floats:
        """(N,) 1 where the attribute suggests the finding, 0 where not, NaN unknown."""
        return 1 - self.values if self.association.sign == -1 else self.values

    def original(self, expected: int) -> int:
        """Return the attribute's own value that ``expected`` stands for."""
        return 1 - expected if self.association.sign == -1 else expected

    def cell_name(self, label: int, expected: int) -> str:
        """Return a cell in words: ``positives without chest_tube``."""
        who = "positives" if label else "negatives"
        return f"{who} {'with' if self.original(expected) else 'without'} {self.attribute}"

    def cell(self, label: int, expected: int) -> Bools:
        """Return (N,) the test rows of one cell."""
        inside: Bools = self.test & (self.label == bool(label)) & (self.expected == expected)
        return inside

    @property
    def smallest_cell(self) -> tuple[str, int]:
        """Return name and patients of the cell with the fewest patients."""
        cell = min(self.cells, key=lambda one: one.patients)
        who, how = "positives" if cell.label else "negatives", "with" if cell.value == "1" else "without"
        return f"{who} {how} {self.attribute}", cell.patients

    def scarcer_class(self, where: Bools) -> tuple[str, int]:
        """Return name and patients of the class with fewer patients among some rows."""
        counts = {
            name: len(np.unique(self.sampling.clusters[where & side]))
            for name, side in (("positives", self.label), ("negatives", ~self.label))
        }
        name = min(counts, key=counts.__getitem__)
        return name, counts[name]

    @cached_property
    def cells(self) -> tuple[CellCount, ...]:
        """Counts of the four cells, by the attribute's own values."""
        return count_cells(
            self.finding, self.attribute, self.label[self.test], self.values[self.test],
            self.sampling.clusters[self.test],
        )  # fmt: skip

    def between(
        self, positives: Bools, negatives: Bools, empty: str, *, scores: Floats | None = None,
        negative_scores: Floats | None = None,
    ) -> Contrast:  # fmt: skip
        """Return the AUROC of some rows against others; ``empty`` says why if a side has none."""
        if not positives.any() or not negatives.any():
            return Contrast(sampling=self.sampling, reason=empty, rows=(positives, negatives))
        sides = np.flatnonzero(positives), np.flatnonzero(negatives)
        part = auroc(*sides, self.sampling, self.score if scores is None else scores, negative_scores)
        return Contrast(sampling=self.sampling, parts=((1.0, part),), rows=(positives, negatives))

    def undefined(self, reason: str) -> Contrast:
        """Return a number that does not exist, with the counts of the test rows."""
        return Contrast(sampling=self.sampling, reason=reason, rows=(self.label & self.test, ~self.label & self.test))

    def pair(self, i: int, j: int, scores: Floats | None = None) -> Contrast:
        """Return A_ij: positives whose attribute is ``i`` against negatives whose attribute is ``j``.

        Here 1 stands for the value that suggests the finding. Other ``scores`` may stand for the model's.
        """
        if scores is None:
            return self._pairs[i, j]
        return self._pair(i, j, scores)

    @cached_property
    def _pairs(self) -> dict[tuple[int, int], Contrast]:
        return {(i, j): self._pair(i, j, self.score) for i in (0, 1) for j in (0, 1)}

    def _pair(self, i: int, j: int, scores: Floats) -> Contrast:
        positives, negatives = self.cell(1, i), self.cell(0, j)
        named = ((self.cell_name(1, i), positives), (self.cell_name(0, j), negatives))
        empty = " and no ".join(name for name, inside in named if not inside.any())
        return self.between(positives, negatives, f"the test set has no {empty}", scores=scores)

    def gap(self, scores: Floats | None = None) -> Contrast:
        """Return A_10 - A_01, aligned minus robust."""
        return self.pair(1, 0, scores) - self.pair(0, 1, scores)

    @cached_property
    def overall(self) -> Contrast:
        """AUROC of all test rows, also those whose attribute is unknown."""
        return self.between(self.test & self.label, self.test & ~self.label, _one_class(self.label[self.test]))

    @cached_property
    def validation(self) -> Contrast:
        """AUROC of the validation rows."""
        val = ~self.test
        empty = _one_class(self.label[val], "validation") if val.any() else "there are no validation rows"
        return self.between(val & self.label, val & ~self.label, empty)

    @cached_property
    def shift(self) -> Contrast:
        """What stands in for the gap: aligned - robust, or validation - test where reversed by design."""
        return self.validation - self.overall if self.reversed else self.gap()

    def metric(self, name: str, contrast: Contrast, group: str = "all") -> Metric:
        """Return a contrast as a metric of this question."""
        found = contrast.estimate(self.limits.confidence)
        return Metric(
            model=self.model, finding=self.finding, attribute=self.attribute, group=group, name=name, role=self.role,
            confidence=self.limits.confidence, n_pos=found.tally.n_pos, n_neg=found.tally.n_neg, **fields(found),
        )  # fmt: skip


def in_words(place: Place, margin: float) -> str:
    """Say where an interval lies."""
    said = {"beyond": "the whole interval lies beyond", "within": "the whole interval lies within"}
    return f"{said.get(place, 'the interval covers the limit')} {margin:g}"


def _one_class(label: Bools, split: str = "test") -> str:
    return f"the {split} set has no {'negatives' if label.any() else 'positives'}"


def build_question(table: ScoresTable, model: str, finding: str, attribute: str, setting: Setting) -> Question:
    """Cut one question out of a table.

    Raises:
        UsageError: an attribute that the table does not have, or a composite that cannot be learnt.
    """
    frame = table.frame.filter((pl.col("model") == model) & (pl.col("finding") == finding))
    composite = is_composite(attribute, table)
    values = (composite_values if composite else attribute_values)(table, frame, attribute)
    label = frame["label"].to_numpy() == 1
    train = (frame["split"] == "train").to_numpy()
    patients = _dense(frame["patient_id"])
    if composite:
        association = Association(sign=1, source="what the attributes together suggest, learnt on the training rows")
    else:
        association = find_association(
            values, label, patients, train, asked=setting.limits.association, confidence=setting.limits.confidence
        )
    keep = ~train
    used = frame.filter(keep)
    weights = used["weight"].to_numpy() if "weight" in used.columns else np.ones(used.height)
    clusters = _dense(used["patient_id"])
    count = int(clusters.max()) + 1 if used.height else 0
    numbers = {name: _numbers(used, f"{name}.{attribute}") for name in STATES}
    joint = setting.test_design == "reversed" and not composite and _binary_attributes(table) > 1
    return Question(
        model=model, finding=finding, attribute=attribute, role=_role(frame), setting=setting,
        samples=used["sample_id"],
        sampling=Sampling(clusters=clusters, weights=weights, n_clusters=count, unit=table.unit),
        test=(used["split"] == "test").to_numpy(), label=label[keep], values=values[keep],
        score=used["score"].to_numpy(),
        states={name: column for name, column in numbers.items() if column is not None},
        reference=_numbers(used, "reference_score"),
        covariates={
            name: column for name in table.names("covariate")
            if (column := _numbers(used, f"covariate.{name}")) is not None
        },
        association=association, composite=composite, joint=joint,
    )  # fmt: skip


def _dense(names: pl.Series) -> Ints:
    return names.rank("dense").cast(pl.Int64).to_numpy() - 1


def _numbers(frame: pl.DataFrame, name: str) -> Floats | None:
    """Return a column with NaN for blanks, None if it is not there or wholly blank."""
    if name not in frame.columns or frame[name].null_count() == frame.height:
        return None
    return frame[name].fill_null(float("nan")).to_numpy()


def _role(frame: pl.DataFrame) -> Role:
    return "control" if frame.height and frame["role"][0] == "control" else "model"


def _binary_attributes(table: ScoresTable) -> int:
    columns = [table.frame[f"attribute.{name}"].drop_nulls().unique() for name in table.attributes]
    return sum(column.dtype != pl.String and set(column.to_list()) <= {0.0, 1.0} for column in columns)
