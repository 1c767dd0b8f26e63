"""What groups, metrics, answers and attributes are called."""

from __future__ import annotations

import pytest

from shortcut_audit.report.vocabulary import evidence_word, feature, group_label, metric_label


@pytest.mark.parametrize(
    ("group", "label"),
    [
        ("all", "all images"),
        ("robust", "association breaks (robust)"),
        ("aligned", "association holds (aligned)"),
        ("within:0", "attribute absent"),
        ("within:lateral_view", "attribute = lateral view"),
        ("label:1", "images with the finding"),
        ("cell:1:0", "finding, without attribute"),
        ("cell:0:lateral", "no finding, lateral attribute"),
        ("pair:0:0", "A00: positives and negatives without"),
        ("pair:1:0", "A10: positives with, negatives without"),
        ("pair:ap:pa", "positives ap, negatives pa"),
        ("footprint:chest_tube", "on chest tube"),
        ("finding:mass", "on the finding mass"),
        ("strata:lesion_area", "within lesion area"),
        ("something:new", "something:new"),
    ],
)
def test_a_group_is_named_in_words(group, label):
    assert group_label(group) == label


def test_a_pair_of_a_composite_is_told_by_what_is_suggested():
    assert group_label("pair:0:1", composite=True) == "A01: positives spoken against, negatives spoken for"
    assert group_label("pair:1:1", composite=True) == "A11: positives and negatives spoken for"


def test_a_metric_without_an_entry_is_shown_under_its_own_name():
    assert metric_label("auroc_gap") == "Gap"
    assert metric_label("new_number") == "new number"


def test_answers_to_the_two_questions_have_words_of_their_own():
    assert [evidence_word("gap", e) for e in ("yes", "no", "cannot tell")] == ["BEYOND", "WITHIN", "OPEN"]
    assert [evidence_word("reliance", e) for e in ("yes", "no", "cannot tell")] == ["SHOWN", "EXCLUDED", "OPEN"]
    assert evidence_word("skill", "cannot tell") == "CANNOT TELL"


def test_a_composite_attribute_is_named_by_the_number_of_its_parts():
    assert feature("hair+ruler+ink", ["hair+ruler+ink"]) == "the composite of 3 attributes"
    assert feature("er=ER+") == "er ER+"
    assert feature("projection=ap") == "projection ap"
