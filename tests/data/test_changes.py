"""What changed since a manifest was written is said to the cell, and nothing else is."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortcut_audit.data.changes import ChangedCell, ChangedColumn, Samples, changes_since, read_earlier
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError, UsageError

COLUMNS = {
    "sample_id": ["00012", "NA", "c", "d"],
    "image": ["a/1.png", "a/2.png", "b/3.png", "b/4.png"],
    "patient_id": ["p1", "p1", "p2", "p3"],
    "split": ["train", "train", "val", "test"],
    "label.edema": [1.0, 0.0, -1.0, None],
    "attribute.tube": [1.0, None, 0.0, 1.0],
    "attribute.view": ["PA", None, "AP", "AP"],
    "attribute.dose": [0.1, 2.5, None, 1e-3],
    "mask.lung": ["m/1.png|m/2.png", "siim@8x8:rle.csv#NA", "empty", None],
    "counterpart.tube": ["c/1.png", None, None, "c/4.png"],
    "severity.edema": [0.25, 1 / 3, None, None],
    "sex": ["F", "M", None, "F"],
    "age": ["60", "61", None, "7"],
}
VALUES = {
    "image": ["x.png"],
    "patient_id": ["p9"],
    "split": ["train", "val", "test"],
    "label.edema": [1.0, 0.0, -1.0, None],
    "attribute.tube": [1.0, 0.0, None],
    "attribute.view": ["PA", "AP", "x; y", None],
    "attribute.dose": [0.1, 7.0, None],
    "mask.lung": ["empty", "m/1.png", None],
    "counterpart.tube": ["c/9.png", None],
    "severity.edema": [0.25, 1 / 7, None],
    "sex": ["F", "M", None],
    "age": ["60", "8", None],
}
"""What the cells of a column may be changed to."""
SHOWN = {1.0: "1", 0.0: "0", -1.0: "-1", 7.0: "7", 0.1: "0.1", 2.5: "2.5", 1e-3: "0.001", 0.25: "0.25",
         1 / 3: "0.3333333333333333", 1 / 7: "0.14285714285714285"}  # fmt: skip
WHOLE = pl.DataFrame(COLUMNS)


def manifest(frame=WHOLE, *, root="data", **card):
    return Manifest.from_frame(
        frame, card=DataCard(name="films", **card), root=Path(root), where="t.csv", allow_shared_patients=True
    )


def changes(before, now):
    return changes_since(before, now, against="prepared")


def with_cells(column, values):
    return WHOLE.with_columns(pl.Series(column, values))


def only_change(before, now):
    found = changes(before, now)
    [one] = found.changed
    assert (found.new.number, found.gone.number, found.columns_new, found.columns_gone) == (0, 0, (), ())
    assert not found.none
    return one


def test_what_was_written_is_read_again_and_nothing_differs(tmp_path):
    now = manifest()
    now.save(tmp_path)

    found = changes(read_earlier(tmp_path), now)

    assert found.none
    assert (found.samples, found.columns, found.changed, found.beside) == (4, 12, (), ())
    assert found.fingerprint == found.fingerprint_before == now.fingerprint
    found.refuse()
    assert changes(read_earlier(tmp_path / "manifest.csv"), now) == found


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_one_changed_cell_is_said_and_no_other(data):
    row, column = data.draw(st.integers(0, 3)), data.draw(st.sampled_from(sorted(VALUES)))
    cells = COLUMNS[column].copy()
    cells[row] = data.draw(st.sampled_from([value for value in VALUES[column] if value != cells[row]]))
    order = data.draw(st.permutations(range(4)))

    one = only_change(manifest(), manifest(with_cells(column, cells)[order]))

    assert one == ChangedColumn(
        column=column, number=1, first=(ChangedCell(
            sample=COLUMNS["sample_id"][row],
            before=SHOWN.get(COLUMNS[column][row], COLUMNS[column][row]), after=SHOWN.get(cells[row], cells[row]),
        ),),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows=st.sets(st.integers(0, 3), min_size=1, max_size=3), order=st.permutations(range(4)))
def test_rows_that_are_left_out_are_gone_and_the_other_way_round_new(rows, order):
    kept = [row for row in order if row not in rows]
    ids = [COLUMNS["sample_id"][row] for row in sorted(rows)]

    found = changes(manifest(), manifest(WHOLE[kept]))
    back = changes(manifest(WHOLE[kept]), manifest())

    assert found.gone == back.new == Samples(number=len(ids), first=tuple(ids))
    assert found.new == back.gone == Samples(number=0, first=())
    assert found.changed == back.changed == ()
    assert (found.none, found.samples) == (False, 4 - len(ids))


def test_of_many_samples_five_are_named_in_the_order_of_their_table():
    ids = [f"s{n}" for n in range(9, 0, -1)]
    many = pl.DataFrame({"sample_id": ids, "image": ids, "split": ["test"] * 9})

    found = changes(manifest(many), manifest(many[:2]))

    assert found.gone == Samples(number=7, first=("s7", "s6", "s5", "s4", "s3"))


def test_a_column_counts_its_samples_and_shows_the_first_of_the_data_set_as_it_is_now():
    one = only_change(manifest(), manifest(with_cells("label.edema", [0.0, 0.0, None, 1.0])[::-1]))
    assert (one.column, one.number, len(one.first)) == ("label.edema", 3, 3)
    assert one.first[0] == ChangedCell(sample="d", before=None, after="1")
    many = manifest(pl.DataFrame({"sample_id": [f"s{n}" for n in range(9)], "image": ["a"] * 9, "split": ["test"] * 9}))
    other = manifest(many.frame.with_columns(split=pl.lit("val")))
    assert [cell.sample for cell in only_change(many, other).first] == ["s0", "s1", "s2", "s3", "s4"]


def test_columns_on_one_side_are_named_and_the_others_compared():
    found = changes(manifest(WHOLE.drop("age")), manifest(with_cells("sex", ["M", "M", None, "F"]).drop("mask.lung")))

    assert (found.columns_new, found.columns_gone, found.columns) == (("age",), ("mask.lung",), 10)
    assert [one.column for one in found.changed] == ["sex"]


@pytest.mark.parametrize("column", ["image", "mask.lung", "counterpart.tube"])
def test_a_folder_that_was_moved_is_no_change(column):
    def at(folder, cells=COLUMNS[column]):
        joint = f"|{folder}/"
        written = [cell and f"{folder}/{cell.replace('|', joint)}" for cell in cells]
        return manifest(with_cells(column, written), root=folder)

    before, now = at("/old disk/d+a"), at("/new/data")

    found = changes(before, now)
    assert found.none
    assert (found.beside, found.fingerprint == found.fingerprint_before) == ((), False)
    assert changes(manifest(), now).none
    other = at("/new/data", ["b/1.png", *COLUMNS[column][1:]])
    (cell,) = only_change(before, other).first
    assert (cell.before, cell.after) == (COLUMNS[column][0], "b/1.png")


def test_a_mask_whose_codec_stands_before_its_path_was_moved_too():
    cells = [None, None, "siim@8x8:/{}/rle.csv#c|coco:/{}/m.json#c", None]
    before, now = (
        manifest(with_cells("mask.lung", [cell and cell.format(root, root) for cell in cells]), root=f"/{root}")
        for root in ("old", "new")
    )
    assert changes(before, now).none


@pytest.mark.parametrize("turned", [False, True])
def test_the_folder_that_holds_the_data_set_is_the_same_root_one_folder_higher(turned):
    inside = WHOLE.with_columns(("films/" + pl.col("image")).alias("image"))
    sides = [manifest(inside, root="/old/data"), manifest(WHOLE, root="/new/films")]
    before, now = sides[::-1] if turned else sides

    assert changes(before, now).none
    elsewhere = WHOLE.with_columns(("other/" + pl.col("image")).alias("image"))
    assert only_change(manifest(elsewhere, root="/old/data"), sides[1]).number == 4


def test_a_folder_within_that_bears_the_name_of_the_new_root_is_no_change():
    assert changes(manifest(root="/data"), manifest(root="/data/a")).none


def test_in_one_and_the_same_root_a_folder_of_its_name_is_another_folder():
    """``images/1.png`` and ``1.png`` of the root ``images`` are two files."""
    names = [f"{n}.png" for n in range(4)]
    before, deeper, swapped = (
        manifest(with_cells("image", cells), root="/data/images")
        for cells in (names, [f"images/{name}" for name in names], ["images/0.png", *names[1:]])
    )
    assert only_change(before, deeper).number == 4
    assert only_change(before, swapped).number == 1
    assert only_change(swapped, before).number == 1


def test_one_image_in_a_folder_that_bears_the_name_of_the_old_root_is_a_change():
    """Of a copy, one cell goes to ``copy/small/0.png``, the others stay: not the folder above, but another image."""
    names = [f"{n}.png" for n in range(4)]
    before = manifest(with_cells("image", names), root="/old/small")
    now = manifest(with_cells("image", ["small/0.png", *names[1:]]), root="/new/copy")
    assert only_change(before, now).number == 1
    whole = manifest(with_cells("image", [f"small/{name}" for name in names]), root="/new/copy")
    assert changes(before, whole).none


def test_one_image_of_the_folder_above_among_others_of_a_moved_root_is_a_change():
    inside = WHOLE.with_columns(("films/" + pl.col("image")).alias("image"))
    now = manifest(WHOLE, root="/new/films")
    mixed = inside.with_columns(pl.Series("image", [inside["image"][1], inside["image"][0], *inside["image"][2:]]))
    assert changes(manifest(inside, root="/old/data"), now).none
    assert only_change(manifest(mixed, root="/old/data"), now).number == 2


def test_an_attribute_that_became_text_differs_only_where_it_does():
    before = manifest(with_cells("attribute.dose", ["1", "2.50", "3", None]))
    now = manifest(with_cells("attribute.dose", ["1", "2.50", "high", None]))

    assert before.frame["attribute.dose"].dtype != now.frame["attribute.dose"].dtype
    assert only_change(before, now) == ChangedColumn(
        column="attribute.dose", number=1, first=(ChangedCell(sample="c", before="3", after="high"),)
    )
    blank = manifest(with_cells("attribute.dose", ["1", "2.50", None, None]))
    assert only_change(now, blank).first[0].before == "high"


def test_order_and_card_are_said_beside_and_are_no_change():
    turned = WHOLE[::-1].select(*reversed(WHOLE.columns))
    found = changes(manifest(release="1"), manifest(turned, release="2", notes=("read anew",)))

    assert found.none
    assert found.beside == ("the order of rows", "the order of columns", "the data card (release, notes)")
    assert found.fingerprint != found.fingerprint_before


def test_what_changed_is_refused_with_its_counts():
    frame = with_cells("label.edema", [0.0, 0.0, -1.0, None])[:3].drop("age")
    with pytest.raises(InputError, match="the data set is not the one of prepared ") as told:
        changes(manifest(), manifest(frame)).refuse()
    assert "(samples gone: 1, columns with other values: 1, columns gone: 1); find out what was" in str(told.value)
    with pytest.raises(InputError, match=r"\(samples new: 1, columns new: 1\)"):
        changes(manifest(WHOLE[:3].drop("age")), manifest()).refuse()


def test_nothing_in_common_is_refused_naming_a_sample_of_each():
    others = manifest(WHOLE.with_columns(sample_id="x" + pl.col("sample_id")))
    told = r"prepared: none of its 4 samples \('00012'\) is in 'films' \('x00012'\).*--root.*\(data then\)"
    with pytest.raises(InputError, match=told):
        changes(manifest(), others)


def test_a_data_set_without_a_row_has_lost_all_samples():
    assert changes(manifest(), manifest(WHOLE[:0])).gone.number == 4
    assert changes(manifest(WHOLE[:0]), manifest(WHOLE[:0])).none


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "manifest.csv"):
        with pytest.raises(UsageError, match=r"there is no manifest.csv; name a folder that 'audit data prepare") as it:
            read_earlier(path)
        assert str(path) in str(it.value)
