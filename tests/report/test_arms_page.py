"""The page of arms: curves true to scale, every number with its n, reasons where there are none."""

from __future__ import annotations

import hashlib

import pytest
from fake_audit import full_data
from read_page import Page

from shortcut_audit.audit.arms.result import LONG, ArmsResult
from shortcut_audit.report.arms import arms_page, write_arms_report
from shortcut_audit.report.learning_chart import HEIGHT, TOP, Series, SeriesPoint, learning_chart


def number(arm="full", fraction=0.1, name="dice", value=0.5, **changes):
    known = value is not None
    return {"arm": arm, "structure": "lungs", "fraction": fraction, "name": name, "value": value,
            "low": value - 0.1 if known else None, "high": value + 0.1 if known else None, "confidence": 0.95, "n": 77,
            "n_patients": 55, "left_out": 3, "seeds": [0], "seed_sd": None, "method": "clustered mean, t",
            "reason": None if known else "0 patients have such a value; two are needed", **changes}  # fmt: skip


def result(**changes):
    learnt = {"fraction": 0.1, "seed": 0, "learning_rate": 0.002, "steps": 120, "images": 9, "patients": 6,
              "learnt": 1234, "seconds": 4.25, "best": 0.5, "chosen": "epoch 3: best validation Dice"}  # fmt: skip
    data = {
        "title": "Ways to fine-tune on films", "provenance": full_data()["provenance"], "pretrained": "f" * 64,
        "pretraining_steps": 144, "test_images": 80, "test_patients": 57, "schema": 1,
        "numbers": [
            number(), number(fraction=1.0, value=0.8), number("scratch", value=0.3), number(LONG, value=0.4),
            number(name="painted_empty", value=None), number(name="dice_less_scratch", value=0.2),
        ],
        "reaches": [
            {"arm": "full", "fraction": 0.1, "seed": 0, "level": 0.5, "step": 40, "seconds": 2.5, "reason": None},
            {"arm": "scratch", "fraction": 0.1, "seed": 0, "level": 0.5, "step": None, "seconds": None,
             "reason": "not reached in 120 steps (0.300 at best)"},
        ],
        "rates": [{"arm": "full", "learning_rate": 0.002, "dice": 0.5, "taken": True},
                  {"arm": "full", "learning_rate": 0.008, "dice": None, "taken": False}],
        "trainings": [{"arm": arm, **learnt} for arm in ("full", "scratch", LONG)],
        "notes": ["1 of 80 images could not be read"], **changes,
    }  # fmt: skip
    return ArmsResult.model_validate(data)


def test_the_page_tells_all_numbers_with_their_counts_and_reasons():
    page = Page(arms_page(result(), source_sha256="a" * 64))
    text = " ".join(page.text.split())
    for told in (
        "Ways to fine-tune on films", "80 test images of 57 patients", "adds the 144 steps of pre-training",
        "not computed (0 patients have such a value; two are needed)", "not reached in 120 steps (0.300 at best)",
        "1 of 80 images could not be read", "Differences of the same films", "scratch, same compute",
        "starts from the whole pre-trained segmenter", "1,234",
    ):  # fmt: skip
        assert told in text, told
    assert len([svg for svg in page.all("svg") if svg["role"] == "img"]) == 1


def test_without_an_arm_from_scratch_it_says_so():
    page = Page(arms_page(result(numbers=[number()]), source_sha256="a" * 64))
    assert "No arm from scratch was trained beside another one" in page.text


def test_a_structure_without_a_number_has_a_reason_and_no_chart():
    page = Page(arms_page(result(numbers=[number(value=None)]), source_sha256="a" * 64))
    assert not page.all("svg")
    assert "0 patients have such a value" in page.text


def test_names_of_a_user_stay_text():
    hostile = "<img src=x onerror=alert(1)>"
    page = arms_page(result(numbers=[number(structure=hostile)]), source_sha256="a" * 64)
    assert hostile not in page


def test_three_files_are_written_and_the_page_names_the_digest(tmp_path):
    paths = write_arms_report(result(), tmp_path / "arms.json")
    assert [path.name for path in paths] == ["arms.json", "arms.csv", "arms.html"]
    assert ArmsResult.model_validate_json(paths[0].read_bytes()) == result()
    assert hashlib.sha256(paths[0].read_bytes()).hexdigest() in paths[2].read_text()
    head, first = paths[1].read_text().splitlines()[:2]
    assert head.startswith('"arm","structure","fraction","name","value","low","high"')
    assert first.startswith('"full","lungs",0.1,"dice",0.5,0.4,0.6')


def chart(*series):
    return Page(learning_chart(series, name="c", title="Title", description="In words"))


def points(*values):
    return tuple(
        SeriesPoint(share=share, value=value, low=value - 0.1, high=value + 0.1)
        for share, value in zip((0.01, 0.1, 1.0), values, strict=False)
    )


def test_the_chart_is_to_scale_on_a_log_axis():
    page = chart(Series(name="a", points=points(0.2, 0.5, 1.0)))
    circles = page.all("circle")[:3]
    heights = [float(circle["cy"]) for circle in circles]
    assert heights == pytest.approx([TOP + HEIGHT * 0.8, TOP + HEIGHT * 0.5, TOP], abs=0.06)
    first, second, third = (float(circle["cx"]) for circle in circles)
    assert second - first == pytest.approx(third - second, abs=0.11)
    for told in ("1 %", "10 %", "100 %", "In words"):
        assert told in page.text


def test_series_stand_apart_and_one_share_alone_can_be_drawn():
    page = chart(
        Series(name="arm one", points=points(0.5)),
        Series(name="arm two", points=points(0.6)),
        Series(name="arm three", points=()),
    )
    assert "NaN" not in page.text
    assert all(name in page.text for name in ("arm one", "arm two", "arm three"))
