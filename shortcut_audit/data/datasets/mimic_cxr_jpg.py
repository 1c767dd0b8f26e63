"""MIMIC-CXR-JPG 2.0.0 and 2.1.0 (Johnson et al. 2019), as downloaded from PhysioNet, tables packed or not.

Labels are of a study (a report), so all films of a study share them: option ``labels`` takes those of the CheXpert
or of the NegBio labeler. Option ``test_labels: radiologist`` takes those of the test split from the table that 2.1.0
adds, where one radiologist read the reports (not the films); test films of other studies are left out. Attributes:
``support_devices``, the proxy that CheXpert has too, and ``portable``, whether the procedure was described as
portable (bedside).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data import chexpert_counts as counts
from shortcut_audit.data.chexpert_findings import NO_FINDING_OPTION, finding_labels, with_no_finding, with_proxy
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_file, need_file
from shortcut_audit.data.published import Published
from shortcut_audit.data.tables import first_column, need_column, read_text_table
from shortcut_audit.data.validate import check_ids, check_split
from shortcut_audit.data.views import projections, wanted_views
from shortcut_audit.errors import InputError

RELEASES = ("2.1.0", "2.0.0")
BY_HAND = "mimic-cxr-2.1.0-test-set-labeled.csv"
PUBLISHED = Published(
    table="the table of metadata",
    rows=377_110,
    patients=65_379,
    source="PhysioNet, release 2.0.0",
    values={"split": {"train": 368_960, "val": 2_991, "test": 5_159}},
)
CARD = DataCard(
    name="MIMIC-CXR-JPG",
    source="PhysioNet, MIMIC-CXR-JPG",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    citation="Johnson et al. 2019, MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs",
)


@DATASETS.register("mimic_cxr_jpg")
def mimic_cxr_jpg(root: Path, config: DatasetConfig) -> Manifest:
    """MIMIC-CXR-JPG: 14 findings read from reports, official split, bedside films as an attribute."""
    chosen = chosen_options(
        config, {"labels": ("chexpert", "negbio"), "test_labels": ("labeler", "radiologist"), **NO_FINDING_OPTION}
    )
    labeler = chosen["labels"]
    path = _table(root, "metadata")
    films = _films(read_text_table(path), path)
    frame = _with_split(films, _table(root, "split"))
    notes = PUBLISHED.notes(frame)
    studies = _labels(table := _table(root, labeler))
    notes += [*_counted(labeler, table).notes(studies), f"labels: {labeler}"]
    frame = frame.join(studies, on=["patient_id", "study_id"], how="left", maintain_order="left")
    frame, by_hand = _with_test_labels(frame, root, chosen["test_labels"])
    notes += by_hand
    if lacking := frame["known"].null_count():
        notes.append(f"{lacking:,} films belong to studies without labels and are left out")
    frame, left_out = wanted_views(frame.filter("known").drop("known", "study_id"), config)
    frame, healthy = with_no_finding(frame, chosen["no_finding"])
    frame, proxy = with_proxy(frame, config)
    card = replace(CARD, release=path.name.split("-")[2], notes=(*notes, *left_out, *healthy, *proxy))
    allowed = config.allow_shared_patients
    return Manifest.from_frame(frame, card=card, root=path.parent, where=str(path), allow_shared_patients=allowed)


def _table(root: Path, what: str) -> Path:
    return need_file(root, [f"mimic-cxr-{release}-{what}.csv" for release in RELEASES], dataset="MIMIC-CXR-JPG")


def _films(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    dicom, patient, study = (need_column(table, [n], where=str(path)) for n in ("dicom_id", "subject_id", "study_id"))
    check_ids(dicom, where=str(path))
    said = first_column(table, ["PerformedProcedureStepDescription"])
    procedure = table[said] if said else pl.Series([None] * table.height)
    folders = pl.select(pl.format("files/p{}/p{}/s{}/{}.jpg", patient.str.head(2), patient, study, dicom)).to_series()
    return pl.DataFrame(
        {
            "sample_id": dicom,
            "image": folders,
            "patient_id": patient,
            "study_id": study,
            "view": projections(need_column(table, ["ViewPosition"], where=str(path))),
            "attribute.portable": procedure.cast(pl.String).str.contains("(?i)portable").cast(pl.Float64),
        }
    )


def _with_split(films: pl.DataFrame, path: Path) -> pl.DataFrame:
    table = read_text_table(path)
    dicom, split = (need_column(table, [name], where=str(path)) for name in ("dicom_id", "split"))
    check_ids(dicom, where=str(path))
    check_split(split := split.replace("validate", "val"), str(path))
    ours = pl.DataFrame({"sample_id": dicom, "split": split})
    joined = films.join(ours, on="sample_id", how="left", maintain_order="left")
    _refuse_blank(joined, "split", "no split", path)
    return joined


def _counted(labeler: str, path: Path) -> Published:
    """Return what is known of a table of labels: of NegBio's only how many studies it has."""
    said = replace(counts.MIMIC, table=path.name.removesuffix(".gz"))
    return said if labeler == "chexpert" else replace(said, values={})


def _labels(path: Path) -> pl.DataFrame:
    """Return the labels of studies, all of them ``known``: of films of others a blank is not "not mentioned"."""
    table = read_text_table(path)
    keys = {
        "patient_id": need_column(table, ["subject_id"], where=str(path)),
        "study_id": need_column(table, ["study_id"], where=str(path)),
    }
    labels = pl.DataFrame({**keys, **finding_labels(table, str(path), every=True), "known": [True] * table.height})
    again = labels.select("patient_id", "study_id").is_duplicated()
    if again.any():
        row = again.arg_max() or 0
        raise InputError(f"{path}: row {row + 1}: the study '{labels['study_id'][row]}' has two rows; keep one of them")
    return labels


def _with_test_labels(frame: pl.DataFrame, root: Path, choice: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the table with the labels of its test films as a radiologist read them, if wanted, and notes."""
    if choice == "labeler":
        use = "dataset.options.test_labels: radiologist"
        hint = f"{BY_HAND} is here and not used: a radiologist's labels of the test split ({use})"
        return frame, [hint] if find_file(root, [BY_HAND]) else []
    path = need_file(root, [BY_HAND], dataset="MIMIC-CXR-JPG 2.1.0")
    # The table calls Lung Opacity as the first version of the labeler did.
    table = read_text_table(path).rename({"Airspace Opacity": "Lung Opacity"}, strict=False)
    studies = need_column(table, ["study_id"], where=str(path))
    check_ids(studies, where=str(path))
    read = pl.DataFrame({"study_id": studies, **finding_labels(table, str(path), every=True)})
    test = frame.filter(pl.col("split") == "test")
    labelled = test.select(name for name in test.columns if not name.startswith("label."))
    labelled = labelled.join(read, on="study_id", how="inner", maintain_order="left")
    labelled = labelled.with_columns(known=True).select(frame.columns)
    said, lost = labelled["study_id"].n_unique(), test.height - labelled.height
    note = f"test_labels: radiologist, {said:,} studies; {lost:,} test films of other studies are left out"
    unused = read.height - said
    more = [f"{unused:,} studies of {BY_HAND} have no test film here and are not used"] if unused else []
    return pl.concat([frame.filter(pl.col("split") != "test"), labelled]), [note, *more]


def _refuse_blank(frame: pl.DataFrame, column: str, what: str, path: Path) -> None:
    if frame[column].null_count():
        row = frame[column].is_null().arg_max() or 0
        raise InputError(f"{path}: the film '{frame['sample_id'][row]}' has {what} here; fetch the table again")
