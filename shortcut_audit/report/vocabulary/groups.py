"""What a group of images is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shortcut_audit.report.vocabulary.names import plain

_WITH = {"1": "with", "0": "without"}
_SPOKEN = {"1": "spoken for", "0": "spoken against"}
"""The two sides of a composite, which suggests the finding or speaks against it."""
GROUPS = {
    "all": "all images",
    "robust": "association breaks (robust)",
    "aligned": "association holds (aligned)",
    "within:1": "attribute present",
    "within:0": "attribute absent",
    "within:unknown": "attribute not known (in no cell)",
    "label:1": "images with the finding",
    "label:0": "images without the finding",
    "groups:searched": "lowest over the groups searched",
}
SIDES = {
    "within:1": "attribute speaks for the finding",
    "within:0": "attribute speaks against the finding",
    "within:unknown": "attribute not known, or says nothing (in no cell)",
}
_STARTS = {
    "groups": "lowest over the values of ",
    "footprint": "on ",
    "finding": "on the finding ",
    "strata": "within ",
    "other": "by ",
    "reader": "reader ",
}


def group_label(group: str, *, composite: bool = False) -> str:
    """Return a group of images in words; of a ``composite`` 1 and 0 are for and against the finding."""
    fixed = {**GROUPS, **SIDES} if composite else GROUPS
    if group in fixed:
        return fixed[group]
    kind, _, rest = group.partition(":")
    if composite and kind == "pair":
        return _pair(*rest.partition(":")[::2], _SPOKEN)
    if kind in _MADE:
        return _MADE[kind](*rest.partition(":")[::2])
    return _STARTS[kind] + plain(rest) if kind in _STARTS else group


def _labels(sensitivity: str, specificity: str) -> str:
    return f"attribute labels with sensitivity {sensitivity} and specificity {specificity}"


def _within(value: str, rest: str) -> str:
    whole = plain(f"{value}:{rest}" if rest else value)
    return whole.replace("=", " = ", 1) if "=" in whole else f"attribute = {whole}"


def _covariate(label: str, name: str) -> str:
    return f"{plain(name)}, {GROUPS[f'label:{label}']}"


def _cell(label: str, value: str) -> str:
    return f"{'finding' if label == '1' else 'no finding'}, {_WITH.get(value, value)} attribute"


def _subgroup(names: str, rest: str) -> str:
    whole = plain(f"{names}:{rest}" if rest else names)
    return whole.replace("=", " = ").replace(",", ", ")


def _pair(positives: str, negatives: str, states: Mapping[str, str] = _WITH) -> str:
    name = f"A{positives}{negatives}: " if {positives, negatives} <= states.keys() else ""
    words = [states.get(value, plain(value)) for value in (positives, negatives)]
    if positives == negatives:
        return f"{name}positives and negatives {words[0]}"
    return f"{name}positives {words[0]}, negatives {words[1]}"


_MADE: dict[str, Callable[[str, str], str]] = {
    "pair": _pair, "labels": _labels, "within": _within, "covariate": _covariate, "cell": _cell,
    "subgroup": _subgroup,
}  # fmt: skip
