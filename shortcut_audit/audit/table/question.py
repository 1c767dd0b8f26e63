"""One question: does this model's score for this finding hang on this attribute?

A :class:`Question` is one slice of the scores table as arrays, with the settings. Checks read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.setting import CellCount
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, fields
from shortcut_audit.audit.statistics.metrics import Ranking, Sampling, auroc, count_distinct, dense_ranks
from shortcut_audit.audit.table.context import Context
from shortcut_audit.audit.table.groups import (
    Association,
    attribute_values,
    count_cells,
    count_unknown,
    find_association,
    training_rates,
)
from shortcut_audit.audit.table.rows import Role, Rows, cut, numbers
from shortcut_audit.audit.table.scores import STATES, ScoresTable
from shortcut_audit.audit.table.suggestion import is_suggestion, suggest
from shortcut_audit.config import Config, EvaluateConfig, Origin
from shortcut_audit.data.manifest import Pairs, TestDesign
from shortcut_audit.shapes import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What holds for every question of an audit.

    ``origins`` tells where a limit comes from, by its name in :class:`EvaluateConfig`.
    """

    limits: EvaluateConfig
    pairs: Pairs
    test_design: TestDesign
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @classmethod
    def of_table(cls, config: Config) -> Setting:
        """Return what is asked of a table of scores: its pairs are edited and its rows natural if nobody says else."""
        said = config.dataset
        return cls(
            limits=config.evaluate, pairs=said.pairs or "edited", test_design=said.test_design or "natural",
            origins=config.origins("evaluate"),
        )  # fmt: skip

    def origin(self, name: str) -> Origin:
        """Return where the limit called ``name`` comes from."""
        return self.origins.get(name, "default")


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """One (model, finding, attribute) as arrays over the N rows of the splits val and test.

    ``values`` (N,) is 1 present, 0 absent, NaN unknown. ``expected`` is the same with 1 and 0 in each
    other's place where the training association is negative: 1 always suggests the finding.
    ``states`` has the scores with the attribute on, off and under the control edit, NaN where blank;
    ``severity`` (N,) and ``covariates`` (N,) are NaN where not known. ``composite``: the attribute is asked by
    what it suggests, of which 1 and 0 are the two sides; ``categories`` (N,) then are its own values, if
    it is a single categorical one. ``context`` has what the table tells beside the question, ``ranking`` the
    ranks of ``score`` where several questions share them.
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
    severity: Floats | None
    association: Association
    composite: bool
    joint: bool
    categories: pl.Series | None = None
    context: Context = field(default_factory=Context)
    ranking: Ranking | None = None

    @property
    def limits(self) -> EvaluateConfig:
        """The limits in force."""
        return self.setting.limits

    @property
    def reversed(self) -> bool:
        """Whether the test set's associations were reversed by design."""
        return self.setting.test_design == "reversed"

    @property
    def unlearnt(self) -> bool:
        """Whether what the attribute suggests had no training rows of both classes to be learnt from."""
        return self.composite and self.association.sign is None

    @cached_property
    def ranks(self) -> Ints:
        """(N,) ranks of the scores: AUROCs of any of these rows need no further sort."""
        if self.ranking is None or self.ranking.scores is not self.score:
            return dense_ranks(self.score)[0]
        return self.ranking.ranks

    @cached_property
    def expected(self) -> Floats:
        """(N,) 1 where the attribute suggests the finding, 0 where not, NaN unknown."""
        return 1 - self.values if self.association.sign == -1 else self.values

    def original(self, expected: int) -> int:
        """Return the attribute's own value that ``expected`` stands for."""
        return 1 - expected if self.association.sign == -1 else expected

    def cell_name(self, label: int, expected: int) -> str:
        """Return a cell in words: ``positives without chest_tube``."""
        return self._named(label, self.original(expected))

    def _named(self, label: int, value: int) -> str:
        who = "positives" if label else "negatives"
        return f"{who} {self.state_name(value)}"

    def state_name(self, value: int) -> str:
        """Return one of the attribute's own values in words: ``without chest_tube``."""
        if self.composite:
            return f"where {self.attribute} speaks {'for' if value else 'against'} the finding"
        return f"{'with' if value else 'without'} {self.attribute}"

    def cell(self, label: int, expected: int) -> Bools:
        """Return (N,) the test rows of one cell."""
        inside: Bools = self.test & (self.label == bool(label)) & (self.expected == expected)
        return inside

    @property
    def smallest_cell(self) -> tuple[str, int]:
        """Return name and patients of the cell with the fewest patients."""
        cell = min(self.cells, key=lambda one: one.patients)
        return self._named(cell.label, int(cell.value)), cell.patients

    def scarcer_class(self, where: Bools) -> tuple[str, int]:
        """Return name and patients of the class with fewer patients among some rows."""
        counts = {
            name: count_distinct(self.sampling.clusters[where & side])
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

    @property
    def unknown_cells(self) -> tuple[CellCount, ...]:
        """Counts of the test rows whose attribute is unknown, which are in no cell; nothing without any."""
        return count_unknown(
            self.finding, self.attribute, self.label[self.test], self.values[self.test],
            self.sampling.clusters[self.test],
        )  # fmt: skip

    def between(
        self, positives: Bools, negatives: Bools, empty: str, *, scores: Floats | Ints | None = None,
        negative_scores: Floats | None = None,
    ) -> Contrast:  # fmt: skip
        """Return the AUROC of some rows against others; ``empty`` says why if a side has none."""
        if not positives.any() or not negatives.any():
            return Contrast(sampling=self.sampling, reason=empty, rows=(positives, negatives))
        sides = np.flatnonzero(positives), np.flatnonzero(negatives)
        part = auroc(*sides, self.sampling, self.ranks if scores is None else scores, negative_scores)
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
        return {(i, j): self._pair(i, j, self.ranks) for i in (0, 1) for j in (0, 1)}

    def _pair(self, i: int, j: int, scores: Floats | Ints) -> Contrast:
        if self.unlearnt:
            return self.undefined(self.association.source)
        positives, negatives = self.cell(1, i), self.cell(0, j)
        named = ((self.cell_name(1, i), positives), (self.cell_name(0, j), negatives))
        empty = " and no ".join(name for name, inside in named if not inside.any())
        unknown, images = int(np.isnan(self.values[self.test]).sum()), int(self.test.sum())
        blank = f"; {self.attribute} is not known of {unknown} of its {images} images" if unknown else ""
        return self.between(positives, negatives, f"the test set has no {empty}{blank}", scores=scores)

    def gap(self, scores: Floats | None = None) -> Contrast:
        """Return A_10 - A_01, aligned minus robust."""
        return self.pair(1, 0, scores) - self.pair(0, 1, scores)

    def signed(self, contrast: Contrast) -> Contrast:
        """Return a number whose cells hang on the sign of the association, undefined where that is uncertain."""
        return self.undefined(self.association.source) if self.association.sign is None else contrast

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
        return self.record(name, contrast.estimate(self.limits.confidence), group)

    def record(self, name: str, found: Estimate | Undefined, group: str = "all") -> Metric:
        """Return a number that is estimated already, or the reason why it is not, as a metric."""
        return Metric(
            model=self.model, finding=self.finding, attribute=self.attribute, group=group, name=name, role=self.role,
            confidence=self.limits.confidence, n_pos=found.tally.n_pos, n_neg=found.tally.n_neg, **fields(found),
        )  # fmt: skip


def _one_class(label: Bools, split: str = "test") -> str:
    return f"the {split} set has no {'negatives' if label.any() else 'positives'}"


def build_question(table: ScoresTable, model: str, finding: str, attribute: str, setting: Setting) -> Question:
    """Cut one question out of a table.

    Raises:
        UsageError: an attribute that the table does not have, or a composite that cannot be learnt.
    """
    return ask_rows(cut(table, model, finding, setting.limits.spurious), table, attribute, setting)


def ask_rows(rows: Rows, table: ScoresTable, attribute: str, setting: Setting) -> Question:
    """Ask about one attribute of rows that were cut out of a table.

    Raises:
        UsageError: an attribute that the table does not have, or a composite that cannot be learnt.
    """
    suggestion = suggest(table, rows.frame, attribute) if is_suggestion(attribute, table) else None
    values = suggestion.values if suggestion else attribute_values(table, rows.frame, attribute)
    label = (rows.frame["label"] == 1).to_numpy()
    if suggestion:
        association = Association(sign=1 if suggestion.learnt else None, source=suggestion.source)
    else:
        association = find_association(
            values, label, rows.all_patients, rows.train,
            asked=setting.limits.association, confidence=setting.limits.confidence,
        )  # fmt: skip
    keep = ~rows.train
    states = {name: numbers(rows.used, f"{name}.{attribute}") for name in STATES}
    joint = setting.test_design == "reversed" and not suggestion and _binary_attributes(table) > 1
    return Question(
        model=rows.model, finding=rows.finding, attribute=attribute, role=rows.role, setting=setting,
        samples=rows.used["sample_id"], sampling=rows.sampling, test=rows.test, label=rows.label, values=values[keep],
        score=rows.score, states={name: column for name, column in states.items() if column is not None},
        reference=rows.reference, covariates=rows.covariates, severity=rows.severity,
        association=association, composite=suggestion is not None, joint=joint,
        categories=suggestion.categories.filter(keep) if suggestion and suggestion.categories is not None else None,
        ranking=rows.ranking, context=replace(rows.context, training=training_rates(values, label, rows.train)),
    )  # fmt: skip


def _binary_attributes(table: ScoresTable) -> int:
    return sum(
        known.dtype != pl.String and set(known.head(3).to_list()) <= {0.0, 1.0} for known in table.known.values()
    )
