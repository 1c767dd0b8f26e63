"""One JSON file as the COCO tools read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from shortcut_audit.data.manifest import Manifest
from shortcut_audit.masks.exports import EXPORTS, Exported, records
from shortcut_audit.masks.record import MaskRecord
from shortcut_audit.masks.rle import pack_runs, runs_of
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.provenance import PRIVATE, write_atomic
from shortcut_audit.shapes import Mask

NAME = "masks.coco.json"


@EXPORTS.register("coco")
def coco(store: MaskStore, folder: Path, manifest: Manifest | None) -> Exported:
    """COCO JSON with compressed run lengths; what is to be ignored is kept under the key "known"."""
    size = {"height": store.header.height, "width": store.header.width}
    files = dict(zip(manifest.ids, manifest.frame["image"], strict=True)) if manifest else {}
    place = {sample: n + 1 for n, sample in enumerate(store.pairs.sample_ids)}
    kinds = {finding: n + 1 for n, finding in enumerate(store.pairs.findings)}
    tree = {
        "info": {
            "description": "pseudo-masks of shortcut-audit at their working size", "manifest": store.header.manifest,
            "model": store.header.model, "settings": dict(store.header.settings),
        },
        "images": [
            {"id": number, "file_name": files.get(sample, sample), "sample_id": sample, **size}
            for sample, number in place.items()
        ],
        "categories": [{"id": number, "name": finding} for finding, number in kinds.items()],
        "annotations": [
            {"id": n + 1, "image_id": place[record.sample_id], "category_id": kinds[record.finding], **_drawn(record)}
            for n, record in enumerate(records(store))
        ],
    }  # fmt: skip
    write_atomic(folder / NAME, json.dumps(tree, ensure_ascii=False, allow_nan=False), mode=PRIVATE)
    return Exported(masks=len(store), left_out={})


def _drawn(record: MaskRecord) -> dict[str, Any]:
    """Return one annotation but for its ids; "known" only where the mask does not know every pixel."""
    drawn: dict[str, Any] = {
        "segmentation": _segmentation(record.foreground),
        "area": int(np.count_nonzero(record.foreground)),
        "bbox": _box(record.foreground),
        "iscrowd": 0,
    }
    if record.score is not None:
        drawn["score"] = record.score
    if not record.known.all():
        drawn["known"] = _segmentation(record.known)
    return drawn


def _segmentation(mask: Mask) -> dict[str, Any]:
    return {"size": list(mask.shape), "counts": pack_runs(runs_of(mask))}


def _box(mask: Mask) -> list[int]:
    """Return x, y, width and height of what encloses a mask; all 0 where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return [0, 0, 0, 0]
    top, left = int(rows[0]), int(columns[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
