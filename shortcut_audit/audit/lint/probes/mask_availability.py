"""Which masks and footprints there are at all."""

from __future__ import annotations

from shortcut_audit.audit.lint.material import Material
from shortcut_audit.audit.lint.probes import PROBES, Clue, clue, with_all


@PROBES.register("mask_availability")
def mask_availability(material: Material) -> list[Clue]:
    """Does it tell the label that somebody drew a mask or a footprint?

    Whatever is learnt from the films with a mask is then learnt from one class. A finding's own mask is not asked
    about: it is there where the finding is.
    """
    frame, findings = material.manifest.frame, material.manifest.findings
    clues = []
    for column in frame.columns:
        prefix, _, structure = column.partition(".")
        if prefix in ("mask", "footprint"):
            own = structure if structure in findings else None
            clues.append(clue(column, frame[column].is_not_null().to_numpy(), own=own))
    return with_all(clues)
