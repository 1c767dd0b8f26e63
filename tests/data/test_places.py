"""Files are found where people unpack them."""

import polars as pl
import pytest

from shortcut_audit.data.places import find_file, need_file, stem, with_images
from shortcut_audit.errors import InputError, UsageError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def rows(*names):
    return pl.DataFrame({"sample_id": list(names), "label.ill": [1.0] * len(names)})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "a"),
        ("1.2.840.1", "1.2.840.1"),
        ("1.2.840.1.dcm", "1.2.840.1"),
        ("x.DICOM", "x"),
        ("README", "README"),
    ],
)
def test_only_the_endings_of_images_are_taken_off(name, expected):
    assert stem(name) == expected


def test_a_table_is_found_here_one_deeper_and_packed(tmp_path):
    touch(tmp_path, "inner/t.csv", "inner/deep/u.csv", "v.csv.gz")
    assert find_file(tmp_path, ["t.csv"]) == tmp_path / "inner/t.csv"
    assert find_file(tmp_path, ["u.csv"]) is None
    assert find_file(tmp_path, ["deep/u.csv"]) == tmp_path / "inner/deep/u.csv"
    assert find_file(tmp_path, ["v.csv"]) == tmp_path / "v.csv.gz"
    assert find_file(tmp_path / "nowhere", ["t.csv"]) is None


def test_a_table_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no a\.csv or b\.csv of Lungs, neither here nor one folder deeper; name the"):
        need_file(tmp_path, ["a.csv", "b.csv"], dataset="Lungs")


def test_images_are_found_at_any_depth_and_rows_without_one_are_left_out_and_counted(tmp_path):
    touch(tmp_path, "x/y/1.2.dcm", "z/1.3", "masks/1.2.png")
    kept, notes = with_images(rows("1.2", "1.3", "1.4"), [tmp_path], tmp_path, where="t.csv", skip=("mask",))
    assert kept["image"].to_list() == ["x/y/1.2.dcm", "z/1.3"]
    assert kept.columns[:2] == ["sample_id", "image"]
    assert notes == ["1 of 3 rows have no image here and are left out"]


def test_no_image_at_all_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"t\.csv: no image of its 2 rows was found, 'a' for one; name the folder"):
        with_images(rows("a", "b"), [tmp_path], tmp_path, where="t.csv")


def test_two_images_of_one_name_are_refused(tmp_path):
    touch(tmp_path, "x/a.png", "y/a.jpg")
    with pytest.raises(InputError, match=r"two images are called 'a': x/a\.png and y/a\.jpg; keep one of them"):
        with_images(rows("a"), [tmp_path], tmp_path, where="t.csv")
