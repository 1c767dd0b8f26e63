"""The text that says how the threshold is chosen."""

import pytest
from pydantic import ValidationError

from shortcut_audit.config import EvaluateConfig, ThresholdRule, load_config, parse_threshold_rule
from shortcut_audit.errors import UsageError


@pytest.mark.parametrize(("text", "rule"), [
    ("youden", ThresholdRule(kind="youden")),
    ("sensitivity=0.9", ThresholdRule(kind="sensitivity", value=0.9)),
    (" specificity = 1 ", ThresholdRule(kind="specificity", value=1.0)),
    ("0.5", ThresholdRule(kind="fixed", value=0.5)),
    ("-2.25e1", ThresholdRule(kind="fixed", value=-22.5)),
])  # fmt: skip
def test_every_kind_of_text_is_read(text, rule):
    assert parse_threshold_rule(text) == rule


BAD = ["", "best", "Youden", "sensitivity", "sensitivity=", "sensitivity=90", "sensitivity=0", "specificity=-0.1",
       "specificity=90%", "ppv=0.9", "nan", "inf", "sensitivity=nan", "youden=1"]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match=r"expected 'youden', 'sensitivity=S' or 'specificity=S' with S above 0"):
        parse_threshold_rule(text)


@pytest.mark.parametrize("number", [0.1, 0, 3, -1.5])
def test_a_plain_number_is_a_threshold_and_stays_exactly_that(number):
    text = EvaluateConfig(operating_point=number).operating_point

    assert parse_threshold_rule(text) == ThresholdRule(kind="fixed", value=float(number))


@pytest.mark.parametrize("value", [True, None, [0.5], {"sensitivity": 0.9}])
def test_what_is_neither_text_nor_number_is_refused(value):
    with pytest.raises(ValidationError):
        EvaluateConfig(operating_point=value)


def test_the_command_line_is_told_the_key_and_what_it_found():
    with pytest.raises(
        UsageError, match=r"the command line: 'evaluate.operating_point' is 'sens=0.9': expected 'youden'"
    ):
        load_config(named={"evaluate.operating_point": "sens=0.9"})


@pytest.mark.parametrize(
    ("key", "value"), [("prevalence", 0), ("prevalence", 1), ("attribute_rates", {"given_none": 2})]
)
def test_a_share_outside_its_range_is_refused(key, value):
    with pytest.raises(ValidationError):
        EvaluateConfig(**{key: value})


def test_one_rate_can_be_set_alone_over_a_file_that_names_none(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("evaluate:\n  prevalence: null\n  attribute_rates:\n    given_finding: null\n    given_none: 0.1\n")
    config = load_config([file], ["evaluate.attribute_rates.given_finding=0.7"])

    assert config.evaluate.attribute_rates.model_dump() == {"given_finding": 0.7, "given_none": 0.1}
