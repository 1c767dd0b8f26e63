"""A store in numbers, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from shortcut_audit.masks.store import MaskStore
from shortcut_audit.masks.summary import summarise


@pytest.fixture
def summary(sealed):
    return summarise(MaskStore(sealed))


def test_a_summary_says_what_the_store_was_made_from(summary):
    assert (summary.version, summary.kind, summary.model, summary.manifest) == (2, "explained", "w" * 64, "m" * 64)
    assert summary.settings == {"steps": 4}
    assert (summary.samples, summary.height, summary.width, summary.heatmap_size) == (100, 10, 13, (10, 13))
    assert summary.conditions == ()


def test_errors_and_steps_are_counted(summary, records):
    errors = [record.delta for record in records if record.delta is not None]
    assert sum(summary.completeness.values()) == len(errors)
    assert summary.completeness["0.01"] == sum(error <= 0.01 for error in errors)
    assert summary.completeness["more"] == 0
    assert summary.without_completeness == len(records) - len(errors)
    assert (summary.tolerance, summary.over_tolerance) == (0.05, sum(error > 0.05 for error in errors))
    assert sum(summary.steps.values()) == len(errors)


def test_the_tolerance_is_that_of_the_settings(tmp_path, make_job, fill, records):
    path = fill(tmp_path, make_job(settings={"explain": {"tolerance": 0.1}}), records)
    errors = [record.delta for record in records if record.delta is not None]
    assert summarise(MaskStore(path)).over_tolerance == sum(error > 0.1 for error in errors)


def test_areas_are_told_by_finding(summary, records):
    mine = [record.foreground.mean() for record in records if record.finding == "effusion"]
    areas = summary.findings["effusion"]
    assert areas.pairs == len(mine)
    assert areas.quantiles[0] == pytest.approx(min(mine))
    assert areas.quantiles[3] == pytest.approx(np.median(mine))
    assert areas.quantiles[-1] == pytest.approx(max(mine))
    assert (areas.unknown, areas.empty) == (0, 0)


def test_masks_that_say_nothing_and_masks_that_say_nothing_is_there_differ(tmp_path, make_job, fill, records):
    nothing = np.zeros_like(records[0].foreground)
    changed = [replace(record, foreground=nothing, known=nothing) for record in records[:2]]
    changed += [replace(record, foreground=nothing, known=~nothing) for record in records[2:5]]
    found = summarise(MaskStore(fill(tmp_path, make_job(), changed + records[5:]))).findings
    assert sum(areas.unknown for areas in found.values()) == 2
    assert sum(areas.empty for areas in found.values()) == 3
