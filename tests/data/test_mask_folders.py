"""Films and masks in two folders, without a table."""

import pytest
from trees.pictures import film, save, square

from shortcut_audit.data.mask_folders import drawn_or_well, find_pair
from shortcut_audit.errors import InputError


def write(root, films, masks):
    for n, name in enumerate(films):
        save(root / "films" / name, film(n, ill=False))
    (root / "masks").mkdir(parents=True)
    for name, drawn in masks.items():
        save(root / "masks" / name, drawn)


def read(root):
    return drawn_or_well(root / "films", root / "masks", root, finding="air")


def test_a_mask_is_the_label_and_so_is_its_absence(tmp_path):
    write(tmp_path, ["a.png", "b.png", "00012.png"], {"b.png": square()})
    frame, notes = read(tmp_path)
    assert frame["sample_id"].to_list() == ["00012", "a", "b"]
    assert frame["label.air"].to_list() == [0, 0, 1]
    assert frame["mask.air"].to_list() == ["empty", "empty", "masks/b.png"]
    assert notes == ["2 of 3 films have no mask and count as films without air"]


def test_a_mask_without_a_pixel_is_a_film_without_the_finding(tmp_path):
    write(tmp_path, ["a.png", "b.png"], {"a.png": square() * 0, "b.png": square()})
    frame, notes = read(tmp_path)
    assert frame["label.air"].to_list() == [0, 1]
    assert notes[1] == "1 of 2 masks have no pixel: their films count as films without air"


def test_one_pixel_of_value_one_is_the_finding(tmp_path):
    mask = square() * 0
    mask[5, 6] = 1
    write(tmp_path, ["a.png"], {"a.png": mask})
    assert read(tmp_path)[0]["label.air"].to_list() == [1]


def test_endings_of_film_and_mask_may_differ(tmp_path):
    write(tmp_path, ["1.2.3.PNG", "1.2.4.jpg"], {"1.2.3.bmp": square(), "1.2.4.gif": square()})
    assert read(tmp_path)[0]["label.air"].to_list() == [1, 1]


def test_a_mask_without_a_film_is_said(tmp_path):
    write(tmp_path, ["a.png"], {"a.png": square(), "c.png": square()})
    frame, notes = read(tmp_path)
    assert frame["sample_id"].to_list() == ["a"]
    assert notes[-1] == "1 of 2 masks have no film here and are left out, 'c' for one"


@pytest.mark.parametrize(
    ("masks", "said"), [({"a_mask.png": 1, "b_mask.png": 1}, r"'a_mask' for one"), ({}, "there is none")]
)
def test_masks_of_other_names_than_the_films_are_refused(tmp_path, masks, said):
    write(tmp_path, ["a.png", "b.png"], {name: square() for name in masks})
    expected = (
        rf"masks: no mask is called as a film of .*films is \({said}\); .* count as one without air, so give each"
    )
    with pytest.raises(InputError, match=expected):
        read(tmp_path)


def test_a_mask_that_cannot_be_read_is_refused(tmp_path):
    write(tmp_path, ["a.png", "b.png"], {"a.png": square()})
    (tmp_path / "masks" / "b.png").write_bytes(b"<html>")
    expected = r"b\.png: not one of .* \(1 such masks; without its mask, air of a film is not known\)"
    with pytest.raises(InputError, match=expected):
        read(tmp_path)


def test_two_masks_of_one_name_are_refused(tmp_path):
    write(tmp_path, ["a.png"], {"a.png": square(), "a.gif": square()})
    with pytest.raises(InputError, match=r"two images are called 'a': masks/a\.gif and masks/a\.png"):
        read(tmp_path)


def test_what_macos_leaves_is_no_film_and_no_mask(tmp_path):
    write(tmp_path, ["a.png"], {"a.png": square()})
    for folder in ("films", "masks"):
        (tmp_path / folder / "._a.png").write_bytes(b"Mac OS X")
    assert read(tmp_path)[0]["sample_id"].to_list() == ["a"]


def test_a_pair_of_folders_lies_side_by_side(tmp_path):
    for folder in ("one/films", "two/films", "two/drawn"):
        (tmp_path / folder).mkdir(parents=True)
    assert find_pair(tmp_path, "films", ["masks", "drawn"]) == (tmp_path / "two/films", tmp_path / "two/drawn")
    assert find_pair(tmp_path, "films", ["masks"]) is None
