"""What single sections show."""

from __future__ import annotations

import re

import pytest
from fake_audit import full_data, full_result
from read_page import Page

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.sections import SECTIONS


def show(name: str, **fields) -> Page:
    result = AuditResult.model_validate({**full_data(), **fields}) if fields else full_result()
    return Page(SECTIONS.get(name).body(result))


def words(page: Page) -> str:
    return re.sub(r"\s+", " ", page.text)


def test_the_forest_names_every_correction_of_the_labels_whole_and_says_what_it_is():
    metrics = full_data()["metrics"]
    robust = next(one for one in metrics if one["name"] == "robust_auroc")
    corrected = [
        {**robust, "name": "robust_auroc_noise_corrected", "group": group}
        for group in ("labels:0.95:0.99", "labels:0.92-0.95:0.97-0.99")
    ]
    page = show("groups", metrics=[*metrics, *corrected])

    assert page.text.count("robust, labels corrected (0.95 / 0.99)") >= 2
    assert "robust, labels corrected (0.92-0.95 / 0.97-0.99)" in page.text
    assert "…" not in page.text
    assert "if these have sensitivity a and specificity b" in page.text
    assert "Labels corrected" not in show("groups").text


@pytest.mark.parametrize(("name", "told"), [("pairs", "with what scanner suggests"), ("gallery", "speaks ")])
def test_a_case_of_a_composite_is_told_by_what_it_suggests(name, told):
    data = full_data()
    composite = [{**example, "attribute": "scanner"} for example in data["examples"]]
    counts = {**data["counts"], "composites": ["scanner"]}

    assert told in words(show(name, examples=composite, counts=counts))
    assert "scanner present" not in words(show(name, examples=composite, counts=counts))


def test_the_first_screen_of_a_composite_names_the_side_that_a00_is_of():
    counts = {**full_data()["counts"], "composites": [full_data()["verdicts"][0]["attribute"]]}

    assert "A00, spoken against" in show("verdict", counts=counts).text
    assert "A00, attribute absent" in show("verdict").text


def test_checks_are_sorted_by_verdict_then_deciding_then_bad_news():
    rows = show("checks").rows[""][1:]

    assert [row[0].split("decides")[0] for row in rows[:2]] == ["gap", "reliance"]
    models = [row[1].split("pneumothorax")[0] for row in rows]
    assert list(dict.fromkeys(models)) == [
        "classifier", "segmenter, pseudo-masks", "segmenter, drawn masks", "segmenter, tube-free"
    ]  # fmt: skip


def test_a_check_shows_answer_interval_limit_and_where_the_limit_comes_from():
    row = show("checks").rows[""][1]

    assert row[2] == "BEYOND"
    assert re.sub(r"\s+", " ", row[3]).startswith("0.476 95 % CI 0.418 to 0.534")
    assert row[4:6] == ["0.050config", "453 / 1,498 / 1,712"]


def test_a_check_shows_the_counts_of_the_group_it_rests_on():
    about = {key: full_data()["answers"][0][key] for key in ("model", "finding", "attribute")}
    (shift,) = full_result().find("score_shift", group="label:1", **about)
    answer = {**full_data()["answers"][0], "check": "score_shift", "number": "score_shift", "value": shift.value}

    rows = show("checks", answers=[answer, {**answer, "value": 0.123}]).rows[""]
    assert [row[5] for row in rows[1:]] == ["333 / 120 / 1,712", "not recorded"]


def test_an_open_check_says_how_many_patients_would_decide():
    assert "about 140 patients (finding without attribute) would decide" in show("checks").text


def test_what_was_not_run_is_listed_once_for_each_reason_with_the_models():
    page = show("checks")

    assert words(page).count("not computed (no reference model was given)") == 1
    assert len(page.all("li")) == 1
    assert "classifier (pneumothorax · chest tube), segmenter, pseudo-masks" in words(page)


def test_a_skill_check_that_fails_comes_before_one_that_holds():
    skill = {**full_data()["answers"][0], "decides": True}
    answers = [{**skill, "evidence": evidence} for evidence in ("yes", "no")]

    assert [row[2] for row in show("checks", answers=answers).rows[""][1:]] == ["NO", "YES"]


def test_the_stacked_bar_is_told_in_words_and_in_a_table():
    page = show("decomposition")

    assert "classifier · chest tube: gap +0.476 = reliance +0.438 + case mix +0.038" in page.text
    assert re.sub(r"\s+", " ", page.rows[""][1][1]) == "0.476 95 % CI 0.418 to 0.534"
    assert len(page.rows[""]) == 5


def test_every_model_has_a_forest_plot_with_its_pairs():
    page = show("groups")

    assert len(page.all("svg", role="img")) == 4
    for label in ("association breaks (robust)", "A00: positives and negatives without", "attribute present"):
        assert page.text.count(label) >= 8


def test_cells_show_images_and_patients_and_mark_the_small_ones():
    cells = [dict(cell) for cell in full_data()["counts"]["cells"]]
    cells[1] |= {"images": 9, "patients": 8}
    page = show("cells", counts={**full_data()["counts"], "cells": cells[:3]})

    present, absent = page.rows[""][1:]
    assert present == ["present", "333 images301 patients", "9 images8 patients! too few to decide"]
    assert absent == ["absent", "192 images170 patients", "not counted"]


def test_pairs_come_with_those_first_whose_decision_flips():
    page = show("pairs")

    cases = re.findall(r"case \d{4}(?=pneumothorax)", page.text)
    assert cases == ["case 0007", "case 0012", "case 0003", "case 0041"]
    assert "at least one decision flips in 2" in page.text
    assert ["classifier", "0.820", "0.310", "+0.510", "⇄ flips at 0.500"] in page.rows[""]
    assert ["segmenter, tube-free", "0.400", "0.400", "0.000", "no threshold"] in page.rows[""]


def test_the_two_states_are_labelled_by_the_state_the_image_is_in():
    with_tube, without_tube = (show("pairs", examples=[full_data()["examples"][n]]) for n in (0, 1))

    own = full_data()["examples"][1]["layers"][0]["uri"]
    assert [a["alt"] for a in with_tube.all("img")] == ["case 0007 with chest tube", "case 0007 without chest tube"]
    assert without_tube.all("img", src=own)[0]["alt"] == "case 0012 without chest tube"


def test_a_pair_of_scores_without_pictures_still_shows_its_scores():
    examples = [{**full_data()["examples"][0], "layers": []}]
    page = show("pairs", examples=examples)

    assert "kept no pictures of the two states" in page.text
    assert page.rows[""][1][0] == "classifier"


def test_the_gallery_shows_the_untouched_image_first_and_outlines_on_and_heat_off():
    page = show("gallery")
    images = page.all("img")

    assert images[0]["alt"].startswith("case 0007, untouched")
    assert images[0]["src"] == images[1]["src"]
    assert [(a["data-layer"], a["aria-pressed"]) for a in page.all("button")] == [
        ("heatmap", "false"), ("predicted", "false"), ("finding", "true"), ("footprint", "true")
    ]  # fmt: skip
    hidden = {a["data-layer"]: "hidden" in a for a in images if "data-layer" in a}
    assert hidden == {"heatmap": True, "predicted": True, "finding": False, "footprint": False}


def test_the_gallery_offers_no_button_for_a_layer_nobody_has():
    example = full_data()["examples"][0]
    page = show("gallery", examples=[{**example, "layers": example["layers"][:1]}])

    assert not page.all("button")
    assert len(page.all("img")) == 2


def test_saliency_is_shown_beside_randomised_weights_and_never_as_a_judge():
    page = show("saliency")

    assert "it never decides one" in page.text
    row = next(row for row in page.rows[""] if row[:2] == ["on chest tube", "randomised weights"])
    assert re.sub(r"\s+", " ", row[2]) == "0.035 95 % CI 0.023 to 0.047"
    assert row[4:6] == ["200", "188"]


def test_pseudo_masks_say_how_many_touch_an_attribute_and_whether_they_grow_with_it():
    about = {"model": "pseudo-masks", "finding": "pneumothorax", "attribute": "chest_tube", "n": 120, "n_pos": 120,
             "n_neg": 0, "n_patients": 110, "method": "clustered mean, t"}  # fmt: skip
    touching = {
        **about,
        "group": "footprint:chest_tube",
        "name": "mask_touching",
        "value": 0.62,
        "low": 0.53,
        "high": 0.71,
    }
    reason = "120 masks of films with chest_tube, 0 without; both are needed"
    area = {
        **about,
        "group": "label:1",
        "name": "mask_area_auroc",
        "value": None,
        "low": None,
        "high": None,
        "reason": reason,
    }
    page = show("saliency", metrics=[*full_data()["metrics"], touching, area])

    rows = [row for row in page.rows[""] if row[0] in ("Masks that touch", "AUROC of mask area")]
    assert re.sub(r"\s+", " ", rows[0][3]) == "0.620 95 % CI 0.530 to 0.710"
    assert rows[0][4:6] == ["120", "110"]
    assert reason in rows[1][3]
    assert "audit masks clean" in page.text


def test_compared_models_show_paired_differences_and_dice():
    page = show("compared")

    row = page.rows[""][1]
    assert row[0] == "classifier − segmenter, drawn masks"
    assert re.sub(r"\s+", " ", row[3]) == "0.404 95 % CI 0.354 to 0.454"
    assert "not computed (no image has a counterpart)" in page.text
    assert any(cells[0] == "segmenter, drawn masks" and cells[3].startswith("0.781") for cells in page.rows[""])


def test_controls_stand_beside_the_models_and_saliency_is_left_to_its_section():
    head, first, *others = show("controls").rows[""]

    assert head[2:4] == ["predicted area alone (control)", "classifier"]
    assert first[2].startswith("0.712")
    assert first[3].startswith("0.897")
    assert len(others) == 2
    assert "randomised weights (control)" not in head


def test_the_data_section_counts_what_was_left_out_and_by_which_unit():
    page = show("data")

    assert ["unreadable image", "2"] in page.rows[""]
    assert "Patients are the unit of every interval." in page.text
    clustered = {**full_data()["counts"], "clustered_by": "image"}
    assert "each image counts as its own patient" in show("data", counts=clustered).text


def test_limits_are_listed_with_their_origin():
    assert ["min_skill", "0.600", "config", "below it there is no skill to audit"] in show("method").rows[""]


@pytest.mark.parametrize(
    ("commit", "words_"),
    [
        ("1a2b-dirty", "with changes that are not committed"),
        ("1a2b", "Commit1a2b"),
        (None, "not a source checkout"),
    ],
)
def test_the_last_section_says_whether_the_code_was_committed(commit, words_):
    page = show("reproduce", provenance={**full_data()["provenance"], "commit": commit})

    assert words_ in page.text
    assert "audit demo --seed 0" in page.text
    assert "Not to be shared: manifest.csv, scores.csv, masks.h5, cases.csv and label_next.csv" in page.text


def test_more_numbers_than_a_page_carries_are_counted_and_sent_to_the_json():
    metrics = [{**full_data()["metrics"][0], "model": f"m{n}"} for n in range(2003)]
    page = show("numbers", metrics=metrics)

    assert "3 of them are in audit.json only" in page.text
    assert len(page.rows[""]) == 2001


SCORER, AREA, TWIN = "segmenter_scratch", "segmenter_scratch:predicted_area", "segmenter_permuted"
OTHERS = ("segmenter_permuted:predicted_area", "predicted area alone")


def number(model, value, name="auroc", group="all", role="control", **fields):
    """One number about size, with n = 200 and an interval of 0.05 to either side."""
    plain = {**full_data()["metrics"][0], "model": model, "name": name, "group": group, "role": role, "value": value}
    return {**plain, "low": value - 0.05, "high": value + 0.05, "n": 200, "n_patients": 150, **fields}


def size(*metrics, comparisons=(), **fields):
    metrics = [number(SCORER, 0.7, role="model"), *metrics]
    return show("controls", metrics=metrics, comparisons=comparisons, **fields)


def paired(other, value):
    plain = {**full_data()["comparisons"][0], "model": SCORER, "other": other, "name": "auroc", "value": value}
    return {**plain, "low": value - 0.01, "high": value + 0.01}


@pytest.mark.parametrize(("model", "words_"), [(AREA, "its predicted area alone"),
                                               (TWIN, "its twin trained on permuted labels")])  # fmt: skip
@pytest.mark.parametrize("value", [0.7, 0.72])
def test_a_control_that_ranks_as_well_as_the_model_is_said_in_words(model, words_, value):
    page = size(number(model, value))

    assert f"{words_} ranks pneumothorax as well as or better than the model: 0.700" in words(page)
    assert "no evidence of robustness" in page.text
    assert "A score that grows with the area" in page.text
    row = next(row for row in page.rows[""] if words_ in row)
    assert re.sub(r"\s+", " ", row[3]).startswith(f"{value:.3f} 95 % CI")
    assert "n 200" in re.sub(r"\s+", " ", row[3])


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.005, "above its predicted area alone, but the data do not tell them apart"),
     (0.1, "ranks pneumothorax better than its predicted area alone"),
     (None, "ranks pneumothorax better than its predicted area alone")],
)  # fmt: skip
def test_a_model_is_better_than_its_area_only_where_the_interval_says_so(difference, said):
    below = 0.7 - (difference or 0.2)
    found = words(size(number(AREA, below), comparisons=[paired(AREA, difference)] if difference else []))

    assert said in found
    assert ("difference" in found) == bool(difference)
    assert ("no evidence of robustness" in found) == (difference == 0.005)


def test_without_a_paired_difference_intervals_that_overlap_leave_it_open():
    assert "the data do not tell them apart" in size(number(AREA, 0.65)).text


def test_the_drawn_area_is_set_beside_the_model_and_its_ranking_among_films_of_like_size():
    page = size(
        number(SCORER, 0.81, "target_area_auroc", "strata:lesion_area", "model"),
        number(SCORER, 0.55, "auroc_within_strata", "strata:lesion_area", "model"),
        number(SCORER, 0.66, "auroc_within_strata", "strata:age", "model"),
    )

    assert "the drawn area alone (lesion area) ranks pneumothorax as well as or better" in words(page)
    assert [row[2] for row in page.rows[""][1:]] == [
        "its score", "its score, within lesion area: images of like size", "the drawn area alone (lesion area)"
    ]  # fmt: skip


def test_a_model_has_one_comparison_with_size_however_many_attributes_there_are():
    other = {"attribute": "ruler"}
    page = size(number(AREA, 0.7), number(SCORER, 0.7, role="model", **other), number(AREA, 0.7, **other))

    assert words(page).count("as well as or better than the model") == 1


def test_controls_of_other_models_are_not_taken_for_the_models_own():
    page = size(*(number(other, 0.9) for other in OTHERS), number("classifier_permuted", 0.9))

    assert "as well as or better" not in page.text
    assert "no model has an area-only control, a twin trained on permuted labels or an area" in words(page)


def test_a_number_without_a_value_is_shown_with_its_reason_and_not_compared():
    blank = number(AREA, 0.5) | {"value": None, "low": None, "high": None, "reason": "the test set has no negatives"}
    page = size(blank)

    assert "not computed (the test set has no negatives)" in words(page)
    assert "ranks pneumothorax" not in page.text


def test_a_reversed_test_set_raises_the_question_of_size_also_where_nothing_answers_it():
    page = size(dataset={"test_design": "reversed"})

    assert "associations were reversed by design" in page.text
    assert "This audit cannot tell" in page.text
    assert "This audit has no control" in page.text


def test_where_nothing_is_known_of_size_nothing_is_said_of_it():
    assert "size" not in size().text


def test_the_worst_group_comes_first_and_one_without_a_value_last():
    page = show("worst")
    rows = [row for row in page.rows[""] if len(row) == 7 and row[0] != "Group"]

    assert [row[0] for row in rows[:3]] == ["chest tube = 0", "chest tube = 1", "chest tube = 0, sex = F"]
    assert "too small: 4 patients" in rows[6][1]
    assert "Groups searched: classifier, pneumothorax · chest tube (5 groups, 1 without a value)" in page.text
    assert "Exploratory" in page.text


def test_without_other_columns_the_worst_group_is_sought_among_the_attributes_own_values():
    searched = ("subgroup:sex", "subgroup:view", "subgroup:chest_tube=0,", "groups:searched")
    page = show("worst", metrics=[one for one in full_data()["metrics"] if not one["group"].startswith(searched)])

    assert "The table has no other column of few values (sex, view, site) to search." in page.text
    assert page.text.count("no group was searched") == 4 * 4


def test_of_many_models_the_groups_of_the_first_are_listed_and_the_rest_counted():
    metrics = [{**one, "model": f"m{n}"} for n in range(23) for one in full_data()["metrics"]
               if one["model"] == "classifier" and ("group" in one["name"])]  # fmt: skip
    page = show("worst", metrics=metrics)

    assert page.text.count("Groups searched: m") == 2 * 20
    assert "The groups of 3 more are in audit.json only, to keep this page small." in page.text


def test_the_worst_recall_stands_with_its_group_its_n_and_the_bootstraps_interval():
    rows = {row[1]: row for row in show("worst").rows[""] if row[0].startswith("classifier") and len(row) == 4}

    assert set(rows) == {
        "Worst-group AUROC", "Worst-group sensitivity (recall)", "Worst-group specificity", "Worst-group accuracy"
    }  # fmt: skip
    assert rows["Worst-group sensitivity (recall)"][3] == (
        "0.762 95\xa0% CI 0.712\xa0to\xa00.812n\xa01,951 · 1,712 patients"
        "bootstrap: 95\xa0% CI 0.710\xa0to\xa00.814in chest tube = 0, sex = F (n\xa01,951 · 1,712 patients)"
    )
    assert "in positives of chest tube = 0 (n" in rows["Worst-group accuracy"][2]


def test_calibration_is_shown_of_probabilities_alone():
    assert [row[:2] for row in show("calibration").rows[""][1:]] == [
        ["classifierpneumothorax · chest tube", "Brier score"],
        ["classifierpneumothorax · chest tube", "Calibration error (ECE)"],
    ]


def test_where_no_score_is_a_probability_the_reasons_are_given_once():
    page = show("calibration", metrics=[one for one in full_data()["metrics"] if one["model"] != "classifier"])

    assert page.text.count("the score only ranks (column 'scale')") == 1
