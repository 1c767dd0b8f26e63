"""A made-up audit result that has everything a report can show, an empty one, and hostile variants.

The numbers are invented; gap, reliance and case mix add up as real ones do.
"""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from shortcut_audit.audit.result.result import AuditResult

FINDING, TUBE = "pneumothorax", "chest_tube"
CELLS = {(1, "1"): (333, 301), (1, "0"): (120, 112), (0, "1"): (192, 170), (0, "0"): (1306, 1180)}
SIZE = 96

# model: AUROC all, A00, A11, A10 (aligned), A01 (robust), interventional gap, reliance part of the gap
MODELS = {
    "classifier": (0.897, 0.842, 0.851, 0.957, 0.481, 0.452, 0.438),
    "segmenter, pseudo-masks": (0.874, 0.838, 0.834, 0.921, 0.602, 0.012, 0.010),
    "segmenter, drawn masks": (0.868, 0.858, 0.853, 0.881, 0.792, 0.048, 0.041),
    "segmenter, tube-free": (0.861, 0.859, 0.858, 0.864, 0.853, 0.006, 0.005),
}
STATUS = {
    "classifier": ("fail", "beyond", "shown", "table:beyond:shown"),
    "segmenter, pseudo-masks": ("concern", "beyond", "excluded", "table:beyond:excluded"),
    "segmenter, drawn masks": ("insufficient", "open", "open", "cell"),
    "segmenter, tube-free": ("pass", "within", "excluded", "table:within:excluded"),
}
SENTENCES = {
    "fail": (
        "The score depends on chest tube.",
        "Switching it on and off in the same images moves the gap by 0.452 (95 % CI 0.401 to 0.503, limit 0.050).",
        "Other attributes were not tested.",
    ),
    "concern": (
        "AUROC is lower where chest tube and pneumothorax disagree.",
        "It is lower by 0.319 (95 % CI 0.262 to 0.377); removing chest tube takes 0.010 of it away.",
        "These cases are harder; not the attribute.",
    ),
    "insufficient": (
        "We cannot tell: 9 patients in the cell finding without attribute; about 140 would decide.",
        "The gap is 0.089 (95 % CI −0.012 to 0.190, limit 0.050).",
        "This is not a PASS.",
    ),
    "pass": (
        "Performance holds where chest tube and pneumothorax disagree.",
        "Gap 0.011 (95 % CI −0.020 to 0.043); switching chest tube moves it by 0.006 (95 % CI −0.009 to 0.021).",
        "Both lie inside 0.050. Other shortcuts were not tested.",
    ),
}
PAIR_CELLS = {"0:0": (120, 1306), "0:1": (120, 192), "1:0": (333, 1306), "1:1": (333, 192)}


def _metric(model: str, group: str, name: str, value: float | None, **fields: Any) -> dict[str, Any]:
    half = fields.pop("half", 0.024)
    bounds = (None, None) if value is None else (round(value - half, 4), round(value + half, 4))
    counts = {"n": 1951, "n_pos": 453, "n_neg": 1498, "n_patients": 1712}
    words = {"method": "clustered, logit, t", "reason": None if value is not None else "no image has a counterpart"}
    about = {"model": model, "finding": FINDING, "attribute": TUBE, "group": group, "name": name}
    return {**about, "value": value, "low": bounds[0], "high": bounds[1], **counts, **words, **fields}


def _model_metrics(model: str) -> list[dict[str, Any]]:
    overall, none, both, aligned, robust, switched, reliance = MODELS[model]
    gap = aligned - robust
    pairs = {"0:0": none, "1:1": both, "1:0": aligned, "0:1": robust}
    found = [
        _metric(model, "all", "auroc", overall),
        _metric(model, "aligned", "aligned_auroc", aligned, n=1639, n_pos=333, n_neg=1306, n_patients=1481),
        _metric(model, "robust", "robust_auroc", robust, half=0.061, n=312, n_pos=120, n_neg=192, n_patients=282),
    ]
    for pair, value in pairs.items():
        n_pos, n_neg = PAIR_CELLS[pair]
        found.append(
            _metric(model, f"pair:{pair}", "auroc_pair", value, n=n_pos + n_neg, n_pos=n_pos, n_neg=n_neg, half=0.03)
        )
    found += [
        _metric(model, "within:1", "auroc_within", both, n=525, n_pos=333, n_neg=192, n_patients=471),
        _metric(model, "within:0", "auroc_within", none, n=1426, n_pos=120, n_neg=1306, n_patients=1292),
        _metric(model, "all", "auroc_gap", gap, half=0.058, method="MOVER, joint covariance"),
        _metric(model, "all", "gap_positive_side", (aligned - none + both - robust) / 2, half=0.05),
        _metric(model, "all", "gap_negative_side", (none - robust + aligned - both) / 2, half=0.05),
        _metric(model, "all", "gap_reliance", reliance, half=0.04),
        _metric(model, "all", "gap_case_mix", gap - reliance, half=0.06),
        _metric(model, "all", "interventional_gap", switched, half=0.05, n=3902),
        _metric(model, "all", "gap_vs_reference", None, reason="no reference model was given"),
        _metric(model, "label:0", "score_shift", 0.5 + switched, n=1498, n_pos=192, n_neg=1306),
        _metric(model, "label:1", "score_shift", 0.5 + switched * 0.9, n=453, n_pos=333, n_neg=120),
        *_search(model, none, both),
        *_calibration(model),
        _metric(model, "all", "fragility_index", 12.0, half=3),
        _metric(model, "all", "association_inflation", 0.045, q="p(a|y=1)"),
    ]
    return found


def _search(model: str, none: float, both: float) -> list[dict[str, Any]]:
    """The worst group: over the attribute's own values, and over columns that were searched."""
    groups = {"sex=F": both - 0.02, "sex=M": both + 0.03, "chest_tube=0,sex=F": none - 0.05, "chest_tube=0,sex=M": none}
    small = "too small: 4 patients in the positives of view=lateral, under 10"
    own = {f"{TUBE}=1": both, f"{TUBE}=0": none}
    shares = {"sensitivity": -0.03, "specificity": 0.02}
    lowest = [
        _metric(model, group, f"worst_group_{share}{suffix}", round(min(values.values()) + less, 3), half=half)
        for group, values in ((f"groups:{TUBE}", own), ("groups:searched", groups))
        for share, less in {**shares, "accuracy": -0.03}.items()
        for suffix, half in (("", 0.05), ("_by_bootstrap", 0.052))
    ]
    decided = [
        _metric(model, f"subgroup:{name}", f"subgroup_{share}", round(value + less, 3), half=0.05)
        for name, value in {**own, **groups}.items()
        for share, less in shares.items()
    ]
    return [
        *lowest,
        *decided,
        *(_metric(model, f"subgroup:{name}", "subgroup_auroc", value, half=0.04) for name, value in own.items()),
        _metric(model, f"groups:{TUBE}", "worst_group_auroc", min(none, both)),
        _metric(model, "groups:searched", "worst_group_auroc", min(groups.values())),
        *(_metric(model, f"subgroup:{name}", "subgroup_auroc", value, half=0.04) for name, value in groups.items()),
        _metric(model, "subgroup:view=lateral", "subgroup_auroc", None, n=21, n_pos=5, n_neg=16, reason=small),
    ]


def _calibration(model: str) -> list[dict[str, Any]]:
    """A classifier gives probabilities, a summarised segmentation does not."""
    known = model == "classifier"
    why = {} if known else {"reason": "the score only ranks (column 'scale')"}
    numbers = [("brier", 0.131), ("ece", 0.042)]
    return [
        _metric(model, group, name, value if known else None, half=0.011, **why)
        for group in ("all", "within:1", "within:0")
        for name, value in numbers
    ]


def _decisions(model: str) -> list[dict[str, Any]]:
    """Numbers at the threshold; the last model has none and says why."""
    thresholded = model != "segmenter, tube-free"
    why = {} if thresholded else {"reason": "there is no threshold: there are no validation rows"}
    shares = {"all": (0.871, 0.832, 0.611), "within:1": (0.942, 0.618, 0.803), "within:0": (0.675, 0.864, 0.311)}
    named = [
        (group, name, value)
        for group, values in shares.items()
        for name, value in zip(("sensitivity", "specificity", "ppv"), values, strict=True)
    ]
    named += [("cell:1:1", "flagged_share", 0.942), ("cell:1:0", "flagged_share", 0.675)]
    named += [("cell:0:1", "flagged_share", 0.382), ("cell:0:0", "flagged_share", 0.136)]
    named += [("all", "sensitivity_change", 0.267), ("all", "false_alarm_change", 0.246)]
    found = [_metric(model, group, name, value if thresholded else None, **why) for group, name, value in named]
    counts = {("missed_per_1000", 0): 4.31, ("missed_per_1000", 1): 2.13}
    counts |= {("false_alarms_per_1000", 0): 112.7, ("false_alarms_per_1000", 1): 46.4}
    return found + [
        _metric(model, f"within:{value}", name, patients if thresholded else None, half=1.9, **why)
        for (name, value), patients in counts.items()
    ]


def _seed_mean(name: str, value: float | None) -> dict[str, Any]:
    """Mean over three seeds; one without a value says why."""
    known = value is not None
    return {
        "model": "classifier", "finding": FINDING, "attribute": TUBE, "group": "all", "name": name, "value": value,
        "seeds": [f"classifier, seed {seed}" for seed in (1, 2, 3)],
        "values": [value - 0.02, value, value + 0.02] if known else [], "low": value - 0.06 if known else None,
        "high": value + 0.06 if known else None, "seed_sd": 0.02 if known else None,
        "data_se": 0.013 if known else None, "n": 900, "n_pos": 300, "n_neg": 600, "n_patients": 850,
        "method": "clustered by patient, logit, t, MOVER, seeds by t" if known else "none",
        "reason": None if known else "there is no column 'score_with.chest_tube'",
    }  # fmt: skip


def _operating_point(model: str) -> dict[str, Any]:
    about = {"model": model, "finding": FINDING, "n": 300, "n_pos": 70, "n_neg": 230, "n_patients": 281}
    if model == "segmenter, tube-free":
        none = {"n": 0, "n_pos": 0, "n_neg": 0, "n_patients": 0, "reason": "there are no validation rows"}
        return {**about, "rule": "sensitivity=0.9", "threshold": None, **none}
    return {**about, "rule": "sensitivity=0.9", "threshold": 0.412, "reason": None}


def _proportion(model: str) -> list[dict[str, Any]]:
    """What the AUROC is made of and what stands beside it; the last model has no training rows."""
    overall, none, both, aligned, robust, *_ = MODELS[model]
    trained = model != "segmenter, tube-free"
    weights = {"1:1": 0.094, "0:0": 0.231, "1:0": 0.641, "0:1": 0.034}
    areas = {"1:1": both, "0:0": none, "1:0": aligned, "0:1": robust}
    found = [_metric(model, f"pair:{pair}", "pair_weight", weight, half=0.02) for pair, weight in weights.items()]
    found += [
        _metric(model, f"pair:{pair}", "pair_contribution", round(weight * areas[pair], 4), half=0.02)
        for pair, weight in weights.items()
    ]
    named = [
        ("all", "auroc_known", overall), ("label:1", "attribute_rate", 0.735), ("label:0", "attribute_rate", 0.128),
        ("all", "shortcut_inflation", 0.031), ("all", "prevalence", 0.232), ("all", "gap_permuted", 0.001),
        ("all", "gap_permuted_p", 0.03), ("other:ecg_leads", "other_gap", 0.004),
        ("other:ecg_leads", "other_shift_positives", 0.497), ("other:ecg_leads", "other_shift_negatives", 0.511),
        ("reader:anna", "reader_auroc", 0.884), ("reader:anna", "auroc_less_reader", overall - 0.884),
        ("reader:anna", "reader_robust_auroc", 0.852), ("reader:anna", "robust_auroc_less_reader", robust - 0.852),
        ("reader:anna", "reader_auroc_gap", 0.021), ("reader:anna", "auroc_gap_less_reader", aligned - robust - 0.021),
    ]  # fmt: skip
    found += [_metric(model, group, name, round(value, 4)) for group, name, value in named]
    for name, value in (("auroc_at_training_rates", 0.872), ("attributes_alone_auroc", 0.803)):
        why = {} if trained else {"reason": "there are no training rows"}
        found.append(_metric(model, "all", name, value if trained else None, **why))
    return [*found, _metric(model, "all", "association_inflation", 0.028, q="p(a|y=0)")]


def _curve(model: str) -> dict[str, Any]:
    """The AUROC projected to other rates; the last model has none."""
    about = {"model": model, "finding": FINDING, "attribute": TUBE, "name": "projected_auroc"}
    about |= {"x_name": "share of images with the attribute, equal in both labels", "n": 1951, "n_patients": 1712}
    if model == "segmenter, tube-free":
        return {**about, "points": [], "method": "none", "reason": "the test set has no positives without chest_tube"}
    _, none, both, aligned, robust, *_ = MODELS[model]
    points = []
    for x in np.linspace(0, 1, 21):
        value = (1 - x) ** 2 * none + x * (1 - x) * (aligned + robust) + x**2 * both
        points.append({"x": float(x), "value": value, "low": value - 0.02, "high": value + 0.02})
    return {**about, "points": points, "method": "clustered, logit, t, holds for the whole line at once (max-t)"}


def _control_metrics() -> list[dict[str, Any]]:
    control = {"role": "control"}
    return [
        _metric("predicted area alone", "all", "auroc", 0.712, **control),
        _metric("predicted area alone", "robust", "robust_auroc", 0.548, half=0.07, n=312, n_pos=120, **control),
        _metric(
            "predicted area alone", "all", "interventional_gap", None, reason="area has no second state", **control
        ),
    ]


def _saliency_metrics() -> list[dict[str, Any]]:
    shares = {
        ("classifier", "footprint:chest_tube"): (0.148, 6.21),
        ("classifier", "footprint:ecg_leads"): (0.031, 1.38),
        ("classifier", "finding:pneumothorax"): (0.102, 4.02),
        ("randomised weights", "footprint:chest_tube"): (0.035, 1.47),
        ("randomised weights", "footprint:ecg_leads"): (0.033, 1.46),
        ("randomised weights", "finding:pneumothorax"): (0.022, 0.88),
    }
    found = []
    for (model, region), (share, enrichment) in shares.items():
        role = "control" if model == "randomised weights" else "model"
        fields = {
            "n": 200,
            "n_pos": 200,
            "n_neg": 0,
            "n_patients": 188,
            "method": "mean over patients, t",
            "role": role,
        }
        found.append(_metric(model, region, "saliency_share", share, half=0.012, **fields))
        found.append(_metric(model, region, "saliency_enrichment", enrichment, half=0.3, **fields))
    dice = {"n": 453, "n_pos": 453, "n_neg": 0, "method": "mean over patients, t"}
    found.append(_metric("segmenter, drawn masks", "all", "dice", 0.781, half=0.017, **dice))
    found.append(_metric("segmenter, pseudo-masks", "all", "dice", 0.402, half=0.021, **dice))
    return found


def _answers(model: str) -> list[dict[str, Any]]:
    _, none, _, aligned, robust, switched, _ = MODELS[model]
    _, gap, reliance, _ = STATUS[model]
    about = {"model": model, "finding": FINDING, "attribute": TUBE}
    said = {"beyond": "yes", "shown": "yes", "within": "no", "excluded": "no", "open": "cannot tell"}
    value, needed = aligned - robust, 140 if gap == "open" else None
    return [
        {
            **about, "check": "skill", "kind": "performance", "question": "Is there anything to audit?",
            "evidence": "yes", "number": "auroc_pair", "value": none, "low": none - 0.03, "high": none + 0.03,
            "null": 0.5, "limit": 0.6, "limit_origin": "default", "reason": "The lower limit is above 0.600.",
        },
        {
            **about, "check": "gap", "kind": "performance", "decides": True, "evidence": said[gap],
            "question": "Does performance hold where the association breaks?", "number": "auroc_gap", "value": value,
            "low": value - 0.058, "high": value + 0.058, "null": 0.0, "limit": 0.05, "limit_origin": "config",
            "reason": "The interval was compared with the margin.", "n_needed": needed,
            "cell_needed": "finding without attribute" if needed else None,
        },
        {
            **about, "check": "reliance", "kind": "causal", "decides": True, "evidence": said[reliance],
            "question": "Is it the attribute?", "number": "interventional_gap", "value": switched,
            "low": switched - 0.05, "high": switched + 0.05, "null": 0.0, "limit": 0.05, "limit_origin": "default",
            "reason": "Exact pairs: the same images with and without the attribute.",
        },
        {
            **about, "check": "reference", "kind": "causal", "evidence": "cannot tell",
            "question": "Is the gap larger than that of a matched model?", "number": "gap_vs_reference", "value": None,
            "low": None, "high": None, "null": 0.0, "limit": 0.05, "limit_origin": "default",
            "reason": "no reference model was given",
        },
    ]  # fmt: skip


def _verdict(model: str) -> dict[str, Any]:
    status, gap, reliance, rule = STATUS[model]
    words = {"sentences": SENTENCES[status], "answers": ("gap", "reliance")}
    about = {"model": model, "finding": FINDING, "attribute": TUBE}
    return {**about, "status": status, "gap": gap, "reliance": reliance, "rule": rule, **words}


def png(pixels: np.ndarray) -> str:
    """Return pixels (H, W), (H, W, 3) or (H, W, 4), uint8, as a data URI."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _film(seed: int, *, tube: bool) -> np.ndarray:
    """Draw something like a chest film: two dark lungs, ribs, and a bright tube."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    noise = np.random.default_rng(seed).normal(0, 0.03, (SIZE, SIZE))
    lungs = sum(np.exp(-(((x - middle) / 0.16) ** 4) - ((y - 0.5) / 0.34) ** 4) for middle in (0.29, 0.71))
    film = 0.72 - 0.5 * lungs + 0.05 * np.sin(y * 60 + 3 * (x - 0.5) ** 2) * lungs + noise
    if tube:
        film += 0.45 * _tube()
    return np.clip(film * 255, 0, 255).astype(np.uint8)


def _tube() -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    return np.exp(-(((x - 0.12 - 0.4 * (1 - y) ** 1.6) / 0.012) ** 2)) * (y > 0.25) * (y < 0.85)


def _overlay(mask: np.ndarray, colour: tuple[int, int, int], alpha: int) -> str:
    rgba = np.zeros((SIZE, SIZE, 4), np.uint8)
    rgba[mask] = (*colour, alpha)
    return png(rgba)


def _outline(mask: np.ndarray) -> np.ndarray:
    inner = mask & np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1)
    return mask & ~inner


def _layers(seed: int, *, tube: bool) -> list[dict[str, str]]:
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    finding = (((x - 0.7) / 0.12) ** 2 + ((y - 0.24) / 0.08) ** 2) < 1
    warm = np.clip(_tube() * 1.2 + 0.5 * np.exp(-(((x - 0.7) / 0.1) ** 2) - ((y - 0.24) / 0.08) ** 2), 0, 1)
    heat = (np.stack([warm, warm**2 * 0.7, warm**4 * 0.5 + 0.2 * warm], -1) * 255).astype(np.uint8)
    layers = [
        {"kind": "image", "label": "image", "uri": png(_film(seed, tube=tube))},
        {
            "kind": "image_without" if tube else "image_with",
            "label": "other state",
            "uri": png(_film(seed, tube=not tube)),
        },
        {"kind": "heatmap", "label": "integrated gradients", "uri": png(heat)},
        {"kind": "finding", "label": "drawn finding", "uri": _overlay(_outline(finding), (53, 214, 195), 255)},
        {"kind": "predicted", "label": "predicted mask", "uri": _overlay(np.roll(finding, 3, 1), (180, 140, 255), 120)},
    ]
    tube_layer = {
        "kind": "footprint",
        "label": "chest tube",
        "uri": _overlay(_outline(_tube() > 0.3), (255, 176, 46), 255),
    }
    return [*layers, tube_layer] if tube else layers


def _example(number: int, label: int, value: str, because: str, *, flips: bool) -> dict[str, Any]:
    low, high = (0.31, 0.82) if flips else (0.55 + 0.01 * number, 0.58 + 0.01 * number)
    shifts = [
        {"model": "classifier", "score_with": high, "score_without": low, "threshold": 0.5, "flips": flips},
        {
            "model": "segmenter, drawn masks",
            "score_with": 0.61,
            "score_without": 0.59,
            "threshold": 0.4,
            "flips": False,
        },
        {"model": "segmenter, tube-free", "score_with": 0.4, "score_without": 0.4, "threshold": None, "flips": False},
    ]
    about = {"case": f"case {number:04d}", "finding": FINDING, "attribute": TUBE, "label": label, "value": value}
    layers = _layers(number, tube=value == "1")
    return {**about, "chosen_because": because, "shifts": shifts, "layers": layers}


def _comparison(model: str, other: str, name: str, value: float | None) -> dict[str, Any]:
    bounds = {"low": None, "high": None} if value is None else {"low": value - 0.05, "high": value + 0.05}
    reason = "no image has a counterpart" if value is None else None
    about = {"model": model, "other": other, "finding": FINDING, "attribute": TUBE, "name": name}
    return {
        **about,
        "value": value,
        **bounds,
        "n": 1951,
        "n_patients": 1712,
        "method": "paired, MOVER",
        "reason": reason,
    }


@cache
def full_data() -> dict[str, Any]:
    """Return the JSON-able content of an audit with four models and a control; not to be changed in place."""
    examples = [
        _example(7, 0, "1", "decision flips without the attribute", flips=True),
        _example(12, 1, "0", "missed without the attribute", flips=True),
        _example(3, 1, "1", "confident", flips=False),
        _example(41, 0, "0", "random, seed 0", flips=False),
    ]
    metrics = [found for model in MODELS for found in (*_model_metrics(model), *_decisions(model), *_proportion(model))]
    cells = [
        {"finding": FINDING, "attribute": TUBE, "label": label, "value": value, "images": images, "patients": patients}
        for (label, value), (images, patients) in CELLS.items()
    ]
    return {
        "schema": 1,
        "status": "fail",
        "title": "Pneumothorax on chest films: does the model read the chest tube?",
        "dataset": {
            "name": "synthetic_cxr", "title": "Synthetic chest films", "source": "rendered", "licence": "Apache-2.0",
            "test_design": "natural", "pairs": "exact", "release": None, "knobs": {"p1": 0.735, "p0": 0.128},
        },
        "banners": ["Synthetic images: this shows how the audit works, not how a model works on patients."],
        "provenance": {
            "version": "0.1.0", "commit": "1a2b3c4d5e6f-dirty", "command": "audit demo --seed 0",
            "config": {"seed": 0, "evaluate": {"ask": "both", "margin": 0.05}}, "seed": 0,
            "created": "2026-11-21T06:00:00Z", "inputs": {"manifest": "ab" * 32, "scores": "cd" * 32},
            "packages": {"numpy": "2.4.6", "torch": "2.15.0"}, "python": "3.12.4", "machine": "Linux x86_64, 2 cores",
        },
        "counts": {
            "images": 1951, "patients": 1712, "clustered_by": "patient",
            "by_split": {"train": 1400, "val": 300, "test": 1951},
            "excluded": {"unreadable image": 2, "attribute not known": 11}, "cells": cells,
        },
        "limits": [
            {"name": "margin", "value": 0.05, "origin": "default", "meaning": "m of both questions"},
            {"name": "min_skill", "value": 0.6, "origin": "config", "meaning": "below it there is no skill to audit"},
            {"name": "min_cell_patients", "value": 10, "origin": "default", "meaning": "below it a cell is open"},
        ],
        "verdicts": [_verdict(model) for model in reversed(MODELS)],
        "answers": [answer for model in MODELS for answer in _answers(model)],
        "metrics": [*metrics, *_control_metrics(), *_saliency_metrics()],
        "comparisons": [
            _comparison("classifier", "segmenter, drawn masks", "interventional_gap", 0.404),
            _comparison("classifier", "segmenter, drawn masks", "robust_auroc", -0.311),
            _comparison("segmenter, pseudo-masks", "segmenter, drawn masks", "interventional_gap", 0.239),
            _comparison("segmenter, pseudo-masks", "segmenter, drawn masks", "robust_auroc", None),
        ],
        "seeds": [_seed_mean("auroc", 0.903), _seed_mean("interventional_gap", None)],
        "agreements": [
            {"model": "classifier", "finding": FINDING, "attribute": TUBE, "status": None,
             "counts": {"fail": 2, "concern": 1}, "sentence": "The seeds do not agree: 2 FAIL, 1 CONCERN."}
        ],
        "operating_points": [_operating_point(model) for model in MODELS],
        "populations": [
            {"model": model, "finding": FINDING, "attribute": TUBE, "prevalence": 0.05, "given_finding": 0.735,
             "given_none": None if model == "classifier" else 0.128, "named": ["prevalence"]}
            for model in MODELS
        ],
        "curves": [_curve(model) for model in MODELS],
        "examples": examples,
        "rereads": [
            {"model": "classifier", "finding": FINDING, "attribute": TUBE, "cases": ["re-read 0001", "re-read 0002"]}
        ],
        "notes": ["The training association is positive: 0.735 of positives and 0.128 of negatives have a chest tube."],
    }  # fmt: skip


def full_result() -> AuditResult:
    """Return an audit with four models, a control and every kind of answer."""
    return AuditResult.model_validate(full_data())


def empty_result() -> AuditResult:
    """Return an audit in which there is nothing to show."""
    data = full_data()
    counts = {"images": 0, "patients": 0, "clustered_by": "image", "by_split": {}, "excluded": {}, "cells": []}
    provenance = {**data["provenance"], "commit": None, "seed": None, "inputs": {}, "packages": {}, "config": {}}
    blank = {
        key: []
        for key in (
            "banners",
            "limits",
            "verdicts",
            "answers",
            "metrics",
            "comparisons",
            "seeds",
            "agreements",
            "operating_points",
            "populations",
            "curves",
            "examples",
            "rereads",
            "notes",
        )
    }
    return AuditResult.model_validate(
        {**data, **blank, "status": "insufficient", "dataset": {}, "counts": counts, "provenance": provenance}
    )


LITERAL = {"status", "gap", "reliance", "evidence", "kind", "origin", "clustered_by", "role", "q", "schema", "named"}
"""Keys whose values are chosen from a fixed list, so that no text can get in."""


def hostile_result(payload: str, keep: frozenset[str] = frozenset()) -> AuditResult:
    """Return the full result with ``payload`` before every free text, the keys of dictionaries included.

    Args:
        payload: the text that tries to become something else.
        keep: keys left as they are, such as ``name`` and ``group``, so that the sections find their metrics.
    """
    return AuditResult.model_validate(_spoil(full_data(), payload, LITERAL | keep))


def _spoil(value: Any, payload: str, keep: set[str] | frozenset[str], key: str = "") -> Any:
    if isinstance(value, dict):
        free = key in {"dataset", "config", "inputs", "packages", "by_split", "excluded"}
        return {(payload + k if free else k): _spoil(v, payload, keep, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spoil(one, payload, keep, key) for one in value]
    return payload + value if isinstance(value, str) and key not in keep else value
