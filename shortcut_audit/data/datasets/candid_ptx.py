"""CANDID-PTX (Feng et al. 2021): pneumothorax, chest tubes and acute rib fractures, all of them drawn.

Chest tubes are the attribute ``chest_tube``, with their footprint; pneumothorax and rib fractures are findings with
masks. An image that a table does not name has nothing of the kind. A few images occur under two patients upstream:
they are left out. Reports are not carried on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.datasets.siim_acr import NOTHING, drawn_films
from shortcut_audit.data.drawn import EMPTY, cell_of
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file, with_images
from shortcut_audit.data.published import OTHERS, Published
from shortcut_audit.data.splits import CUT_NOTE, cut_by_patient
from shortcut_audit.data.tables import need_column, read_text_table
from shortcut_audit.data.validate import check_filled
from shortcut_audit.errors import InputError

REPORTS = ("Pneumothorax_reports.csv",)
TUBES = ("chest_tube.csv",)
FRACTURES = ("Rib_fracture_mask_rle.csv", "acute_rib_fracture.csv")
PUBLISHED = Published(
    table="Pneumothorax_reports.csv", rows=19_237, source="Feng et al. 2021",
    values={"label.pneumothorax": {"1": 3_196, "0": 16_041}}, counted_by=OTHERS,
)  # fmt: skip
CARD = DataCard(
    name="CANDID-PTX",
    source="University of Otago, CANDID-PTX, DOI 10.17608/k6.auckland.14173982",
    licence="data use agreement of the authors",
    citation="Feng et al. 2021, Curation of the CANDID-PTX dataset with free-text reports, Radiology: AI 3(6)",
)


@DATASETS.register("candid_ptx")
def candid_ptx(root: Path, config: DatasetConfig) -> Manifest:
    """CANDID-PTX: drawn pneumothorax and rib fractures, chest tubes with their footprints."""
    refuse_options(config)
    path = need_file(root, REPORTS, dataset="CANDID-PTX")
    frame, notes = _films(path, root)
    notes = [*notes, CUT_NOTE]
    frame = frame.with_columns(cut_by_patient(frame["patient_id"]))
    frame, missing = with_images(frame, [root], root, where=str(path))
    card = replace(CARD, notes=(*notes, *missing))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=root, where=str(path), allow_shared_patients=allowed)


def _films(path: Path, root: Path) -> tuple[pl.DataFrame, list[str]]:
    table = read_text_table(path)
    images, runs, files = (
        need_column(table, [name], where=str(path)) for name in ("SOPInstanceUID", "EncodedPixels", "filename")
    )
    patients = files.str.extract(r"^P0*(\d+)_")
    if patients.null_count():
        row = patients.is_null().arg_max() or 0
        raise InputError(
            f"{path}: row {row + 1}, column 'filename' holds '{files[row] or ''}'; expected P, the number of the "
            "patient and _, as in P0012_..."
        )
    films = drawn_films(images, runs, path=path, root=root, finding="pneumothorax")
    tubes, strange_tubes = _drawn(films, root, TUBES, ("attribute.chest_tube", "footprint.chest_tube"))
    fractures, strange_fractures = _drawn(films, root, FRACTURES, ("label.rib_fracture", "mask.rib_fracture"))
    films = films.with_columns(**tubes, **fractures)
    owners = pl.DataFrame({"sample_id": images, "patient_id": patients}).unique(maintain_order=True)
    joined = films.join(owners, on="sample_id", maintain_order="left")
    shared = joined["sample_id"].is_duplicated()
    number = joined.filter(shared)["sample_id"].n_unique()
    note = [f"images that stand under two patients, left out: {number}"] if number else []
    return joined.filter(~shared), [*PUBLISHED.notes(films), *strange_tubes, *strange_fractures, *note]


def _drawn(
    frame: pl.DataFrame, root: Path, names: Sequence[str], columns: tuple[str, str]
) -> tuple[dict[str, pl.Series], list[str]]:
    """Return whether it is there (0 or 1), and where, and a note on rows of no film; nothing without the table."""
    path = find_file(root, names)
    if path is None:
        return {}, []
    table = read_text_table(path)
    images = need_column(table, ["anon_SOPUID", "SOPInstanceUID"], where=str(path))
    runs = need_column(table, ["mask_rle", "EncodedPixels"], where=str(path))
    check_filled(images, where=str(path))
    there = set(images.filter(runs.fill_null(NOTHING) != NOTHING).to_list())
    file, ids = path.relative_to(root).as_posix(), frame["sample_id"].to_list()
    flags, cells = columns
    # A film that a slip of the pen parts from its row would be one without a tube, silently.
    strange = len(set(images.to_list()) - set(ids))
    return {
        flags: pl.Series([float(name in there) for name in ids], dtype=pl.Float64),
        cells: pl.Series([cell_of(file, key=n, codec="siim") if n in there else EMPTY for n in ids], dtype=pl.String),
    }, [f"{path.name}: {strange:,} images are not in {REPORTS[0]} and are left out"] * bool(strange)
