"""HAM10000 (Tschandl et al. 2018), as downloaded: seven diagnoses; photographs of one lesion count as one patient.

``root`` holds ``HAM10000_metadata`` (``.csv``, ``.tab`` or without an ending), the folders ``HAM10000_images_part_1``
and ``_2``, and outlines in ``HAM10000_segmentations_lesion_tschandl``. There is no split: lesions are cut by a hash of
their id. Where the picture was taken (column ``dataset``) is the site. Artefacts are attributes, as in ISIC 2018.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options, threshold_option
from shortcut_audit.data.isic import need_images, with_lesions, without_blank
from shortcut_audit.data.isic_artefacts import THRESHOLD, with_artefacts
from shortcut_audit.data.isic_tables import (
    DIAGNOSES,
    HAM_CODES,
    HAM_COUNTS,
    HAM_LESIONS,
    HAM_MASKS,
    HAM_ROWS,
    LESION_NOTE,
    diagnosed,
    facts,
)
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_folders, need_file
from shortcut_audit.data.published import Published
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient
from shortcut_audit.data.tables import first_column, need_column, read_text_table
from shortcut_audit.data.validate import check_filled, check_ids
from shortcut_audit.errors import InputError

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
FACTS = {"patient_id": "lesion_id", "age": "age", "sex": "sex", "attribute.anatomic_site": "localization"}
SITE = "dataset"
PUBLISHED = Published(
    table="HAM10000_metadata",
    rows=HAM_ROWS,
    patients=HAM_LESIONS,
    source="Tschandl et al. 2018",
    values=diagnosed(HAM_CODES, HAM_COUNTS),
)
CARD = DataCard(
    name="HAM10000",
    source="Harvard Dataverse, DOI 10.7910/DVN/DBW86T",
    licence="CC BY-NC 4.0",
    citation="Tschandl et al. 2018, The HAM10000 dataset, Scientific Data 5:180161",
)


@DATASETS.register("ham10000")
def ham10000(root: Path, config: DatasetConfig) -> Manifest:
    """HAM10000: seven diagnoses, lesions outlined, site on the body, clinic, artefacts of Bissoto et al."""
    chosen_options(config, {}, others=["threshold"])
    threshold = threshold_option(config, THRESHOLD)
    path = need_file(root, TABLES, dataset="HAM10000")
    frame = _rows(path)
    folders = find_folders(root, ["HAM10000_images_*", "ham10000_images_*"]) or [root]
    kept, missing = with_lesions(frame, [*folders, *find_folders(root, [HAM_MASKS])], root, where=path.name)
    need_images(kept, root, dataset="HAM10000")
    kept = without_blank(kept.with_columns(cut_by_patient(kept["patient_id"])), "mask.lesion")
    kept, more = with_artefacts(kept, root, threshold=threshold)
    card = replace(CARD, notes=(*PUBLISHED.notes(frame), *missing, *more, LESION_NOTE, CUT_NOTE))
    return Manifest.from_frame(kept, card=card, root=root, where=str(path))


def _rows(path: Path) -> pl.DataFrame:
    table, where = read_text_table(path), str(path)
    ids, found = (need_column(table, [name], where=where) for name in ("image_id", "dx"))
    check_ids(ids, where=where)
    check_filled(need_column(table, ["lesion_id"], where=where), where=where)
    codes = [code.lower() for code in HAM_CODES]
    odd = ~found.is_in(codes).fill_null(False)
    if odd.any():
        row = odd.arg_max() or 0
        raise InputError(
            f"{where}: row {row + 1}, column 'dx' holds '{found[row] or ''}'; expected one of {', '.join(codes)}"
        )
    wanted = {**FACTS, **({"site": SITE} if first_column(table, [SITE]) else {})}
    labels = {f"label.{DIAGNOSES[code]}": (found == code.lower()).cast(pl.Float64) for code in HAM_CODES}
    return pl.DataFrame({"sample_id": ids, **labels, **facts(ids, path, wanted, key="image_id")})
