"""A store in numbers, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from shortcut_audit_cli.masks import print_summary

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


def test_the_cheapest_and_the_dearest_quarter_of_the_films(tmp_path, make_job, fill, records):
    # The films in order take 1, 2, 3 ... steps; where a film has two pairs, its second one took one step only.
    order = {name: n for n, name in enumerate(dict.fromkeys(record.sample_id for record in records))}
    seen, changed = set(), []
    for record in records:
        first = record.sample_id not in seen
        seen.add(record.sample_id)
        changed.append(replace(record, steps=order[record.sample_id] + 1 if first else 1))
    films, quarter = len(order), len(order) // 4
    found = summarise(MaskStore(fill(tmp_path, make_job(), changed))).steps_of_quarters
    assert found == pytest.approx(((1 + quarter) / 2, films - (quarter - 1) / 2))


def test_a_method_without_steps_has_no_quarters(tmp_path, make_job, fill, records):
    without = [replace(record, steps=None) for record in records]
    assert summarise(MaskStore(fill(tmp_path, make_job(), without))).steps_of_quarters is None


@pytest.mark.parametrize(("tolerance", "said"), [(None, "0.05 (none was set); 22 without"), (0.1, "0.1; 22 without")])
def test_it_is_printed_for_people(capsys, tmp_path, make_job, fill, records, tolerance, said):
    settings = {"explain": {"tolerance": tolerance, "baseline": ["blur", "mean"]}, "classifiers": ["w" * 64]}
    settings["tuned"] = {"effusion": {"constant": "share", "value": 0.5, "dice": 0.0130678, "masks": 5}}
    print_summary(summarise(MaskStore(fill(tmp_path, make_job(settings=settings), records))))
    told = capsys.readouterr().out
    assert f"  tolerance: {'none' if tolerance is None else tolerance}\n  baseline: blur, mean\n" in told
    assert f"classifiers: {'w' * 64}\n" in told
    assert "tuned:\n  effusion: constant share, value 0.5, dice 0.013, masks 5\n" in told
    assert f"beyond the tolerance of {said}" in told
    assert "in the mean for the cheapest quarter of the films, " in told
    assert "  effusion      " in told
