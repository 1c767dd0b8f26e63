"""The card beside the weights."""

import pytest
from pydantic import TypeAdapter, ValidationError
from small_networks import classifier_card, segmenter_card

from shortcut_audit.models.card import ClassifierCard, ModelCard, SegmenterCard


@pytest.mark.parametrize(("card", "kind"), [(classifier_card(), ClassifierCard), (segmenter_card(), SegmenterCard)])
def test_a_card_survives_json_as_the_same_kind(card, kind):
    again = TypeAdapter(ModelCard).validate_json(card.model_dump_json())
    assert isinstance(again, kind)
    assert again == card


def test_a_key_that_is_not_of_a_card_is_refused():
    with pytest.raises(ValidationError, match="colour"):
        classifier_card(colour="red")


def test_a_card_of_a_later_format_is_refused():
    with pytest.raises(ValidationError, match="format"):
        segmenter_card(format=2)
