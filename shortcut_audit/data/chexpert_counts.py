"""How often the 14 findings of the CheXpert labeler occur in published tables.

Where each number is from, and which are the count of another reader of the release: docs/log.md, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from shortcut_audit.data.chexpert_findings import FINDINGS, finding_key
from shortcut_audit.data.published import OTHERS, Counts, Published

_TRAIN = (
    (22381, 0, 0), (10798, 21638, 12403), (27000, 11116, 8087), (105581, 6599, 5598), (9186, 1270, 1488),
    (52246, 20726, 12984), (14783, 28097, 27742), (6039, 2799, 18770), (33376, 1328, 33739), (19448, 56341, 3145),
    (86187, 35396, 11628), (3523, 316, 2653), (9040, 2512, 642), (116001, 6137, 1079),
)  # fmt: skip
"""Rows of train.csv with 1, 0 and -1, in the order of the findings."""
_VALID = {
    "Enlarged Cardiomediastinum": 109, "Cardiomegaly": 68, "Lung Lesion": 1, "Edema": 45, "Consolidation": 33,
    "Atelectasis": 80, "Pleural Effusion": 67, "Pleural Other": 1, "Fracture": 0,
}  # fmt: skip
"""Rows of valid.csv with 1; all others have 0. Of the other five findings no count was found."""
_TEST = (109, 298, 175, 310, 14, 85, 35, 14, 178, 10, 120, 8, 6, 315)
"""Rows of the test table with 1, in the order of the findings; all others have 0."""
_MIMIC = (
    (75455, 0, 0), (7179, 5283, 9375), (44845, 15911, 6043), (51525, 3069, 3831), (6284, 862, 1141),
    (27018, 25641, 13174), (10778, 7967, 4331), (16556, 24338, 18291), (45808, 1531, 10327), (10358, 42356, 1134),
    (54300, 27158, 5814), (2011, 126, 765), (4390, 886, 555), (66558, 3486, 237),
)  # fmt: skip
"""Studies of MIMIC-CXR-JPG that the CheXpert labeler gave 1, 0 and -1, in the order of the findings."""
_PLUS = {
    "report": (36172, 54255, 94076, 38283, 14709),
    "impression": (30558, 53011, 89267, 33851, 13702),
    "findings": (10971, 12148, 24511, 9136, 4159),
}
_PLUS_COUNTED = ("Cardiomegaly", "Edema", "Pleural Effusion", "Atelectasis", "Consolidation")


def _of(triples: tuple[tuple[int, int, int], ...]) -> dict[str, Counts]:
    named = zip(FINDINGS, triples, strict=True)
    return {f"label.{finding_key(name)}": dict(zip(("1", "0", "-1"), counts, strict=True)) for name, counts in named}


def _told(positives: Mapping[str, int], rows: int) -> dict[str, Counts]:
    """Every row is 1 or 0."""
    return {f"label.{finding_key(name)}": {"1": n, "0": rows - n} for name, n in positives.items()}


TRAIN = Published(table="train.csv", rows=223_414, patients=64_540, source="train.csv of v1.0", values=_of(_TRAIN))
VALID = Published(
    table="valid.csv", rows=234, patients=200, source="CheXpert v1.0", values=_told(_VALID, 234), counted_by=OTHERS
)
TEST = Published(
    table="the test table", rows=668, patients=500, source="CheXpert, test set",
    values=_told(dict(zip(FINDINGS, _TEST, strict=True)), 668), counted_by=OTHERS,
)  # fmt: skip
MIMIC = Published(
    table="mimic-cxr-2.0.0-chexpert.csv", rows=227_827, source="PhysioNet, in studies", values=_of(_MIMIC),
    counted_by=OTHERS,
)  # fmt: skip


def plus(labels: str) -> Published:
    """Return CheXpert Plus with the labels of one part of the reports: report, impression or findings."""
    counted = zip(_PLUS_COUNTED, _PLUS[labels], strict=True)
    return Published(
        table="df_chexpert_plus_240401.csv", rows=223_462, patients=64_725, source="Chambon et al. 2024",
        values={f"label.{finding_key(name)}": {"1": count} for name, count in counted}, counted_by=OTHERS,
    )  # fmt: skip
