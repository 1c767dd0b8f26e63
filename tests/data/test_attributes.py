"""Joining a table of attributes that came apart from the images."""

import polars as pl
import pytest

from shortcut_audit.data.attributes import join_attributes
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError, UsageError

IMAGES = ["train/p1/s1/view1.jpg", "train/p1/s2/view1.jpg", "valid/p2/s1/view1.jpg"]


def manifest_of(images=IMAGES, ids=("a", "b", "c"), **columns):
    frame = pl.DataFrame({"sample_id": list(ids), "image": images, "split": ["train"] * len(images), **columns})
    return Manifest.from_frame(frame, card=DataCard(name="films"), root=".", where="t.csv")


def write(tmp_path, text):
    path = tmp_path / "tubes.csv"
    path.write_text(text)
    return path


def joined(tmp_path, text, manifest=None, name="chest_tube"):
    manifest = manifest or manifest_of()
    return join_attributes(manifest, write(tmp_path, text)).frame[f"attribute.{name}"].to_list()


@pytest.mark.parametrize(
    "keys",
    [
        ("sample_id", "a", "c"),
        ("id", "a.png", "c.png"),
        ("id", " a", "c "),
        ("Path", "train/p1/s1/view1.jpg", "valid/p2/s1/view1.jpg"),
        ("path", "p1/s1/view1", "p2/s1/view1"),
        ("image_path", "./train/p1/s1/view1.png", "./valid/p2/s1/view1.png"),
        ("Path", "CheXpert-v1.0-small/train/p1/s1/view1.jpg", "/nas/x/valid/p2/s1/view1.jpg"),
        ("filename", "train\\p1\\s1\\view1.jpg", "valid\\p2\\s1\\view1.jpg"),
    ],
)
def test_ids_paths_parts_of_paths_and_longer_paths_fit(tmp_path, keys):
    name, first, last = keys
    assert joined(tmp_path, f"{name},chest_tube\n{last},1\n{first},0\n") == [0.0, None, 1.0]


def test_the_artefact_table_of_dermoscopy_fits_although_its_extension_lies(tmp_path):
    manifest = manifest_of(["images/ISIC_0000000.jpg"], ["ISIC_0000000"])
    text = ";image;ruler;label;label_string\n0;ISIC_0000000.png;1;0;benign\n1;ISIC_0000001.png;0;0;benign\n"
    made = join_attributes(manifest, write(tmp_path, text))
    assert made.attributes == ("ruler",)
    assert made.frame["attribute.ruler"].to_list() == [1.0]


def test_the_ending_of_images_that_isic_2019_made_smaller_does_not_count(tmp_path):
    manifest = manifest_of(
        ["in/ISIC_0012840_downsampled.jpg", "in/ISIC_0000001.jpg"], ["ISIC_0012840_downsampled", "b"]
    )
    text = "image,ruler\nISIC_0012840,1\nISIC_0000001_downsampled.jpg,0\n"
    assert joined(tmp_path, text, manifest, "ruler") == [1.0, 0.0]


def test_blanks_and_images_without_a_row_stay_unknown_and_a_note_counts(tmp_path):
    made = join_attributes(manifest_of(), write(tmp_path, "id,chest_tube,drain\na,1,\nb,,pigtail\n"))
    assert made.frame["attribute.chest_tube"].to_list() == [1.0, None, None]
    assert made.frame["attribute.drain"].to_list() == [None, "pigtail", None]
    assert made.card.notes[-1] == (
        "tubes.csv: 2 of 3 images have a row for chest_tube, drain; of others it is not known"
    )


def test_rows_that_fit_no_image_are_counted(tmp_path):
    made = join_attributes(manifest_of(), write(tmp_path, "id,chest_tube\na,1\nx,0\n,1\n"))
    assert made.card.notes[-1].endswith("of others it is not known; 2 of its 3 rows fit no image")


def test_columns_that_mean_something_else_are_not_attributes(tmp_path):
    manifest = manifest_of(**{"label.pneumothorax": ["1", "0", "1"]})
    made = join_attributes(manifest, write(tmp_path, "Path,Age,Sex,Pneumothorax,split,Drain\nb,3,M,1,train,1\n"))
    assert made.attributes == ("Drain",)


def test_a_table_of_rulers_fits_by_the_name_of_the_image_and_its_label_is_no_attribute(tmp_path):
    manifest = manifest_of(["images/ISIC_0000000.jpg", "images/ISIC_0000001.jpg"], ["ISIC_0000000", "ISIC_0000001"])
    made = join_attributes(manifest, write(tmp_path, "img_name,Mal,Ruler,split\nISIC_0000001.jpg,1,1,train\n"))
    assert made.attributes == ("Ruler",)
    assert made.frame["attribute.Ruler"].to_list() == [None, 1.0]


def test_what_nobody_looked_at_is_a_guess_and_is_not_taken(tmp_path):
    manifest = manifest_of(**{"label.pneumothorax": ["1", "0", "1"]})
    text = (
        "img_name,Pneumothorax,drain_annotated,Drain,split\na.png,1,1.0,1,test\nb.png,0,,1,train\nc.png,1,0,0,train\n"
    )
    made = join_attributes(manifest, write(tmp_path, text))
    assert made.attributes == ("Drain",)
    assert made.frame["attribute.Drain"].to_list() == [1.0, None, None]


def test_a_dot_in_a_name_is_no_extension(tmp_path):
    manifest = manifest_of(["1.2.840.1", "1.2.840.2"], ["1.2.840.1", "1.2.840.2"])
    assert joined(tmp_path, "uid,chest_tube\n1.2.840.2,1\n", manifest) == [None, 1.0]


def test_no_column_to_join_by_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no column to join by; expected one called sample_id, .* found: who, tube"):
        joined(tmp_path, "who,tube\na,1\n")


def test_a_table_without_an_attribute_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no attribute beside 'id'; expected a further column such as chest_tube"):
        joined(tmp_path, "id,sex\na,M\n")


def test_an_attribute_that_is_there_already_is_a_usage_error(tmp_path):
    manifest = manifest_of(**{"attribute.chest_tube": ["1", "0", "1"]})
    with pytest.raises(UsageError, match="'films' already has an attribute 'chest_tube'; rename the column"):
        joined(tmp_path, "id,chest_tube\na,1\n", manifest)


def test_if_nothing_fits_the_message_shows_both_sides(tmp_path):
    with pytest.raises(InputError) as caught:
        joined(tmp_path, "id,chest_tube\n,1\nx99,1\n")
    assert "no row fits an image of 'films': the table has 'x99'" in str(caught.value)
    assert "'a' (train/p1/s1/view1.jpg)" in str(caught.value)


@pytest.mark.parametrize("again", ["a", "a.png", "train/p1/s1/view1.jpg"])
def test_two_rows_for_one_image_are_refused_naming_both(tmp_path, again):
    with pytest.raises(InputError, match=r"rows 1 and 3 both fit the image 'a'; keep one of them"):
        joined(tmp_path, f"id,chest_tube\na,1\nb,0\n{again},1\n")


def test_a_key_that_fits_several_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"row 2: 'view1\.jpg' fits several images; write more of their paths"):
        joined(tmp_path, "path,chest_tube\na,1\nview1.jpg,1\n")


def test_an_impossible_value_is_refused_naming_the_row_of_the_table(tmp_path):
    with pytest.raises(InputError, match=r"tubes\.csv: row 2, column 'chest_tube' holds 'maybe', but the other cells"):
        joined(tmp_path, "id,chest_tube\nc,1\na,maybe\n")


def test_the_real_artefact_table_fits_the_real_images(real_data, tmp_path):
    names = [path.name for path in sorted((real_data / "isic2017" / "images").iterdir())]
    manifest = manifest_of([f"images/{name}" for name in names], [name.partition(".")[0] for name in names])
    made = join_attributes(manifest, real_data / "annotations" / "isic" / "isic_bias.csv")
    assert made.attributes == ("dark_corner", "hair", "gel_border", "gel_bubble", "ruler", "ink", "patches")
    assert made.frame["attribute.ruler"].drop_nulls().is_in([0.0, 1.0]).all()
    assert made.frame["attribute.ruler"].count() > 1_000
