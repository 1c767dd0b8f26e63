"""NIH ChestX-ray14: a header with commas in its names, findings joined by bars, boxes, tubes of others."""

import gzip

import pytest
from trees.chest_trees import write_nih, write_nih_expert_labels
from trees.pictures import write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.drawn import read_drawn
from shortcut_audit.errors import InputError, UsageError

TABLE = "Data_Entry_2017_v2020.csv"


def read(root, **options):
    return open_dataset(DatasetConfig(name="nih_cxr14", root=str(root), options=options))


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_nih(tmp_path)


def edit(root, old, new, name=TABLE):
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))


def test_findings_patients_views_and_images(tree):
    root, _ = tree
    manifest = read(root)
    assert manifest.ids[:3] == ["00000001_000", "00000001_001", "00000002_000"]
    first, second = manifest.sample(0), manifest.sample(1)
    assert {name for name, value in first.labels.items() if value} == {"no_finding"}
    assert {name for name, value in second.labels.items() if value} == {"infiltration", "pneumothorax"}
    assert len(second.labels) == 15
    assert second.image == root.resolve() / "images_002" / "images" / "00000001_001.png"
    assert manifest.frame.select("patient_id", "view", "sex", "age").row(1) == ("1", "PA", "F", "21")


def test_boxes_are_masks_of_their_finding_in_1024_pixels(tree):
    manifest = read(tree[0])
    assert manifest.structures == ("infiltration",)
    box = read_drawn(manifest.drawn("mask", "infiltration")[1], image=manifest.images()[1]).foreground
    assert box.shape == (1024, 1024)
    assert box[547:627, 225:312].all()
    assert box.sum() == 80 * 87
    assert manifest.drawn("mask", "infiltration")[3] is None


def test_the_official_lists_are_the_splits_and_val_is_held_out_by_patient(tree):
    root, names = tree
    manifest = read(root)
    assert manifest.split("test").ids == [name.removesuffix(".png") for name in names[180:]]
    assert len(manifest.split("val")) > 0
    assert "val is 5% of the training patients by a hash of their id" in manifest.card.notes


def test_rows_outside_of_the_lists_are_left_out_and_said(tree):
    root, names = tree
    write_lines(root / "test_list.txt", names[182:])
    assert "2 rows are in neither official list and are left out" in read(root).card.notes


def test_without_lists_patients_are_cut(tree):
    root, _ = tree
    (root / "test_list.txt").unlink()
    assert any(note.startswith("no test_list.txt here; no split was given") for note in read(root).card.notes)
    (root / "train_val_list.txt").unlink()
    assert any(note.startswith("no train_val_list.txt and test_list.txt here;") for note in read(root).card.notes)


def test_tubes_that_a_model_guessed_are_not_taken(tree):
    tubes = read(tree[0]).frame["attribute.chest_tube"].to_list()
    assert tubes[:7] == [None, 0, 0, 1, 0, None, 1]


def test_the_tubes_of_neatx_are_read(tree):
    root, names = tree
    (root / "nih_drain_meta.csv").unlink()
    lines = ["Image Index,Drain,Drain_a1", f"{names[1]},1,1", f"{names[3]},0,0"]
    write_lines(root / "NIH-CX14_TubeAnnotations_NonExperts_aggregated.csv", lines)
    assert read(root).frame["attribute.chest_tube"].to_list()[:4] == [None, 1, None, 0]


def test_the_table_of_2017_with_its_trailing_comma_and_impossible_ages(tree):
    root, _ = tree
    lines = [f"{line}," for line in (root / TABLE).read_text().splitlines()]
    (root / TABLE).unlink()
    write_lines(root / "Data_Entry_2017.csv", [line.replace(",21,F,", ",412,F,") for line in lines])
    manifest = read(root)
    old = sum(",412,F," in line for line in (root / "Data_Entry_2017.csv").read_text().splitlines())
    assert manifest.card.release == "Data_Entry_2017"
    assert manifest.frame["age"][1] is None
    assert f"{old} ages over 120 years are left blank" in manifest.card.notes


@pytest.mark.parametrize("cell", ["Infiltraton", "Mass|", ""])
def test_an_unknown_finding_is_refused_naming_the_row(tree, cell):
    edit(tree[0], "00000001_001.png,Infiltration|Pneumothorax", f"00000001_001.png,{cell}")
    with pytest.raises(InputError, match=rf"row 2, column 'Finding Labels' holds '{cell.replace('|', '.')}'; expected"):
        read(tree[0])


def test_one_row_less_or_one_label_more_than_published_is_said(tree):
    assert read(tree[0]).card.notes[0] == (
        "Data_Entry_2017 has 240 rows, 111,880 fewer than the 112,120 published (NIH Clinical Center)"
    )


def test_the_real_boxes_fit_the_real_names(real_data, tmp_path):
    boxes = (real_data / "annotations" / "nih" / "BBox_List_2017.csv").read_text()
    name = boxes.splitlines()[1].split(",")[0]
    write_nih(tmp_path)
    edit(tmp_path, "00000001_001.png,", f"{name},")
    (tmp_path / "train_val_list.txt").unlink()
    (tmp_path / "images_002" / "images" / "00000001_001.png").rename(tmp_path / "images_002" / "images" / name)
    (tmp_path / "BBox_List_2017.csv").write_text(boxes)
    manifest = read(tmp_path)
    drawn = manifest.drawn("mask", "atelectasis")[1]
    assert len(manifest.structures) == 8
    assert read_drawn(drawn, image=manifest.images()[1]).foreground[547:627, 225:312].all()


VALIDATION = "four_findings_expert_labels/validation_labels.csv"


def test_labels_of_experts_replace_the_others_for_the_films_that_have_them(tmp_path):
    names = write_nih_expert_labels(tmp_path)
    manifest, others = read(tmp_path, labels="google"), read(tmp_path)
    assert manifest.findings == ("fracture", "pneumothorax", "airspace_opacity", "nodule_or_mass")
    assert manifest.ids == [name.removesuffix(".png") for n, name in enumerate(names) if n % 5]
    assert manifest.labels()[:6].tolist() == [
        [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0],
    ]  # fmt: skip
    assert manifest.structures == ()
    notes = manifest.card.notes
    assert any(note.startswith("labels: google, four findings as radiologists agreed on them") for note in notes)
    assert any(note.startswith("the table of expert labels has 192 rows, 4,182 fewer than the 4,374") for note in notes)
    assert "48 films without an expert label are left out" in notes
    place = dict(others.frame.select("sample_id", "split").iter_rows())
    assert all(place[name] == split for name, split in manifest.frame.select("sample_id", "split").iter_rows())


@pytest.mark.parametrize(
    "name", ["four_findings_expert_labels_test_labels.csv", "google2019_nih-chest-xray-labels.csv"]
)
def test_labels_of_experts_are_found_under_the_names_that_people_have(tmp_path, name):
    write_nih_expert_labels(tmp_path)
    (tmp_path / "four_findings_expert_labels" / "test_labels.csv").rename(tmp_path / name)
    (tmp_path / VALIDATION).unlink()
    assert len(read(tmp_path, labels="google")) == 48


def test_labels_of_experts_that_are_not_here_are_a_usage_error(tree):
    with pytest.raises(
        UsageError, match=r"no four_findings_expert_labels/validation_labels\.csv or .* of the expert lab"
    ):
        read(tree[0], labels="google")


@pytest.mark.parametrize("cell", ["HEDGE", ""])
def test_an_expert_label_that_is_neither_yes_nor_no_is_refused_naming_the_row(tmp_path, cell):
    write_nih_expert_labels(tmp_path)
    edit(tmp_path, "NO,YES,NO,NO", f"NO,{cell},NO,NO", VALIDATION)
    with pytest.raises(InputError, match=rf"validation_labels\.csv: row 1, column 'Pneumothorax' holds '{cell}'; exp"):
        read(tmp_path, labels="google")


def test_a_film_in_both_tables_of_experts_is_refused(tmp_path):
    write_nih_expert_labels(tmp_path)
    header, first = (tmp_path / VALIDATION).read_text().splitlines()[:2]
    write_lines(tmp_path / "four_findings_expert_labels" / "test_labels.csv", [header, first])
    with pytest.raises(InputError, match=r"expert labels: the sample_id '00000001_001' stands in row 1 and again"):
        read(tmp_path, labels="google")


PACKED = {
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "packed": lambda text: gzip.compress(text.encode()),
}


@pytest.mark.parametrize("dialect", PACKED)
def test_the_official_lists_in_other_dialects_are_the_same_splits(tree, dialect):
    root, _ = tree
    before = read(root).frame["split"].to_list()
    for name in ("train_val_list.txt", "test_list.txt"):
        raw = PACKED[dialect]((root / name).read_text())
        (root / name).unlink()
        (root / (name + ".gz" * (dialect == "packed"))).write_bytes(raw)
    assert read(root).frame["split"].to_list() == before
    assert before[180:] == ["test"] * 60


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"a.png b.png", r"test_list\.txt: row 61: 'a\.png b' is more than one image; expected one a line"),
        (b"00000001_000.png", r"test_list\.txt: row 61: '00000001_000' is in the other list too; fetch both"),
        (b"00000091_000.png", r"test_list\.txt: the image '00000091_000\.png' stands in row 1 and again in row 61"),
        (b"a\xc3\xa9\n\xff", r"test_list\.txt: row 62 is not UTF-8"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused_naming_the_row(tree, line, said):
    path = tree[0] / "test_list.txt"
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(InputError, match=said):
        read(tree[0])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",Mass,1,2,3,4", r"row 61, column 'Image Index' is blank"),
        ("00000001_001.png,,1,2,3,4", r"row 61: no finding is called ''; fetch the table again"),
        ("00000001_001.png,Infiltraton,1,2,3,4", r"row 61: no finding is called 'Infiltraton'"),
        ("00000001_001.png,Mass,1,2,,4", r"row 61, column 'w' is blank"),
    ],
)
def test_a_box_of_nothing_is_refused_naming_the_row(tree, row, said):
    path = tree[0] / "BBox_List_2017.csv"
    path.write_text(f"{path.read_text()}{row}\n")
    with pytest.raises(InputError, match=rf"BBox_List_2017\.csv: {said}"):
        read(tree[0])


def test_the_table_of_boxes_may_be_packed(tree):
    path = tree[0] / "BBox_List_2017.csv"
    (tree[0] / "BBox_List_2017.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    manifest = read(tree[0])
    assert read_drawn(manifest.drawn("mask", "infiltration")[1]).foreground.sum() == 80 * 87


@pytest.mark.parametrize("cell", ["2", "-1", "0.7", "yes"])
def test_a_tube_is_there_or_not(tree, cell):
    edit(tree[0], "00000001_001.png,1,1,0", f"00000001_001.png,1,1,{cell}", "nih_drain_meta.csv")
    with pytest.raises(InputError, match=rf"row 2, column 'Drain' holds '{cell}'; expected 1, 0 or blank \(nobody"):
        read(tree[0])


def test_ages_may_have_a_unit(tree):
    edit(tree[0], ",0,1,20,M,", ",0,1,058Y,M,")
    edit(tree[0], ",1,1,21,F,", ",1,1,013M,F,")
    edit(tree[0], ",0,2,22,M,", ",0,2,020D,M,")
    edit(tree[0], ",1,2,23,F,", ",1,2,,F,")
    assert read(tree[0]).frame["age"].to_list()[:5] == ["58", "1", "0", None, "24"]


def test_without_a_word_on_who_looked_a_guess_would_be_taken(tree):
    edit(tree[0], ",drain_annotated,", ",annotated,", "nih_drain_meta.csv")
    with pytest.raises(
        UsageError, match=r"nih_drain_meta\.csv: no column 'drain_annotated'; the columns are: img_name"
    ):
        read(tree[0])
