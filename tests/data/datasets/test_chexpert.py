"""CheXpert as it is downloaded, and as people rearrange it."""

import shutil

import pytest
from trees.chexpert_tree import FINDINGS, HEADER, write_chexpert, write_rows

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, open_dataset
from shortcut_audit.data.images import load_pixels
from shortcut_audit.errors import InputError, UsageError

SMALL = "CheXpert-v1.0-small"


def read(root, **config):
    return open_dataset(DatasetConfig(name="chexpert", root=str(root), **config))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("chexpert")
    return root, write_chexpert(root, films=300, size=16)


@pytest.fixture
def small(tmp_path):
    """A tree of 20 films that a test may change."""
    return tmp_path, write_chexpert(tmp_path, films=20, size=8)


def rewrite(root, folder, header, rows):
    write_rows(root / SMALL / f"{folder}.csv", header, rows)


def row(inside, **cells):
    return {"Path": f"{SMALL}/{inside}", "Frontal/Lateral": "Frontal", "AP/PA": "AP", **cells}


def test_frontal_films_are_read_with_labels_patients_and_images(tree):
    root, films = tree
    manifest = read(root)
    frontal = {film.sample_id: film for film in films if not film.lateral}
    assert set(manifest.ids) == set(frontal)
    assert manifest.findings == tuple(name.lower().replace(" ", "_") for name in FINDINGS)
    for sample in (manifest.sample(at) for at in range(0, len(manifest), 7)):
        film = frontal[sample.sample_id]
        assert sample.image == root.resolve() / SMALL / film.inside
        assert sample.image.is_file()
        assert sample.patient_id == f"patient{film.patient:05d}"
        written = {name.lower().replace(" ", "_"): film.cells[name] for name in FINDINGS}
        assert sample.labels == {name: int(float(cell)) for name, cell in written.items() if cell}
        at = manifest.ids.index(sample.sample_id)
        assert manifest.frame["sex"][at] == film.cells["Sex"]
        assert manifest.frame["age"][at] == film.cells["Age"]
        assert manifest.frame["view"][at] == film.cells["AP/PA"]


@pytest.fixture
def batches(tmp_path):
    """The folders that Stanford serves: the tables and valid in batch 1, patients of train in batches 2 and 3."""
    films = write_chexpert(tmp_path, films=60, size=8, prefix="CheXpert-v1.0")
    whole = tmp_path / "CheXpert-v1.0"
    patients = sorted((whole / "train").iterdir())
    for number, part in ((2, patients[::2]), (3, patients[1::2])):
        folder = tmp_path / f"CheXpert-v1.0 batch {number} (train {number - 1})"
        folder.mkdir()
        for patient in part:
            patient.rename(folder / patient.name)
    (whole / "train").rmdir()
    whole.rename(tmp_path / "CheXpert-v1.0 batch 1 (validate & csv)")
    return tmp_path, films


def test_the_batches_that_stanford_serves_are_read_as_they_lie(batches):
    root, films = batches
    manifest = read(root)
    assert set(manifest.ids) == {film.sample_id for film in films if not film.lateral}
    assert all(path.is_file() for path in manifest.images())
    patients = manifest.frame["image"].str.extract(r"(patient\d+)/")
    assert patients.to_list() == manifest.frame["patient_id"].to_list()
    assert manifest.card.release == "CheXpert-v1.0"
    inside = read(root / "CheXpert-v1.0 batch 1 (validate & csv)")
    assert inside.images() == manifest.images()


def test_rows_of_a_batch_that_is_not_here_are_left_out_and_said(batches):
    root, films = batches
    shutil.rmtree(root / "CheXpert-v1.0 batch 3 (train 2)")
    manifest = read(root)
    there = {path.name for path in (root / "CheXpert-v1.0 batch 2 (train 1)").iterdir()}
    kept = {film.sample_id for film in films if f"patient{film.patient:05d}" in there or film.folder == "valid"}
    assert set(manifest.ids) == {film.sample_id for film in films if not film.lateral} & kept
    train = [film for film in films if film.folder == "train"]
    left = sum(f"patient{film.patient:05d}" not in there for film in train)
    note = f"{left} of {len(train)} rows are of patients of no batch that is here and are left out"
    assert note in manifest.card.notes


def test_all_views_include_lateral_ones(tree):
    root, films = tree
    manifest = read(root, views="all")
    assert len(manifest) == 300
    lateral = {film.sample_id for film in films if film.lateral}
    views = dict(zip(manifest.ids, manifest.frame["view"], strict=True))
    assert {name for name, view in views.items() if view == "lateral"} == lateral
    assert len(lateral) == 15
    assert "15 lateral views are left out (dataset.views: frontal)" in read(root).card.notes


def test_valid_is_the_test_and_val_is_cut_from_the_training_patients(tree):
    root, films = tree
    manifest = read(root, views="all")
    folder = {film.sample_id: film.folder for film in films}
    split = dict(zip(manifest.ids, manifest.frame["split"], strict=True))
    assert all((split[name] == "test") == (folder[name] == "valid") for name in split)
    train, val = (set(manifest.split(name).frame["patient_id"]) for name in ("train", "val"))
    assert val
    assert not train & val
    assert len(val) < 0.15 * len(train)
    assert "val is 5% of the training patients by a hash of their id, test is valid.csv" in manifest.card.notes


def test_valid_is_compared_with_what_was_published_too(tree):
    root, films = tree
    rows = sum(film.folder == "valid" for film in films)
    notes = read(root).card.notes
    assert f"valid.csv has {rows} rows, {234 - rows} fewer than the 234 published (CheXpert v1.0)" in notes
    five = "no_finding, lung_opacity, pneumonia, pneumothorax, support_devices"
    assert any(note.startswith(f"valid.csv: how often {five} occurs is not known to us") for note in notes)


@pytest.mark.parametrize("name", ["test.csv", "test_labels.csv"])
def test_with_a_table_of_the_test_set_valid_is_val(small, name):
    root, films = small
    write_rows(
        root / SMALL / name, ["Path", *FINDINGS], [{"Path": "test/patient64741/study1/view1_frontal.jpg", "Edema": "1"}]
    )
    manifest = read(root)
    split = dict(zip(manifest.ids, manifest.frame["split"], strict=True))
    assert split["patient64741_study1_view1_frontal"] == "test"
    for film in films:
        if not film.lateral:
            assert split[film.sample_id] == ("val" if film.folder == "valid" else "train")
    assert "val is valid.csv, test is the test table" in manifest.card.notes


def test_without_valid_there_is_no_test_split_and_a_note_says_so(small):
    root, _ = small
    (root / SMALL / "valid.csv").unlink()
    manifest = read(root)
    assert len(manifest.split("test")) == 0
    assert any("there is no test split (no valid.csv)" in note for note in manifest.card.notes)


@pytest.mark.parametrize("inner", ["", SMALL])
def test_the_root_may_be_the_folder_or_the_one_above(small, inner):
    root, _ = small
    assert load_pixels(read(root / inner), size=32, channels=1)[1].reasons == {}


@pytest.mark.parametrize("prefix", ["CheXpert-v1.0", "CheXpert-v1.0-downsampled", "CheXpert"])
def test_the_other_releases_are_found(tmp_path, prefix):
    write_chexpert(tmp_path, films=10, size=8, prefix=prefix)
    manifest = read(tmp_path)
    assert manifest.card.release == prefix
    assert all(path.is_file() for path in manifest.images())


def test_tables_may_lie_beside_the_folder_of_images(small):
    root, _ = small
    for name in ("train.csv", "valid.csv"):
        shutil.move(root / SMALL / name, root / name)
    assert all(path.is_file() for path in read(root).images())


@pytest.mark.parametrize("start", ["/nas/public/CheXpert/CheXpert-v1.0-small/", "", "CheXpert-v1.0\\"])
def test_prefixes_of_other_machines_are_stripped(small, start):
    root, films = small
    rewrite(root, "train", HEADER, [{**row(""), "Path": start + films[0].inside, **films[0].cells}])
    train = read(root).frame.filter(sample_id=films[0].sample_id)
    assert train["image"].to_list() == [films[0].inside]


def test_columns_are_found_by_name_whatever_their_order_and_signs(small):
    root, films = small
    header = ["path", "Age", "sex", "Pneumothorax", "Pleural_Effusion"]
    rewrite(root, "train", header, [dict(zip(header, [films[0].inside, "61", "Unknown", "-1.0", "1"], strict=True))])
    train = read(root).frame.filter(sample_id=films[0].sample_id).to_dicts()[0]
    assert (train["age"], train["sex"], train["view"]) == ("61", None, "frontal")
    assert (train["label.pneumothorax"], train["label.pleural_effusion"]) == (-1, 1)
    assert "label.edema" not in train  # valid.csv has it


def test_a_finding_that_a_table_has_no_column_of_is_left_out_as_a_blank_would_be_read_as_negative(small):
    root, _ = small
    path = root / SMALL / "valid.csv"
    path.write_text(path.read_text().replace("Pneumothorax", "Pneumothorx", 1))
    manifest = read(root)
    assert "pneumothorax" not in manifest.findings
    assert len(manifest.findings) == 13
    assert "valid.csv has no column of pneumothorax: left out everywhere" in manifest.card.notes


@pytest.mark.parametrize(
    ("uncertain", "blank", "expected"),
    [
        ("ignore", "negative", [1, 0, None, 0]),
        ("ones", "ignore", [1, 0, 1, None]),
        ("zeros", "negative", [1, 0, 0, 0]),
    ],
)
def test_support_devices_are_a_proxy_under_the_policy_of_labels(small, uncertain, blank, expected):
    root, _ = small
    rows = [
        row(f"train/patient0000{at}/study1/view1_frontal.jpg", **{"Support Devices": cell})
        for at, cell in enumerate(["1.0", "0.0", "-1.0", ""])
    ]
    rewrite(root, "train", HEADER, rows)
    manifest = read(root, uncertain=uncertain, blank=blank)
    frame = manifest.frame.filter(manifest.frame["image"].str.starts_with("train/"))
    assert frame["attribute.support_devices"].to_list() == expected
    assert frame["label.support_devices"].to_list() == [1, 0, -1, None]
    assert any("support_devices is a proxy" in note and uncertain in note for note in manifest.card.notes)


def test_without_its_column_there_is_no_proxy(small):
    root, films = small
    for folder in ("train", "valid"):
        rows = [{"Path": film.inside, "Pneumothorax": "1"} for film in films if film.folder == folder]
        rewrite(root, folder, ["Path", "Pneumothorax"], rows)
    assert read(root).attributes == ()


def test_a_subset_is_accepted_and_said(tree):
    note = "train.csv has 240 rows, 223,174 fewer than the 223,414 published (train.csv of v1.0)"
    assert note in read(tree[0]).card.notes


@pytest.mark.parametrize("cell", ["", "0.0", "-1.0", "1.0"])
def test_views_of_one_study_with_different_labels_are_said_also_where_no_count_is_known(small, cell):
    """In a part of a release, and of views that are not kept, one label changed can be seen by this alone."""
    root, _ = small
    kept = {"Pneumothorax": "0.0", "Edema": "", "No Finding": "1.0"}
    study = "valid/patient64999/study3"
    rows = [
        row(f"{study}/view1_frontal.jpg", **kept),
        row(f"{study}/view2_lateral.jpg", **kept | {"Frontal/Lateral": "Lateral", "Pneumothorax": cell}),
        row("valid/patient64999/study4/view1_frontal.jpg", Edema="1.0"),
    ]
    rewrite(root, "valid", HEADER, rows)
    manifest = read(root)
    assert "patient64999_study3_view2_lateral" not in manifest.ids
    told = (
        "valid.csv: studies whose images have different labels: 1 (patient64999_study3); "
        "a study is labelled as a whole, so look what changed them"
    )
    assert (told in manifest.card.notes) == (cell != "0.0")
    assert not any(note.startswith("train.csv: studies") for note in manifest.card.notes)


def test_a_folder_without_the_table_is_a_usage_error_that_says_where_it_looked(tmp_path):
    with pytest.raises(UsageError, match=r"no train\.csv of CheXpert, neither here nor one folder deeper; .*--root"):
        read(tmp_path)


def test_a_table_without_paths_is_a_usage_error(small):
    rewrite(small[0], "train", ["File", "Edema"], [{"File": "x", "Edema": "1"}])
    with pytest.raises(UsageError, match=r"train\.csv: no column 'Path'; the columns are: File, Edema"):
        read(small[0])


def test_a_table_without_findings_is_a_usage_error(small):
    rewrite(small[0], "train", ["Path", "Sex"], [row("train/patient00001/study1/view1_frontal.jpg")][:0])
    with pytest.raises(
        UsageError, match=r"train\.csv: no column of a finding; expected some of No Finding, .*: Path, Sex"
    ):
        read(small[0])


@pytest.mark.parametrize("path", ["", "train/00001.jpg"])
def test_a_path_without_a_patient_is_refused_naming_the_row(small, path):
    good = row("train/patient00001/study1/view1_frontal.jpg")
    rewrite(small[0], "train", HEADER, [good, {**good, "Path": path}])
    with pytest.raises(
        InputError, match=rf"train\.csv: row 2, column 'Path' holds '{path}'; expected a path such as train/"
    ):
        read(small[0])


def test_an_impossible_label_is_refused_naming_their_column_and_row(small):
    lateral = {**row("train/patient00001/study1/view2_lateral.jpg"), "Frontal/Lateral": "Lateral"}
    bad = row("train/patient00001/study1/view1_frontal.jpg", **{"Pleural Effusion": "5"})
    rewrite(small[0], "train", HEADER, [lateral, bad])
    with pytest.raises(InputError, match=r"train\.csv: row 2, column 'Pleural Effusion' holds '5'; expected 1, 0, -1"):
        read(small[0])


def test_a_film_listed_twice_is_refused(small):
    good = row("train/patient00001/study1/view1_frontal.jpg")
    rewrite(small[0], "train", HEADER, [good, good])
    with pytest.raises(
        InputError, match="the sample_id 'patient00001_study1_view1_frontal' stands in row 1 and again in"
    ):
        read(small[0])


def test_a_patient_in_train_and_valid_is_refused(small):
    root, films = small
    patient = next(film.patient for film in films if film.folder == "valid")
    rewrite(root, "train", HEADER, [row(f"train/patient{patient:05d}/study77/view1_frontal.jpg")])
    with pytest.raises(InputError, match=rf"patient 'patient{patient:05d}' is in train and test"):
        read(root)


def test_its_first_line_names_it_in_lists():
    assert (
        "chexpert",
        "CheXpert v1.0 or v1.0-small: 14 findings, support devices as a proxy of tubes.",
    ) in DATASETS.describe()


RELEASED = {
    "No Finding": (22381, 0, 0), "Enlarged Cardiomediastinum": (10798, 21638, 12403),
    "Cardiomegaly": (27000, 11116, 8087),
    "Lung Opacity": (105581, 6599, 5598), "Lung Lesion": (9186, 1270, 1488), "Edema": (52246, 20726, 12984),
    "Consolidation": (14783, 28097, 27742), "Pneumonia": (6039, 2799, 18770), "Atelectasis": (33376, 1328, 33739),
    "Pneumothorax": (19448, 56341, 3145), "Pleural Effusion": (86187, 35396, 11628), "Pleural Other": (3523, 316, 2653),
    "Fracture": (9040, 2512, 642), "Support Devices": (116001, 6137, 1079),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole_size(tmp_path_factory):
    """A table of the released size with the released counts of labels, and lines of it to change."""
    root = tmp_path_factory.mktemp("whole")
    rows = 223_414
    cells = []
    for ones, zeros, uncertain in RELEASED.values():
        column = ["1.0"] * ones + ["0.0"] * zeros + ["-1.0"] * uncertain
        cells.append(column + [""] * (rows - len(column)))
    places = [f"patient{n % 64_540 + 1:05d}/study{n // 64_540 + 1}/view1_frontal.jpg" for n in range(rows)]
    lines = [
        f"{SMALL}/train/{place},Male,60,Frontal,AP,{','.join(labels)}"
        for place, *labels in zip(places, *cells, strict=True)
    ]
    return root, [",".join(HEADER), *lines]


def notes_of(whole_size, change):
    root, lines = whole_size
    (root / "train.csv").write_text("\n".join(change(lines)) + "\n")
    return [note for note in read(root).card.notes if "published" in note]


def test_the_whole_release_is_recognised(whole_size):
    assert notes_of(whole_size, list) == ["train.csv has 223,414 rows and values as published (train.csv of v1.0)"]


def test_one_row_missing_of_the_release_is_said(whole_size):
    notes = notes_of(whole_size, lambda lines: lines[:-1])
    assert notes == ["train.csv has 223,413 rows, 1 fewer than the 223,414 published (train.csv of v1.0)"]


def test_one_label_flipped_in_the_release_is_said(whole_size):
    notes = notes_of(whole_size, lambda lines: [lines[0], lines[1].replace(",1.0", ",0.0", 1), *lines[2:]])
    assert notes == [
        "train.csv has 223,414 rows as published (train.csv of v1.0)",
        "train.csv: no_finding = 1 in 22,380 rows, published: 22,381",
        "train.csv: no_finding = 0 in 1 rows, published: 0",
    ]


def test_folders_of_a_resized_copy_are_found(small):
    root, _ = small
    before = read(root)
    for name, folder in (("train.csv", "train"), ("valid.csv", "valid")):
        path = root / SMALL / name
        path.write_text(path.read_text().replace(f"/{folder}/", f"/{folder}_224/"))
        (root / SMALL / folder).rename(root / SMALL / f"{folder}_224")
    manifest = read(root)
    assert manifest.ids == before.ids
    assert "_224/patient" in manifest.frame["image"][0]
    assert all(image.is_file() for image in manifest.images())
