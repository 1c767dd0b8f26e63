"""A folder of PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from shortcut_audit.data.manifest import Manifest
from shortcut_audit.masks.exports import EXPORTS, SAYS_NOTHING, Exported, file_name, records
from shortcut_audit.masks.store import MaskStore

NO_FOREGROUND = "a mask that ignores some pixels and has no foreground cannot be told apart in a PNG of three values"


@EXPORTS.register("png")
def png(store: MaskStore, folder: Path, manifest: Manifest | None) -> Exported:  # noqa: ARG001 (no image is needed)
    """One folder a finding, one file a film: 255 the finding, 0 background, 127 to be ignored."""
    left_out: dict[str, int] = {}
    for record in records(store):
        if not record.foreground.any() and not record.known.all():
            reason = NO_FOREGROUND if record.known.any() else SAYS_NOTHING
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        pixels = np.where(record.known, record.foreground * 255, 127).astype(np.uint8)
        place = folder / file_name(record.finding)
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{file_name(record.sample_id)}.png")
    return Exported(masks=len(store) - sum(left_out.values()), left_out=left_out)
