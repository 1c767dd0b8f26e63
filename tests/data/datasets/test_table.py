"""A user's own table, as any user might bring it."""

import io
import random
import shutil

import polars as pl
import pytest
from trees.table_tree import write_table_tree

from shortcut_audit.config import DatasetConfig, TableConfig, load_config
from shortcut_audit.data.classes import class_masks, parse_class
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.datasets.table import table as read_table
from shortcut_audit.data.images import load_pixels
from shortcut_audit.errors import InputError, UsageError

COLUMNS = {
    "image": "picture", "sample": "case", "patient": "who", "split": "set", "labels": {"cancer": "malignant"},
    "attributes": {"ruler": "ruler", "scanner": "scanner"}, "masks": {"lesion": "outline"},
}  # fmt: skip


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_table_tree(tmp_path, rows=40)


def config_of(root, *, columns=None, without=(), **table):
    named = {key: value for key, value in {**COLUMNS, **(columns or {})}.items() if key not in without}
    settings = TableConfig.model_validate({"file": "cases.csv", "columns": named, **table})
    return DatasetConfig(name="table", root=str(root), table=settings)


def read(root, **kwargs):
    return open_dataset(config_of(root, **kwargs))


def packed(cells, ending):
    stream = io.BytesIO()
    (cells.write_ndjson if ending == "jsonl" else cells.write_parquet)(stream)
    return stream.getvalue()


def edit(root, change):
    path = root / "cases.csv"
    path.write_text(change(path.read_text()))


def test_site_view_sex_and_age_are_mapped_and_rules_know_them(tree):
    root, rows = tree
    edit(root, lambda text: text.replace("scanner", "Geraet", 1))
    config = config_of(root, columns={"site": "Geraet", "attributes": {"ruler": "ruler"}})
    manifest = open_dataset(config.model_copy(update={"attributes": {"place": "site"}}))
    assert manifest.frame["site"].to_list() == [row["scanner"] or None for row in rows]
    assert manifest.attribute_type("place") == "categorical"
    with pytest.raises(UsageError, match=r"dataset\.table\.columns\.age names the column 'Alter', which is not there"):
        read(root, columns={"age": "Alter", "attributes": {}})


def test_columns_are_mapped_by_the_config(tree):
    root, rows = tree
    manifest = read(root)
    assert manifest.ids == [row["case"] for row in rows]
    assert (manifest.findings, manifest.attributes, manifest.structures) == (
        ("cancer",),
        ("ruler", "scanner"),
        ("lesion",),
    )
    assert manifest.frame["patient_id"].to_list() == [row["who"] for row in rows]
    assert manifest.frame["split"].to_list() == [row["set"].replace("valid", "val") for row in rows]
    assert manifest.labels()[:, 0].tolist() == [float(row["malignant"]) for row in rows]
    assert manifest.attribute_type("scanner") == "categorical"
    ruler = [float(row["ruler"]) if row["ruler"] else None for row in rows]
    assert manifest.frame["attribute.ruler"].to_list() == ruler
    assert manifest.images()[3] == root.resolve() / "pics" / "003.png"
    assert manifest.card.name == "cases"


def test_what_was_read_can_be_learnt_from(tree):
    root, rows = tree
    manifest = read(root)
    pixels, quarantine = load_pixels(manifest, size=32, channels=3)
    assert pixels.shape == (40, 3, 32, 32)
    assert len(quarantine) == 0
    masks, known = class_masks(manifest, [parse_class("lesion where cancer = 1")], 32)
    drawn = [row["outline"] != "" for row in rows]
    whole = known[:, 0].all(axis=(1, 2))
    assert whole.tolist() == [d or row["malignant"] == "0" for d, row in zip(drawn, rows, strict=True)]
    assert masks.any(axis=(1, 2, 3)).tolist() == drawn


@pytest.mark.parametrize("change", ["semicolon", "bom", "latin-1", "index", "backslash"])
def test_the_habits_of_other_programs_do_not_matter(tree, change):
    root, _ = tree
    expected = read(root).fingerprint
    path = root / "cases.csv"
    text = path.read_text()
    if change == "semicolon":
        path.write_text(text.replace(",", ";"))
    if change == "bom":
        path.write_text(text, encoding="utf-8-sig")
    if change == "latin-1":
        path.write_bytes("\n".join(f"{line},é" for line in text.splitlines()).encode("latin-1"))
    if change == "index":
        path.write_text("\n".join(f"{at if at else ''},{line}" for at, line in enumerate(text.splitlines())))
    if change == "backslash":
        path.write_text(text.replace("pics/", "pics\\").replace("drawn/", "drawn\\"))
        assert all(image.is_file() for image in read(root).images())
        return
    assert read(root).fingerprint == expected


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_the_same_table_in_another_format_is_the_same_data_set(tree, ending):
    root, _ = tree
    expected = read(root)
    cells = pl.read_csv(root / "cases.csv", schema_overrides={"case": pl.String})
    (root / f"cases.{ending}").write_bytes(packed(cells, ending))
    manifest = read(root, file=f"cases.{ending}")
    assert manifest.frame.equals(expected.frame)
    assert manifest.card == expected.card


def test_flipped_bytes_of_json_lines_change_their_own_rows_or_are_refused(tree):
    root, _ = tree
    raw = packed(pl.read_csv(root / "cases.csv", infer_schema=False), "jsonl")

    def rows():
        return {row[0]: row for row in read(root, file="cases.jsonl").frame.iter_rows()}

    (root / "cases.jsonl").write_bytes(raw)
    expected, refused = rows(), 0
    for seed in range(40):
        rng, damaged = random.Random(seed), bytearray(raw)
        damaged[rng.randrange(len(raw))] = rng.choice(b'\x00\xff\xc3{}[]:,"\n0159-\\u')
        (root / "cases.jsonl").write_bytes(damaged)
        try:
            found = rows()
        except (InputError, UsageError):
            refused += 1
            continue
        assert len([key for key in expected if found.get(key) != expected[key]]) <= 1, f"seed {seed}"
    assert 0 < refused < 40


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_whatever_the_format_a_label_that_is_none_is_refused_naming_row_and_column(tree, ending):
    root, _ = tree
    cells = pl.read_csv(root / "cases.csv").with_columns(malignant=pl.Series([0.0, 1.0, 0.5] + [0.0] * 37))
    (root / f"cases.{ending}").write_bytes(packed(cells, ending))
    with pytest.raises(
        InputError, match=rf"cases\.{ending}: row 3, column 'malignant' holds '0\.5'; expected 1, 0, -1"
    ):
        read(root, file=f"cases.{ending}")


def test_paths_may_be_absolute(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("pics/", f"{root}/pics/"))
    (root / "apart").mkdir()
    shutil.move(root / "cases.csv", root / "apart" / "cases.csv")
    assert all(image.is_file() for image in read(root / "apart", without=["masks"]).images())


def test_a_relative_path_must_stay_under_the_root(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("pics/003", "../pics/003"))
    with pytest.raises(InputError, match=r"manifest row 4, column 'image': the path '\.\./pics/003\.png' leads out of"):
        read(root).images()


def test_without_a_root_paths_start_from_the_folder_of_the_table(tree, monkeypatch):
    root, _ = tree
    monkeypatch.chdir(root.parent)
    config = config_of(root, file=f"{root.name}/cases.csv").model_copy(update={"root": None})
    assert all(image.is_file() for image in open_dataset(config).images())


def test_without_a_column_of_splits_patients_are_cut_and_a_note_says_so(tree):
    root, _ = tree
    manifest = read(root, without=["split"])
    assert set(manifest.frame["split"]) == {"train", "val", "test"}
    splits = manifest.frame.group_by("patient_id").agg("split")["split"].list.n_unique()
    assert splits.max() == 1
    assert any(note.startswith("no split was given: patients are cut 60/20/20") for note in manifest.card.notes)


def test_without_patients_and_splits_images_are_cut(tree):
    root, _ = tree
    manifest = read(root, without=["split", "patient"])
    assert manifest.frame["patient_id"].to_list() == manifest.ids
    assert len(set(manifest.frame["split"])) == 3


def test_values_of_the_split_column_mean_what_the_config_says_and_other_rows_go(tree):
    root, rows = tree
    manifest = read(root, splits={"train": ["train"], "test": ["test"]})
    assert manifest.ids == [row["case"] for row in rows if row["set"] != "valid"]
    assert "10 rows are in no split and are left out" in manifest.card.notes


def test_a_split_value_that_no_row_has_is_a_usage_error(tree):
    message = r"splits\.train names 'trian', which no row has \(did you mean 'train'\?\); .*: train, valid, test"
    with pytest.raises(UsageError, match=message):
        read(tree[0], splits={"train": ["trian"], "test": ["test"]})


@pytest.mark.parametrize("value", ["holdout", ""])
def test_an_unusual_split_value_that_the_config_does_not_explain_is_refused(tree, value):
    root, _ = tree
    edit(root, lambda text: text.replace("valid", value))
    with pytest.raises(
        InputError, match=rf"row 5: the split is '{value}'; expected one of train, .* in dataset\.table\.splits"
    ):
        read(root)


def test_training_rows_without_a_mask_can_be_left_out(tree):
    root, rows = tree
    manifest = read(root, require_mask_in_train="lesion")
    assert manifest.ids == [row["case"] for row in rows if row["outline"] or row["set"] == "test"]
    left_out = 40 - len(manifest)
    assert f"{left_out} training and validation rows have no mask of lesion and are left out" in manifest.card.notes


def test_requiring_an_unknown_mask_is_a_usage_error(tree):
    with pytest.raises(
        UsageError, match=r"require_mask_in_train names 'leison' \(did you mean 'lesion'\?\); the masks are: lesion"
    ):
        read(tree[0], require_mask_in_train="leison")


@pytest.mark.parametrize(
    ("columns", "key", "guess"),
    [
        ({"image": "pictures"}, "image", "picture"),
        ({"labels": {"cancer": "malignent"}}, "labels.cancer", "malignant"),
        ({"masks": {"lesion": "outlines"}}, "masks.lesion", "outline"),
    ],
)
def test_a_column_that_is_not_there_is_a_usage_error_naming_key_and_nearest(tree, columns, key, guess):
    with pytest.raises(UsageError, match=rf"dataset\.table\.columns\.{key} names the column .*did you mean '{guess}'"):
        read(tree[0], columns=columns)


def test_a_label_outside_the_allowed_values_is_refused_naming_their_row_and_column(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("valid,1", "valid,malign", 1))
    with pytest.raises(InputError, match=r"cases\.csv: row 6, column 'malignant' holds 'malign'; expected 1, 0, -1"):
        read(root, splits={"train": ["train"], "test": ["test"]})


def test_repeated_ids_are_refused_naming_their_rows(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("\n009,", "\n008,"))
    with pytest.raises(InputError, match=r"the case '008' stands in row 9 and again in row 10"):
        read(root)


def test_a_blank_image_is_refused_naming_the_row(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("pics/002.png", ""))
    with pytest.raises(InputError, match=r"cases\.csv: row 3, column 'picture' is blank"):
        read(root)


def test_a_patient_in_two_splits_is_refused_unless_allowed(tree):
    root, _ = tree
    edit(root, lambda text: text.replace("P03", "P00"))
    with pytest.raises(InputError, match="patient 'P00' is in train and test"):
        read(root)
    allowed = config_of(root).model_copy(update={"allow_shared_patients": True})
    assert any("1 patient is in more than one split" in note for note in open_dataset(allowed).card.notes)


def test_a_table_in_our_own_names_needs_no_mapping(tree):
    root, rows = tree
    header = "sample_id,image,patient_id,split,label.cancer,attribute.ruler,site"
    lines = [
        f"{row['case']},{row['picture']},{row['who']},{row['set']},{row['malignant']},{row['ruler']},A" for row in rows
    ]
    (root / "ours.csv").write_text("\n".join([header, *lines]))
    config = DatasetConfig(name="table", root=str(root), table=TableConfig(file="ours.csv"))
    manifest = open_dataset(config)
    assert manifest.frame["patient_id"].to_list() == [row["who"] for row in rows]
    assert (manifest.findings, manifest.attributes) == (("cancer",), ("ruler",))
    assert manifest.frame["site"].to_list() == ["A"] * 40


def test_the_reader_itself_asks_for_a_mapping(tmp_path):
    with pytest.raises(UsageError, match=r"the data set 'table' needs dataset\.table in a config"):
        read_table(tmp_path, DatasetConfig(name="table"))


def test_a_table_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"cases\.csv: cannot be read"):
        read(tmp_path)


def test_the_real_dermoscopy_table_gives_the_579_training_images_with_masks(real_data, configs):
    config = load_config([configs / "isic2017_traps.yaml"], named={"dataset.root": str(real_data / "isic2017")})
    manifest = open_dataset(config.dataset)
    counts = dict(manifest.frame["split"].value_counts().iter_rows())
    assert counts == {"train": 579, "val": 97, "test": 364}
    assert manifest.card.test_design == "reversed"
    assert len(manifest.attributes) == 7
    assert any("1 patient is in more than one split" in note for note in manifest.card.notes)
    assert not set(manifest.split("test").frame["patient_id"]) & set(manifest.split("train").frame["patient_id"])
    few = manifest.split("val")
    rules = [parse_class(text) for text in config.classes.values()]
    masks, known = class_masks(few, rules, 32)
    melanoma = few.labels(("melanoma",))[:, 0] == 1
    assert known.all()
    assert (masks.any(axis=(2, 3)) == [[not m, m] for m in melanoma]).all()


def test_the_real_intensive_care_table_has_projections_and_no_masks(real_data, configs):
    config = load_config([configs / "hannover_icu.yaml"], named={"dataset.root": str(real_data / "hannover_cxr")})
    manifest = open_dataset(config.dataset)
    assert len(manifest) == 116
    assert manifest.frame["patient_id"].n_unique() == 33
    assert manifest.attribute_type("projection") == "categorical"
    ap = (manifest.frame["attribute.projection"] == "ap").to_numpy()
    icu = manifest.labels()[:, 0] == 1
    assert ((ap & icu).sum(), (~ap & icu).sum(), len(ap)) == (82, 6, 116)


def test_a_table_without_rows_is_refused(tree):
    root, _ = tree
    edit(root, lambda text: text.splitlines()[0] + "\n")
    for without in ((), ("split",)):
        with pytest.raises(InputError, match=r"cases\.csv: there is no row below the header; expected one an image"):
            read(root, without=without)
