"""Does the score of one patient go with the attribute, from one image to the next?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shortcut_audit.audit.checks import CHECKS, Findings
from shortcut_audit.audit.measures.serial import serial_auroc, serial_images, serial_move
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.statistics.estimate import Contrast
from shortcut_audit.audit.table.question import Question


@CHECKS.register("within_patient")
def within_patient(question: Question) -> Findings:
    """Does the score of one patient go with the attribute, from one image to the next?

    Over patients who have images of the same label with and without it: the share of their pairs in which
    the image with it scores higher, and how far the score's rank moves. It describes and decides nothing.
    """
    return Findings(metrics=tuple(metric for label in (1, 0) for metric in _metrics(question, label)))


def _metrics(question: Question, label: int) -> Iterator[Metric]:
    group, who = f"label:{label}", "positives" if label else "negatives"
    reason = f"no patient has images with and without {question.attribute} among the {who}"
    serial = serial_images(question, label)
    if question.sampling.unit == "image":
        reason = "no patients are named, so no two images are known to be of one"
    if serial is None:
        none = np.zeros(len(question.test), dtype=bool)
        nothing = Contrast(sampling=question.sampling, reason=reason, rows=(none, none))
        yield question.metric("within_patient_auroc", nothing, group)
        yield question.metric("within_patient_move", nothing, group)
    else:
        yield question.metric("within_patient_auroc", serial_auroc(question, serial), group)
        yield question.record("within_patient_move", serial_move(question, serial), group)
