"""Shenzhen tuberculosis films (NLM), as downloaded, or in the mixture with Montgomery of Kaggle.

``root`` holds ``CXR_png`` and ``ClinicalReadings``. Lungs of 566 of the 662 films were drawn by others
(``mask/CHNCXR_0001_0_mask.png``, also in ``masks``). There are no patient ids and no split.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import index_images
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE
from shortcut_audit.data.tuberculosis import folders_of, read_films, with_lungs

PUBLISHED = Published(
    table="the folder of films",
    rows=662,
    source="Jaeger et al. 2014",
    values={"label.tuberculosis": {"1": 336, "0": 326}},
)
CARD = DataCard(
    name="Shenzhen",
    source="National Library of Medicine, Shenzhen Hospital chest X-ray set",
    licence="public, with attribution to the National Library of Medicine",
    citation="Jaeger et al. 2014, Two public chest X-ray datasets for computer-aided screening of pulmonary diseases, "
    "Quant Imaging Med Surg 4:475; masks: Stirenko et al. 2018, arXiv:1803.01199",
)


@DATASETS.register("shenzhen")
def shenzhen(root: Path, config: DatasetConfig) -> Manifest:
    """Shenzhen: tuberculosis, lungs drawn in most films, age and sex from text files."""
    refuse_options(config)
    frame, notes = read_films(root, "CHNCXR", dataset="the Shenzhen set")
    names = frame["sample_id"].to_list()
    drawn = index_images(folders_of(root, "mask", "masks"), root, wanted=frozenset(f"{name}_mask" for name in names))
    frame, undrawn = with_lungs(frame, [drawn.get(f"{name}_mask") for name in names])
    card = replace(CARD, notes=(*PUBLISHED.notes(frame), *notes, *undrawn, CUT_NOTE))
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))
