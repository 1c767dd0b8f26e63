"""Montgomery County tuberculosis films (NLM), as downloaded, or in the mixture with Shenzhen of Kaggle.

``root`` holds ``CXR_png``, ``ClinicalReadings`` and ``ManualMask/{leftMask,rightMask}``, whose union is the mask of the
lungs; in the mixture it is one file in ``masks``. There are no patient ids and no split.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.drawn import UNION
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import index_images
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE
from shortcut_audit.data.tuberculosis import folders_of, read_films, with_lungs

PUBLISHED = Published(
    table="the folder of films",
    rows=138,
    source="Jaeger et al. 2014",
    values={"label.tuberculosis": {"1": 58, "0": 80}},
)
CARD = DataCard(
    name="Montgomery County",
    source="National Library of Medicine, Montgomery County chest X-ray set",
    licence="public, with attribution to the National Library of Medicine",
    citation="Jaeger et al. 2014, Two public chest X-ray datasets for computer-aided screening of pulmonary diseases, "
    "Quant Imaging Med Surg 4:475",
)


@DATASETS.register("montgomery")
def montgomery(root: Path, config: DatasetConfig) -> Manifest:
    """Montgomery County: tuberculosis, lungs drawn left and right, age and sex from text files."""
    refuse_options(config)
    frame, notes = read_films(root, "MCUCXR", dataset="Montgomery County")
    frame, undrawn = with_lungs(frame, _lungs(frame["sample_id"].to_list(), root))
    card = replace(CARD, notes=(*PUBLISHED.notes(frame), *notes, *undrawn, CUT_NOTE))
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))


def _lungs(names: list[str], root: Path) -> list[str | None]:
    """Return left and right united; blank where one of them is missing."""
    wanted = frozenset(names)
    sides = [
        index_images(folders_of(root, side, f"ManualMask/{side}"), root, wanted=wanted)
        for side in ("leftMask", "rightMask")
    ]
    whole = index_images(folders_of(root, "masks"), root, wanted=wanted)
    apart = {name: UNION.join(side[name] for side in sides) for name in names if all(name in side for side in sides)}
    return [apart.get(name, whole.get(name)) for name in names]
