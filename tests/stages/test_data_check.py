"""What goes with what in a data set, and what is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from shortcut_audit.config import DatasetConfig, load_config
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.stages.associations import associations, severities
from shortcut_audit.stages.contradictions import Contradictions, contradictions
from shortcut_audit.stages.data_check import check_data, chosen_rows
from shortcut_audit.stages.drawings import DrawingCheck, LabelledDrawing, check_drawing, drawings

CONFIG = DatasetConfig()


def manifest_of(columns, root=Path()) -> Manifest:
    rows = len(next(iter(columns.values())))
    frame = pl.DataFrame(
        {"sample_id": [f"s{row}" for row in range(rows)], "image": [f"{row}.png" for row in range(rows)]}
        | ({} if "split" in columns else {"split": ["train"] * rows})
        | columns
    )
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=root, where="t.csv", allow_shared_patients=True)


def test_the_auroc_of_a_tube_is_half_the_difference_of_its_shares_above_a_half():
    # 30 of 40 positives and 10 of 60 negatives have the tube; it is not known of five more.
    manifest = manifest_of({
        "label.x": ["1"] * 40 + ["0"] * 60 + ["1"] * 5,
        "attribute.tube": ["1"] * 30 + ["0"] * 10 + ["1"] * 10 + ["0"] * 50 + [None] * 5,
    })  # fmt: skip
    (found,) = associations(manifest, CONFIG)
    assert (found.positive, found.negative, found.with_positive, found.with_negative) == (40, 60, 30, 10)
    assert found.auroc.value == pytest.approx(0.5 + (30 / 40 - 10 / 60) / 2)
    assert 0.5 < found.auroc.low < found.auroc.value < found.auroc.high < 1
    assert (found.auroc.n, found.auroc.n_patients) == (100, 100)
    assert found.auroc.method.startswith("each image its own cluster")


def test_many_images_of_few_patients_widen_the_interval():
    columns = {
        "label.x": (["1"] * 10 + ["0"] * 10) * 4,
        "attribute.tube": (["1"] * 8 + ["0"] * 2 + ["1"] * 3 + ["0"] * 7) * 4,
    }
    alone, grouped = (
        associations(manifest_of(columns | more), CONFIG)[0].auroc
        for more in ({}, {"patient_id": [f"p{row % 20}" for row in range(80)]})
    )
    assert alone.value == grouped.value
    assert grouped.n_patients == 20
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_categories_are_asked_one_by_one_numbers_as_they_are_and_splits_apart():
    rng = np.random.default_rng(0)
    age = rng.normal(60, 10, 60).round(2)
    label = rng.integers(0, 2, 60)
    manifest = manifest_of({
        "label.x": label, "split": ["train"] * 40 + ["test"] * 20,
        "attribute.site": [["a", "b", "c"][row % 3] for row in range(60)], "attribute.age": age,
    })  # fmt: skip
    found = {(one.attribute, one.value, one.split): one for one in associations(manifest, CONFIG)}
    assert list(found) == [
        *(("site", site, split) for site in "abc" for split in ("train", "test")),
        ("age", None, "train"), ("age", None, "test"),
    ]  # fmt: skip
    assert found["age", None, "train"].auroc.value == pytest.approx(roc_auc_score(label[:40], age[:40]))
    assert found["age", None, "train"].with_positive is None
    assert found["site", "b", "test"].with_positive == sum(label[row] for row in range(40, 60) if row % 3 == 1)


def test_a_finding_that_is_an_attribute_as_well_is_not_held_against_itself():
    columns = {"label.x": ["1", "0"] * 4, "label.tube": ["1", "1", "0", "0"] * 2, "severity.tube": ["2"] * 8}
    manifest = manifest_of(columns | {"attribute.tube": columns["label.tube"], "attribute.hair": ["1", "0"] * 4})
    pairs = {(one.finding, one.attribute) for one in associations(manifest, CONFIG)}
    assert pairs == {("x", "tube"), ("x", "hair"), ("tube", "hair")}
    assert [(one.finding, one.attribute) for one in severities(manifest, CONFIG, [])] == [("tube", "hair")]


def test_labels_are_read_as_training_reads_them():
    manifest = manifest_of({"label.x": ["1", "0", "-1", None], "attribute.tube": ["1", "0", "1", "0"]})
    counts = [
        (one.positive, one.negative)
        for config in (CONFIG, DatasetConfig(uncertain="ones", blank="ignore"))
        for one in associations(manifest, config)
    ]
    assert counts == [(1, 2), (2, 1)]


def test_without_one_class_there_is_a_reason_and_no_number():
    (found,) = associations(manifest_of({"label.x": ["1", "1"], "attribute.tube": ["1", "0"]}), CONFIG)
    assert (found.auroc.value, found.auroc.n) == (None, 2)
    assert found.auroc.reason == ("among images where the attribute is known, 2 have x and 0 have not; both are needed")


def test_severity_and_tube_known_by_hand():
    # Among positives the tube is on the six most severe of ten; a negative's severity does not count.
    manifest = manifest_of({
        "label.x": ["1"] * 10 + ["0"], "severity.x": [*map(str, range(10)), None],
        "attribute.tube": ["0"] * 4 + ["1"] * 6 + ["1"],
    })  # fmt: skip
    (found,) = severities(manifest, CONFIG, ())
    assert (found.source, found.auroc.value, found.auroc.n) == ("severity.x", 1.0, 10)
    assert [(part.smallest, part.largest, part.with_attribute, part.share.n) for part in found.parts] == [
        (0, 1, 0, 2), (2, 3, 0, 2), (4, 5, 2, 2), (6, 7, 2, 2), (8, 9, 2, 2)
    ]  # fmt: skip
    assert found.parts[0].share.value == 0
    assert found.parts[0].share.high > 0.5


def write_film(root, row, area):
    rng = np.random.default_rng(row)
    Image.fromarray(rng.integers(0, 256, (20, 20), dtype=np.uint8)).save(root / f"{row}.png")
    mask = np.zeros((20, 20), dtype=np.uint8)
    mask.flat[:area] = 255
    Image.fromarray(mask).save(root / f"m{row}.png")


def drawn(root, rows=12):
    """Masks of 10, 20, ... pixels of 400; the tube is on every second positive."""
    for row in range(rows):
        write_film(root, row, 10 * (row + 1))
    return manifest_of({
        "label.x": ["1"] * rows, "mask.x": [f"m{row}.png" for row in range(rows)],
        "attribute.tube": [str(row % 2) for row in range(rows)],
        "split": ["train"] * 6 + ["test"] * (rows - 6),
    }, root)  # fmt: skip


def test_the_area_of_drawn_masks_is_the_severity_where_no_column_says_it(tmp_path):
    manifest = drawn(tmp_path)
    (found,) = severities(manifest, CONFIG, drawings(manifest, np.arange(12)))
    assert found.source == "area of the drawn mask"
    assert found.auroc.value == pytest.approx(roc_auc_score([row % 2 for row in range(12)], range(12)))
    assert found.parts[0].smallest == pytest.approx(10 / 400)
    assert found.parts[-1].largest == pytest.approx(120 / 400)


def test_an_unreadable_mask_is_counted_and_an_empty_one_has_no_area(tmp_path):
    manifest = drawn(tmp_path)
    (tmp_path / "m3.png").write_bytes(b"no picture")
    Image.new("L", (20, 20), 0).save(tmp_path / "m4.png")
    (found,) = severities(manifest, CONFIG, drawings(manifest, np.arange(12)))
    assert found.auroc.n == 10
    (one,) = (check_drawing(manifest, drawing) for drawing in drawings(manifest, np.arange(12)))
    assert (one.read, one.empty, list(one.unreadable)) == (11, 1, ["s3"])
    assert "m3.png: not one of PNG" in one.unreadable["s3"]


def test_a_label_and_a_drawing_that_say_two_things_are_counted_and_named(tmp_path):
    for row, area in enumerate((0, 10, 0, 10, 10, 10)):
        write_film(tmp_path, row, area)
    manifest = manifest_of({
        # By the drawings 0 and 3 are wrong; 4 is uncertain, of 5 nothing is said.
        "label.x": ["1", "1", "0", "0", "-1", None],
        "mask.x": ["m0.png", "m1.png", "m2.png", "m3.png", "m4.png", "m5.png"],
        # By its footprints 2 is wrong: somebody looked, and found nothing. Of 4 nobody knows.
        "attribute.tube": ["0", "1", "1", "0", "1", None],
        "footprint.tube": ["empty", "m1.png", "empty", "empty", None, "m5.png"],
    }, tmp_path)  # fmt: skip
    mask, footprint = (check_drawing(manifest, one) for one in drawings(manifest, np.arange(6)))
    assert mask == DrawingCheck(
        kind="mask", name="x", read=6, empty=2, unreadable={},
        labelled=LabelledDrawing(
            positive=2, empty=1, negative=2, drawn=1, positive_without=0, negative_without=0, samples=("s0", "s3")
        ),
    )  # fmt: skip
    assert footprint == DrawingCheck(
        kind="footprint", name="tube", read=5, empty=3, unreadable={},
        labelled=LabelledDrawing(
            positive=2, empty=1, negative=2, drawn=0, positive_without=1, negative_without=0, samples=("s2",)
        ),
    )  # fmt: skip
    few = check_drawing(manifest, drawings(manifest, np.array([1, 3]))[0]).labelled
    assert (few.positive, few.negative, few.empty, few.drawn, few.samples) == (1, 1, 0, 1, ("s3",))


def test_of_structures_that_are_no_finding_it_is_said_whether_they_can_be_read_and_hold_anything(tmp_path):
    write_film(tmp_path, 0, 10)
    write_film(tmp_path, 1, 0)
    manifest = manifest_of({
        "label.x": ["1", "0"], "mask.lung": ["m0.png", "m1.png"], "mask.typo": ["m0.png#7", "m1.png#7"],
        "attribute.site": ["north", "south"], "footprint.site": ["m0.png", "gone.png"],
    }, tmp_path)  # fmt: skip
    lung, typo, site = (check_drawing(manifest, one) for one in drawings(manifest, np.arange(2)))
    assert (lung.read, lung.empty, lung.labelled) == (2, 1, None)
    assert (typo.read, typo.empty) == (2, 2)
    assert (site.read, site.labelled, list(site.unreadable)) == (1, None, ["s1"])


def test_too_many_masks_that_cannot_be_read_stop_the_check(tmp_path):
    manifest = drawn(tmp_path)
    for row in range(4):
        (tmp_path / f"m{row}.png").unlink()
    found = check_data(manifest, load_config(), "all")
    with pytest.raises(InputError, match=r"4 of 12 masks of x are missing or cannot be read, more than .*: .*m0"):
        found.refuse()


def test_only_the_images_asked_for_are_opened(tmp_path):
    manifest = drawn(tmp_path)
    (tmp_path / "0.png").write_bytes(b"no picture")
    config = load_config()
    every, few, none = (check_data(manifest, config, decode) for decode in ("all", "3", "none"))
    assert (every.looked, few.looked, none.looked) == (12, 3, 0)
    assert list(every.quarantine.reasons) == ["s0"]
    assert (len(few.quarantine.kept), none.near, none.severities, none.drawings) == (3, None, (), ())
    assert few.severities[0].auroc.n <= 3


def test_a_sample_is_a_function_of_the_seed_and_never_larger_than_the_data():
    assert chosen_rows(100, "10", seed=1).tolist() == chosen_rows(100, "10", seed=1).tolist()
    assert chosen_rows(100, "10", seed=1).tolist() != chosen_rows(100, "10", seed=2).tolist()
    assert chosen_rows(5, "10", seed=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("word", ["some", "0", "-3", "1.5", ""])
def test_another_word_for_decode_is_refused(word):
    with pytest.raises(UsageError, match=f"--decode: '{word}' is neither all nor none nor a number of images"):
        chosen_rows(10, word, seed=0)


def test_one_file_in_two_splits_under_two_patients_is_refused(tmp_path):
    manifest = drawn(tmp_path)
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes())
    check_data(manifest, load_config(), "all").refuse()
    (tmp_path / "8.png").write_bytes((tmp_path / "0.png").read_bytes())

    found = check_data(manifest, load_config(), "all")

    (same,) = found.same_files
    assert (same.samples, same.splits, same.apart, same.labels_differ) == (
        ("s0", "s1", "s8"), ("train", "test"), True, False
    )  # fmt: skip
    with pytest.raises(InputError, match="1 files are in two splits under two patients, the first as s0 and s1 and s8"):
        found.refuse()


def test_an_image_without_a_finding_that_has_one_is_told():
    manifest = manifest_of({
        "label.No Finding": ["1", "1", "1", "1", "0", None],
        "label.edema": ["0", "1", None, "1", "1", "1"],
        "label.fracture": ["0", "-1", None, "0", "0", "-1"],
        "label.support_devices": ["1", "0", "1", "0", "1", "1"],
    })  # fmt: skip
    assert contradictions(manifest) == Contradictions(
        images=4, contradicted=2, by_finding={"edema": 2, "fracture": 1}, samples=("s1", "s3")
    )


def test_nothing_is_held_against_a_data_set_without_healthy_images_or_without_findings():
    assert contradictions(manifest_of({"label.edema": ["1", "0"]})) is None
    assert contradictions(manifest_of({"label.no_finding": ["1", "0"], "label.support_devices": ["1", "0"]})) is None
