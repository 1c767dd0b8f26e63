"""Small pictures for the gallery."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from shortcut_audit.stages.pictures import COLOURS, INFERNO, SHOWN_PX, film_layer, heat_layer, outline_layer

SQUARE = np.zeros((64, 64), dtype=bool)
SQUARE[16:48, 16:48] = True


def opened(layer):
    kind, data = layer.uri.split(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == f"data:image/{image.format.lower()}"
    return np.asarray(image)


def test_a_small_film_is_enlarged_and_keeps_its_brightness():
    pixels = np.full((1, 64, 64), 40, dtype=np.uint8)
    pixels[:, :, 32:] = 200
    layer = film_layer(pixels, "image", "as it is")
    shown = opened(layer)
    assert (layer.kind, layer.label) == ("image", "as it is")
    assert shown.shape[:2] == (SHOWN_PX, SHOWN_PX)
    assert shown[:, :80].mean() == pytest.approx(40, abs=4)
    assert shown[:, 112:].mean() == pytest.approx(200, abs=4)


def test_a_colour_film_stays_in_colour_and_a_large_one_at_its_size():
    pixels = np.zeros((3, 256, 256), dtype=np.uint8)
    pixels[0] = 220
    shown = opened(film_layer(pixels, "image", "red"))
    assert shown.shape == (256, 256, 3)
    assert shown[..., 0].mean() > 180
    assert shown[..., 2].mean() < 60


def test_a_heat_map_is_black_where_nothing_is_attributed_and_bright_at_its_peak():
    heatmap = np.zeros((64, 64), dtype=np.float32)
    heatmap[20:40, 20:40] = 3.0
    shown = opened(heat_layer(heatmap, "ig")).astype(float)
    assert shown[:20, :20].mean() < 8
    assert shown[80:100, 80:100].mean(axis=(0, 1)) == pytest.approx(INFERNO[-1], abs=12)


def test_a_heat_map_of_nothing_is_black():
    assert opened(heat_layer(np.zeros((64, 64), dtype=np.float32), "ig")).max() < 8


def test_one_extreme_pixel_does_not_hide_the_rest():
    heatmap = np.full((64, 64), 0.5, dtype=np.float32)
    heatmap[0, 0] = 1000
    assert opened(heat_layer(heatmap, "ig"))[100:, 100:].mean() > 100


@pytest.mark.parametrize("kind", ["finding", "footprint"])
def test_an_outline_shows_the_edge_and_nothing_of_the_inside(kind):
    shown = opened(outline_layer(SQUARE, kind, "outline"))
    assert shown.shape == (192, 192, 4)
    assert shown[48, 96].tolist() == [*COLOURS[kind], 255]
    assert shown[96, 96, 3] == shown[10, 10, 3] == 0


def test_a_predicted_mask_is_filled_faintly():
    shown = opened(outline_layer(SQUARE, "predicted", "predicted"))
    assert shown[96, 96].tolist() == [*COLOURS["predicted"], 90]
    assert shown[10, 10, 3] == 0


def test_an_empty_mask_shows_nothing():
    assert opened(outline_layer(np.zeros_like(SQUARE), "predicted", "nothing"))[..., 3].max() == 0
