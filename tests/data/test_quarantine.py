"""Images that could not be read, and what their loss goes with."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.quarantine import _newcombe, quarantine, refuse_many
from shortcut_audit.errors import InputError


def manifest_of(labels, sites):
    rows = len(labels)
    frame = pl.DataFrame(
        {
            "sample_id": [f"s{row}" for row in range(rows)],
            "image": [f"{row}.png" for row in range(rows)],
            "split": ["train"] * rows,
            "label.x": labels,
            "attribute.site": sites,
            "attribute.age": [str(30 + row / 2) for row in range(rows)],
        }
    )
    return Manifest.from_frame(frame, card=DataCard(name="t"), root=Path(), where="t.csv")


@pytest.mark.parametrize(
    ("counts", "interval"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((10, 10, 0, 10), (0.6075, 1.0))],
)
def test_the_interval_is_the_published_one(counts, interval):
    """Newcombe 1998, table II, method 10."""
    difference, *ends = _newcombe(*counts)
    assert difference == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    np.testing.assert_allclose(ends, interval, atol=6e-5)


def test_a_loss_at_one_site_is_shown_with_its_interval_and_one_at_random_is_not():
    manifest = manifest_of(["1", "0"] * 100, ["a"] * 40 + ["b"] * 160)
    lost = quarantine(manifest, dict.fromkeys(range(8), "cut off"))
    found = {loss.group: loss for loss in lost.losses}
    site = found["attribute.site=a"]
    assert (site.unreadable, site.images, site.elsewhere_unreadable, site.elsewhere) == (8, 40, 0, 160)
    assert site.difference == pytest.approx(0.2)
    assert 0 < site.low < 0.2 < site.high
    assert site.shown
    assert found["attribute.site=b"].shown
    assert not found["label.x=1"].shown
    assert found["label.x=1"].difference == 0
    assert not any("age" in group for group in found)
    assert lost.note().endswith("; the loss goes with attribute.site=a, attribute.site=b")


def test_a_group_without_any_other_has_no_difference():
    lost = quarantine(manifest_of(["1", "1"], ["", "a"]), {0: "cut off"})
    found = {loss.group: loss for loss in lost.losses}
    assert (found["label.x=1"].difference, found["label.x=1"].low, found["label.x=1"].shown) == (None, None, False)
    assert found["attribute.site=blank"].unreadable == 1
    assert "goes with" not in lost.note()


def test_where_nothing_is_lost_nothing_is_said():
    lost = quarantine(manifest_of(["1", "0"], ["a", "b"]), {})
    assert (len(lost), lost.losses, lost.note(), lost.by_group) == (0, (), None, {})


def test_one_percent_of_many_may_be_bad():
    refuse_many(dict.fromkeys("abcde", "x"), 500, what="images")
    with pytest.raises(InputError, match="6 of 599 images"):
        refuse_many(dict.fromkeys("abcdef", "x"), 599, what="images")
