"""Labels that cannot both be right: *No Finding* on an image that has a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shortcut_audit.data.chexpert_findings import finding_key
from shortcut_audit.data.manifest import Manifest

HEALTHY = "no_finding"
ALLOWED = ("support_devices",)
"""What an image with no finding may have."""
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Contradictions:
    """How many of the images with *No Finding* = 1 have another finding, seen (1) or uncertain (-1).

    Attributes:
        images: labelled with *No Finding*.
        contradicted: of them, with any other finding; ``samples`` are the first.
        by_finding: another finding -> images, where there are any.
    """

    images: int
    contradicted: int
    by_finding: Mapping[str, int]
    samples: tuple[str, ...]


def contradictions(manifest: Manifest) -> Contradictions | None:
    """Hold *No Finding* against the other labels; None where it or the others are not there.

    The labeler of CheXpert writes *No Finding* only where it met nothing but support devices (Irvin et al. 2019), and
    none of the 223,414 rows of CheXpert's ``train.csv``, 112,120 of ChestX-ray14 and 15,000 films of VinDr-CXR at
    Kaggle contradicts itself; so a changed label may show here where a part of a release, or one without known counts,
    has nothing to be counted against. The option ``no_finding: negative`` has made them agree, and notes how many did
    not.
    """
    keys = {finding_key(name): name for name in manifest.findings}
    others = tuple(name for key, name in keys.items() if key not in (HEALTHY, *ALLOWED))
    if HEALTHY not in keys or not others:
        return None
    healthy = manifest.labels((keys[HEALTHY],))[:, 0] == 1
    beside = np.isin(manifest.labels(others), (1, -1)) & healthy[:, None]
    wrong = beside.any(axis=1)
    return Contradictions(
        images=int(healthy.sum()), contradicted=int(wrong.sum()),
        by_finding={name: int(count) for name, count in zip(others, beside.sum(axis=0), strict=True) if count},
        samples=tuple(np.array(manifest.ids)[wrong][:_NAMED].tolist()),
    )  # fmt: skip
