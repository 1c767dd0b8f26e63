"""Masks in tables and JSON files: every way to write one ends as the same array."""

import json

import numpy as np
import pytest
from encoders import counts, kaggle, siim
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.drawn import cell_of, fitted, parse_cell, read_drawn
from shortcut_audit.data.drawn.codecs import CODECS
from shortcut_audit.errors import InputError, UsageError

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def read(root, cell, image=None):
    drawn = read_drawn(parse_cell(cell, root=root, where="row 1"), image=image)
    assert drawn.known.all()
    return drawn.foreground


def table(root, *rows, header="ImageId, EncodedPixels", name="t.csv"):
    (root / name).write_text("\n".join([header, *rows]) + "\n")
    return name


def blob(height=20, width=30):
    mask = np.zeros((height, width), dtype=bool)
    mask[4:9, 11:17] = mask[15, :] = True
    return mask


# ---- every codec gives back what an independent loop wrote


@given(MASKS)
@settings(deadline=None, max_examples=50)
def test_run_lengths_give_the_mask_back(tmp_path_factory, mask):
    root = tmp_path_factory.mktemp("runs")
    height, width = mask.shape
    table(root, f"a, {siim(mask)}", name="siim.csv")
    table(root, f"a,{kaggle(mask)}", name="kaggle.csv")
    (root / "coco.json").write_text(json.dumps({"a": {"size": [height, width], "counts": counts(mask)}}))
    np.testing.assert_array_equal(read(root, f"siim@{width}x{height}:siim.csv#a"), mask)
    np.testing.assert_array_equal(read(root, f"kaggle@{width}x{height}:kaggle.csv#a"), mask)
    np.testing.assert_array_equal(read(root, "coco.json#a"), mask)


@given(MASKS)
@settings(deadline=None, max_examples=50)
def test_packed_counts_are_read_as_pycocotools_writes_them(tmp_path_factory, mask):
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    root = tmp_path_factory.mktemp("coco")
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    (root / "m.json").write_text(json.dumps({"a": {"Mass": {**packed, "counts": packed["counts"].decode()}}}))
    np.testing.assert_array_equal(read(root, "m.json#a#Mass"), mask)


def test_long_runs_are_packed_into_several_letters(tmp_path):
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    mask = np.zeros((2000, 1500), dtype=bool)
    mask[100:1900, 20:1400:7] = True
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    (tmp_path / "m.json").write_text(json.dumps({"a": {**packed, "counts": packed["counts"].decode()}}))
    np.testing.assert_array_equal(read(tmp_path, "coco:m.json#a"), mask)


@given(st.tuples(st.integers(0, 19), st.integers(0, 29)), st.integers(1, 20), st.integers(1, 30))
@settings(deadline=None, max_examples=50)
def test_boxes_of_whole_pixels_cover_those_and_no_others(tmp_path_factory, corner, high, wide):
    root = tmp_path_factory.mktemp("boxes")
    (top, left), expected = corner, np.zeros((20, 30), dtype=bool)
    expected[top : top + high, left : left + wide] = True
    table(root, f"a,{left}.0,{top},{wide},{high}", header="image_id,x,y,width,height", name="a.csv")
    table(root, f"a,{left},{top},{left + wide},{top + high}", header="img,x_min,y_min,x_max,y_max", name="b.csv")
    np.testing.assert_array_equal(read(root, "boxes@30x20:a.csv#a"), expected)
    np.testing.assert_array_equal(read(root, "boxes@30x20:b.csv#a"), expected)


def test_a_polygon_holds_the_pixels_whose_centres_lie_inside_and_its_outline(tmp_path):
    (tmp_path / "p.json").write_text(
        json.dumps({"a": {"img_size": [20, 30], "Edema": [[[3, 2], [12, 2], [12, 9], [3, 9]]]}})
    )
    expected = np.zeros((20, 30), dtype=bool)
    expected[2:10, 3:13] = True
    np.testing.assert_array_equal(read(tmp_path, "p.json#a#Edema"), expected)
    triangle = [[0.0, 0.0], [20.0, 0.0], [0.0, 10.0]]
    table(tmp_path, f'a,"{json.dumps(triangle)}"', header="image,polygon")
    rows, columns = np.indices((20, 30))
    inside = (columns + 0.5) / 20 + (rows + 0.5) / 10
    drawn = read(tmp_path, "polygons@30x20:t.csv#a")
    assert drawn[inside < 0.9].all()
    assert not drawn[inside > 1.25].any()


# ---- one mask, all ways to write it


def test_every_way_to_write_a_mask_ends_as_the_same_thing(tmp_path):
    mask = np.zeros((1024, 1024), dtype=bool)
    mask[100:200, 300:500] = True
    left, right = mask.copy(), mask.copy()
    left[:, 400:], right[:, :400] = False, False
    image = tmp_path / "image.png"
    Image.new("L", (1024, 1024)).save(image)
    table(tmp_path, f"1.2, {siim(left)}", f"1.2, {siim(right)}", "1.3, -1", name="siim.csv")
    table(tmp_path, f"1.2,{kaggle(mask)}", name="kaggle.csv")
    table(tmp_path, "1.2,300,100,200,100", header="patientId,x,y,width,height", name="boxes.csv")
    (tmp_path / "coco.json").write_text(json.dumps({"1.2": {"size": [1024, 1024], "counts": counts(mask)}}))
    outline = [[300, 100], [499, 100], [499, 199], [300, 199]]
    (tmp_path / "outline.json").write_text(json.dumps({"1.2": [outline]}))
    for name, half in (("left", left), ("right", right)):
        Image.fromarray(half[::2, ::2]).save(tmp_path / f"{name}.gif")
    Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "ones.png")
    cells = [
        "siim.csv#1.2", "siim:siim.csv#1.2", "kaggle.csv#1.2", "kaggle:kaggle.csv#1.2", "boxes.csv#1.2",
        "coco.json#1.2", "outline.json#1.2", "left.gif|right.gif", "ones.png", "ones.png|empty",
    ]  # fmt: skip
    for cell in cells:
        drawn = read_drawn(parse_cell(cell, root=tmp_path, where=""), image=image)
        same = fitted(drawn, (256, 256))
        np.testing.assert_array_equal(same.foreground, mask[::4, ::4], err_msg=cell)
        assert same.known.all()
    for cell in ("siim.csv#1.3", "empty"):
        assert not fitted(read_drawn(parse_cell(cell, root=tmp_path, where="")), (8, 8)).foreground.any()


def test_all_rows_of_an_image_count_not_only_the_first(tmp_path):
    first, second = blob(), np.roll(blob(), 7, axis=1)
    second[15] = False
    table(tmp_path, f"a, {siim(first)}", "b, -1", f"a, {siim(second)}")
    np.testing.assert_array_equal(read(tmp_path, "siim@30x20:t.csv#a"), first | second)


def test_one_class_of_several_is_read(tmp_path):
    header = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
    rows = ("1.png,Mass,2,3,4,5", "1.png,Infiltrate,10,3,4,5", "2.png,Nodule,1,1,1,1")
    table(tmp_path, *rows, header=header)
    assert read(tmp_path, "boxes@30x20:t.csv#1.png#Mass").sum() == 20
    assert read(tmp_path, "boxes@30x20:t.csv#1.png").sum() == 40
    assert not read(tmp_path, "boxes@30x20:t.csv#1.png#Nodule").any()
    with pytest.raises(
        BadImageError, match=r"t\.csv: no class is called 'Hernia'; there are: Infiltrate, Mass, Nodule"
    ):
        read(tmp_path, "t.csv#1.png#Hernia")


def test_a_coco_data_set_is_read_by_id_and_file_name(tmp_path):
    outline = [3, 2, 12, 2, 12, 9, 3, 9]
    content = {
        "images": [{"id": 7, "file_name": "train/7.png", "height": 20, "width": 30}, {"id": 8, "file_name": "8.png"}],
        "categories": [{"id": 1, "name": "tube"}, {"id": 2, "name": "wire"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "segmentation": [outline], "bbox": [3, 2, 9, 7]},
            {"image_id": 7, "category_id": 2, "segmentation": {"size": [20, 30], "counts": counts(blob())}},
            {"image_id": 7, "category_id": 2, "bbox": [20, 2, 2, 3]},
        ],
    }
    (tmp_path / "c.json").write_text(json.dumps(content))
    for key in ("7", "7.png", "train/7.png"):
        assert read(tmp_path, f"c.json#{key}#tube").sum() == 80
    np.testing.assert_array_equal(read(tmp_path, "c.json#7#wire")[10:], blob()[10:])
    assert read(tmp_path, "c.json#7#wire")[2:5, 20:22].all()
    assert not read(tmp_path, "c.json#8").any()


def test_parts_of_several_sizes_are_united_and_ignored_pixels_stay_unknown(tmp_path):
    stored = np.zeros((20, 20), dtype=np.uint8)
    stored[:5], stored[5:10] = 255, 127
    Image.fromarray(stored).save(tmp_path / "a.png")
    Image.fromarray(np.uint8([[0, 0], [255, 0]])).save(tmp_path / "b.png")
    drawn = read_drawn(parse_cell("a.png | b.png", root=tmp_path, where=""))
    assert drawn.foreground.sum() == 100 + 100
    assert drawn.known[:5].all()
    assert not drawn.known[5:10].any()


# ---- what is not said, or cannot be meant


def test_the_size_is_that_of_the_image_where_nobody_says_another(tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "i.png")
    table(tmp_path, f"a,{kaggle(blob())}")
    np.testing.assert_array_equal(read(tmp_path, "kaggle:t.csv#a", image=tmp_path / "i.png"), blob())
    with pytest.raises(BadImageError, match=r"t\.csv#a does not say its size; write it, as in 'boxes@1024x1024:'"):
        read(tmp_path, "kaggle:t.csv#a")


def test_how_a_table_is_written_is_told_once_and_not_for_each_mask(tmp_path, monkeypatch):
    Image.new("L", (30, 20)).save(tmp_path / "i.png")
    asked = []
    fits = type(CODECS.get("siim")).fits
    monkeypatch.setattr(
        type(CODECS.get("siim")), "fits", lambda self, entries: asked.append(len(entries)) or fits(self, entries)
    )
    table(tmp_path, *(f"{name},{kaggle(blob())}" for name in "abc"))
    for name in "abc":
        np.testing.assert_array_equal(read(tmp_path, f"t.csv#{name}", image=tmp_path / "i.png"), blob())
    assert asked == [3]


def test_a_single_run_could_be_either_and_is_refused_with_both_names(tmp_path):
    table(tmp_path, "a,5 3")
    message = r"row 1: .*t\.csv#a tells no codec from .*; write the codec before the file, one of boxes, .*'siim:"
    with pytest.raises(BadImageError, match=message):
        read(tmp_path, "t.csv#a")


@pytest.mark.parametrize(
    ("cell", "row", "message"),
    [
        ("siim@4x4:t.csv#a", "a,3 4 x", "holds 'x' among its run lengths; expected whole numbers, or -1"),
        ("siim@4x4:t.csv#a", "a,3 -4", "holds '-4' among its run lengths"),
        ("siim@4x4:t.csv#a", "a,3 4 5", "holds 3 numbers, which are not pairs"),
        ("siim@4x4:t.csv#a", "a,3 0", "has a run of 0 pixels"),
        ("siim@4x4:t.csv#a", "a,3 14", "ends at pixel 17, but 4 x 4 has 16; write the size"),
        ("kaggle@4x4:t.csv#a", "a,5 2 1 2", r"start before the end of the run before; are they relative \('siim:'\)"),
        ("siim@9000x9000:t.csv#a", "a,3 4", "is 9000 x 9000 pixels; a mask has 1 to 64,000,000"),
        ("siim@4x0:t.csv#a", "a,3 4", "is 4 x 0 pixels; a mask has 1 to"),
        ("boxes@4x4:t.csv#a", "a,3 4", "has no box; expected columns x, y, width, height"),
        ("polygons@4x4:t.csv#a", "a,3 4", "has no polygon; expected one of"),
        ("coco@4x4:t.csv#a", "a,3 4", "has no 'counts'; expected an object"),
        ("siim:t.csv#b", "a,3 4", "no entry has the id 'b'; its ids are like 'a'"),
        ("siim:gone.csv#b", "a,3 4", "gone.csv: no such file"),
    ],
)
def test_what_is_no_mask_is_refused_with_its_place(tmp_path, cell, row, message):
    table(tmp_path, row)
    with pytest.raises(BadImageError, match=message):
        read(tmp_path, cell)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "has runs of 3 pixels, but 2 x 2 has 4"),
        ({"size": [2, 2], "counts": [1, -2, 5]}, "neither text nor a list of whole numbers"),
        ({"size": [2, 2], "counts": "é"}, "has 'é' in its counts, which COCO does not write"),
        ({"size": [2, 2], "counts": "P"}, "end in the middle of a number"),
        ({"size": "big", "counts": "4"}, "has the size big; expected height and width"),
        ({"bbox": [1, 1, 0, 5]}, "has a box of 0 x 5 pixels"),
        ({"bbox": [1, 1, "x", 5]}, "has a box of 1, 1, x, 5; expected four numbers"),
        ({"bbox": [1, 1, float("nan"), 5]}, "not a number, or far outside"),
        ({"bbox": [90, 90, 5, 5]}, "lies outside 30 x 20; write the size"),
        ([[[1, 1], [2, 2]]], "has a polygon of 2 points; three are the least"),
        ([[["a", 1], [2, 2], [3, 3]]], "points that are not pairs of numbers"),
        ([[[1, 1, 1], [2, 2, 2]]], "points that are not pairs of numbers"),
        ([[[90, 90], [95, 90], [95, 95]]], "lies outside 30 x 20"),
        ("text", "holds 'text', which is no list of points"),
        (5, "has a polygon that is no list"),
    ],
)
def test_json_that_is_no_mask_is_refused_with_its_place(tmp_path, value, message):
    (tmp_path / "m.json").write_text(json.dumps({"a": value}))
    Image.new("L", (30, 20)).save(tmp_path / "i.png")
    codec = "boxes" if "bbox" in str(value) else "coco" if "counts" in str(value) else "polygons"
    with pytest.raises(BadImageError, match=message):
        read(tmp_path, f"{codec}:m.json#a", image=tmp_path / "i.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable as JSON"),
        ("[1]", "expected an object with ids as its keys"),
        ('{"images": [5], "annotations": [{}]}', "not a COCO data set"),
        ("[" * 100_000, "m.json: "),
    ],
)
def test_a_file_that_is_no_json_of_masks_is_refused(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadImageError, match=message):
        read(tmp_path, "m.json#a")


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["size", "counts", "bbox", "segmentation", "points", "img_size", "a"]), inner
            )
        ),
        max_leaves=8,
    )
)
@settings(deadline=None, max_examples=150)
def test_any_json_is_a_mask_or_refused(tmp_path_factory, value):
    root = tmp_path_factory.mktemp("fuzz")
    (root / "m.json").write_text(json.dumps({"a": value}))
    for codec in ("", "coco@5x4:", "polygons@5x4:", "boxes@5x4:", "siim@5x4:", "kaggle@5x4:"):
        try:
            assert read(root, f"{codec}m.json#a").dtype == np.bool_
        except BadImageError:
            continue


# ---- cells as text


def test_a_cell_that_is_written_is_read_back():
    text = cell_of("train rle.csv", key="00012", kind="Support Devices", codec="siim", size=(20, 30))
    assert text == "siim@30x20:train rle.csv#00012#Support Devices"


def test_a_cell_says_file_entry_codec_and_size(tmp_path):
    (part,) = parse_cell("siim@30x20:a.csv#00012#x y", root=tmp_path, where="row 1")
    assert (part.file, part.key, part.kind, part.codec, part.size) == (
        tmp_path / "a.csv",
        "00012",
        "x y",
        "siim",
        (20, 30),
    )
    (picture,) = parse_cell("a#1.png", root=tmp_path, where="row 1")
    assert (picture.file, picture.key) == (tmp_path / "a#1.png", None)


@pytest.mark.parametrize(("key", "file"), [("a#b", "t.csv"), ("a|b", "t.csv"), ("a", "t.xlsx"), ("a", "x.csv#t.csv")])
def test_a_cell_that_could_not_be_read_back_is_not_written(key, file):
    with pytest.raises(InputError, match=r"cannot be written as a cell; '\|' and '#' have a meaning of their own"):
        cell_of(file, key=key)


def test_slips_in_cells_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"row 1: 'a\.png\|' has an empty part beside"):
        parse_cell("a.png|", root=tmp_path, where="row 1")
    with pytest.raises(UsageError, match=r"row 1: no mask codec is called 'siin' \(did you mean 'siim'\?\)"):
        parse_cell("siin:a.csv#1", root=tmp_path, where="row 1")
    with pytest.raises(InputError, match=r"row 1: the path '\.\./a\.csv' leads out of"):
        parse_cell("siim:../a.csv#1", root=tmp_path, where="row 1")


def test_a_table_that_changed_is_read_again(tmp_path):
    table(tmp_path, f"a, {siim(blob())}")
    assert read(tmp_path, "siim@30x20:t.csv#a").any()
    table(tmp_path, "a, -1")
    assert not read(tmp_path, "siim@30x20:t.csv#a").any()
