"""PadChest: words in lists, devices among them, films of 16 bits."""

import polars as pl
import pytest
from trees.chest_trees import write_padchest
from trees.pictures import write_lines

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.datasets.padchest import PUBLISHED
from shortcut_audit.data.images import load_pixels
from shortcut_audit.errors import InputError, UsageError

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"


def read(root, *, views="frontal", **options):
    return open_dataset(DatasetConfig(name="padchest", root=str(root), options=options, views=views))


@pytest.fixture
def tree(tmp_path):
    return tmp_path, write_padchest(tmp_path)


def edit(root, change):
    (root / TABLE).write_text(change((root / TABLE).read_text()))


def test_words_count_where_they_stand_alone(tree):
    root, ids = tree
    manifest = read(root)
    assert manifest.ids == ids[:78]
    assert manifest.labels(("pneumothorax",))[:4, 0].tolist() == [0, 1, 0, 1]
    assert manifest.frame["attribute.chest_tube"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["attribute.pacemaker"].to_list()[:2] == [0, 0]
    assert manifest.frame["attribute.bedside"].to_list()[:4] == [1, 0, 0, 1]
    assert manifest.frame["view"].to_list()[:2] == ["AP_horizontal", "PA"]
    assert manifest.frame["patient_id"].to_list()[:4] == ["0", "0", "1", "1"]
    assert (manifest.frame["age"][0], manifest.frame["sex"][1]) == ("84", "F")
    assert manifest.images()[4] == root.resolve() / "1" / "216840804_002.png"
    assert any("has 80 rows, 160,781 fewer than the 160,861 published" in note for note in manifest.card.notes)


def test_films_of_16_bits_are_read(tree):
    pixels, quarantine = load_pixels(read(tree[0]), size=32, channels=1)
    assert len(quarantine) == 0
    assert pixels.std() > 10


def test_films_with_blank_and_excluded_lists_are_left_out_as_a_blank_would_be_read_as_negative(tree):
    root, ids = tree
    manifest = read(root)
    assert not {ids[78], ids[79]} & set(manifest.ids)
    assert manifest.frame["label.pneumothorax"].null_count() == 0
    assert "labels: all; 2 of 80 rows have none and are left out" in manifest.card.notes


def test_tubes_that_people_saw_are_known_of_the_films_they_looked_at(tree):
    root, ids = tree
    lines = [",ImageID,Drain,Drain_a1", f"0,{ids[1]}.png,1,1", f"1,{ids[3]}.png,0,1"]
    (root / "PadChest_TubeAnnotations_NonExperts_aggregated.csv").write_text("\n".join(lines))
    assert read(root).frame["attribute.chest_tube_seen"].to_list()[:5] == [None, 1, None, 0, None]


def test_labels_of_physicians_only_are_an_option(tree):
    assert len(read(tree[0], labels="physician")) == 58
    with pytest.raises(UsageError, match=r"options\.labels: 'doctor' is not one of all, physician"):
        read(tree[0], labels="doctor")


def test_projections_that_are_no_chest_film_are_left_out_and_lateral_ones_too(tree):
    edit(tree[0], lambda text: text.replace(",PA,", ",L,", 1).replace(",PA,", ",COSTAL,", 1))
    manifest = read(tree[0])
    assert len(manifest) == 76
    assert "1 rows of other projections (COSTAL, EXCLUDE) are left out" in manifest.card.notes
    assert "1 lateral views are left out (dataset.views: frontal)" in manifest.card.notes
    assert read(tree[0], views="all").frame["view"][1] == "lateral"


@pytest.mark.parametrize("cell", ["['pneumothorax'", "[1]", "3", "'mass'", "__import__('os')"])
def test_what_is_no_list_of_words_is_refused_naming_the_row(tree, cell):
    edit(tree[0], lambda text: text.replace("['pneumothorax']", cell, 1))
    with pytest.raises(InputError, match=r"row 2, column 'Labels' holds '.*'; expected a list such as \['pneumonia'"):
        read(tree[0])


def test_the_whole_table_is_known_by_its_counts_and_one_changed_label_is_said():
    """Of 160,861 rows 1,415 have no labels; each column has its own number of ones."""
    columns = {
        name: pl.Series([1.0] * counts["1"] + [0.0] * counts["0"] + [None] * 1_415)
        for name, counts in PUBLISHED.values.items()
    }
    whole = pl.DataFrame({"patient_id": pl.int_range(160_861, eager=True) % 67_625, **columns})
    assert PUBLISHED.notes(whole) == ["the table has 160,861 rows and values as published (release of 2019-02-01)"]
    turned = whole.with_columns(pl.Series("label.mass", [0.0, *columns["label.mass"][1:]]))
    assert "the table: mass = 1 in 55 rows, published: 56" in PUBLISHED.notes(turned)


def test_two_rows_of_one_image_are_refused(tree):
    edit(tree[0], lambda text: text + text.splitlines()[1] + "\n")
    with pytest.raises(InputError, match=r"the ImageID '216840800_000\.png' stands in row 1 and again in row 81"):
        read(tree[0])


def test_a_tube_that_people_saw_is_there_or_not(tree):
    root, ids = tree
    table = root / "PadChest_TubeAnnotations_NonExperts_aggregated.csv"
    write_lines(table, ["ImageID,Drain", f"{ids[1]}.png,1", f"{ids[3]}.png,-1"])
    with pytest.raises(InputError, match=r"row 2, column 'Drain' holds '-1'; expected 1, 0 or blank \(nobody looked\)"):
        read(root)
