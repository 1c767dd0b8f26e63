"""How an image was saved: bytes, size, extension, format, mode, bit depth; of DICOM, how its pixels are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.audit.lint.probes import PROBES, Clue, clue, with_all
from shortcut_audit.audit.lint.probes.metadata import encoded
from shortcut_audit.data.decode import BadImageError, stored_as
from shortcut_audit.data.places import EXTENSIONS


@PROBES.register("image_file")
def image_file(material: Material) -> list[Clue]:
    """Do width, height, bytes, extension, format or mode (with the bit depth) of the file tell the label?

    Classes that come from two sources differ here, and in many ways that pixels keep. How far an image can be
    compressed is also in its content, so bytes alone accuse nobody.
    """
    facts = [_facts(path) for path in material.manifest.images()]
    width, height, size = (np.array([fact[at] for fact in facts], dtype=np.float64) for at in range(3))
    extension, shape, mode = (pl.Series("fact", [fact[at] for fact in facts], dtype=pl.String) for at in (3, 4, 5))
    known = np.maximum(width * height, 1)
    return with_all(
        [
            clue(
                "width and height", np.log(np.maximum(np.column_stack([width, height, width / height.clip(1)]), 0.01))
            ),
            clue("bytes", np.log(np.maximum(np.column_stack([size, size / known]), 1e-6))),
            clue("extension", encoded(extension)),
            clue("format", encoded(shape)),
            clue("mode", encoded(mode)),
        ]
    )


def _facts(path: Path) -> tuple[int, int, int, str, str, str]:
    """Return width, height, bytes, extension, format and mode; what is neither picture nor DICOM has only the others.

    What follows the last dot of a DICOM's UID is no extension.
    """
    size, extension = path.stat().st_size, path.suffix if path.suffix.lower() in EXTENSIONS else "none"
    try:
        with Image.open(path) as image:
            return image.width, image.height, size, extension, image.format or "none", image.mode
    except OSError:
        pass
    try:
        height, width, mode = stored_as(path)
    except BadImageError:
        return 0, 0, size, extension, "other", "other"
    return width, height, size, extension, "DICOM", mode
