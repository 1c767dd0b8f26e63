"""How do readers rank the same images, and is their gap smaller?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.question import Question
from shortcut_audit.shapes import Floats


@CHECKS.register("readers")
def readers(question: Question) -> Findings:
    """How do readers rank the same images, and what is their gap?

    AUROC, robust AUROC and gap of every ``reader_score.<name>`` on the test images that this reader read, and
    the model's less the reader's on those images. It decides nothing: a model without any use of the attribute
    differs from a better reader as well.
    """
    found = question.context.readers
    return Findings(
        metrics=tuple(metric for name, scores in found.items() for metric in _reader(question, name, scores))
    )


def _reader(question: Question, name: str, scores: Floats) -> Iterator[Metric]:
    read = replace(question, test=question.test & ~np.isnan(scores))
    model, reader = _numbers(read, read.score, name), _numbers(read, scores, name)
    for number, of_reader in reader.items():
        yield question.metric(f"reader_{number}", of_reader, f"reader:{name}")
        yield question.metric(f"{number}_less_reader", model[number] - of_reader, f"reader:{name}")


def _numbers(read: Question, scores: Floats, name: str) -> dict[str, Contrast]:
    empty = f"the reader {name} read no test image of one class"
    return {
        "auroc": read.between(read.test & read.label, read.test & ~read.label, empty, scores=scores),
        "robust_auroc": read.signed(read.pair(0, 1, scores)),
        "auroc_gap": read.gap(scores),
    }
