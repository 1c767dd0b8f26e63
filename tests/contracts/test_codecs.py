"""Every way to write a mask: a mask of the asked size, an empty one where the cell is blank, one error for the rest."""

import numpy as np
import pytest

from shortcut_audit.data.drawn.codecs import CODECS, Codec, CodeError

SIZE = (6, 5)
EXAMPLES = {
    "siim": ({"encodedpixels": "7 2"}, {"encodedpixels": "-1"}),
    "kaggle": ({"encodedpixels": "8 2"}, {"encodedpixels": None}),
    "coco": ({"counts": [7, 2, 21]}, {"counts": [30]}),
    "polygons": ({"value": [[[1, 1], [1, 2], [1, 1]]]}, {"polygon": ""}),
    "boxes": ({"x": "1", "y": "1", "width": "1", "height": "2"}, {"x": "", "y": None, "width": "", "height": ""}),
}
"""A mask of the two pixels (1, 1) and (2, 1) in each, and a blank one."""


def test_every_codec_has_an_example_here():
    assert set(CODECS.names()) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_codec_draws_what_is_meant_at_the_asked_size(name):
    codec, (drawn, blank) = CODECS.get(name), EXAMPLES[name]
    assert isinstance(codec, Codec)
    expected = np.zeros(SIZE, dtype=bool)
    expected[1:3, 1] = True
    mask = codec.draw(drawn, SIZE)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, expected)
    assert not codec.draw(blank, SIZE).any()
    assert codec.draw(blank, SIZE).shape == SIZE


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_codec_refuses_and_does_not_fit_what_it_does_not_write(name):
    codec = CODECS.get(name)
    with pytest.raises(CodeError):
        codec.draw({"other": "x"}, SIZE)
    assert codec.fits([{"other": "x"}]) is False
