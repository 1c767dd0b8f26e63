"""Small embedded pictures for the gallery: films, heat maps, outlines."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from shortcut_audit.audit.result.examples import Layer
from shortcut_audit.shapes import Bytes8, Heatmap, Mask

SHOWN_PX = 192
COLOURS = {"finding": (0x35, 0xD6, 0xC3), "footprint": (0xFF, 0xB0, 0x2E), "predicted": (0xB4, 0x8C, 0xFF)}
INFERNO = np.array(
    [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
     [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]], dtype=float,
)  # fmt: skip
"""Nine anchors of the inferno map, evenly spaced: perceptually even, and readable in grey."""
TOP_PERCENTILE = 99.5


def film_layer(pixels: Bytes8, kind: str, label: str) -> Layer:
    """Return a film (C, S, S) uint8 as a layer."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2))
    return _layer(_enlarged(image, Image.Resampling.BICUBIC), kind, label, "WEBP")


def heat_layer(heatmap: Heatmap, label: str) -> Layer:
    """Return absolute attribution (S, S) as a layer: black where there is none, to be screened over the film."""
    top = float(np.percentile(heatmap, TOP_PERCENTILE))
    share = np.clip(heatmap / top, 0, 1) if top > 0 else np.zeros_like(heatmap)
    anchors = np.linspace(0, 1, len(INFERNO))
    colours = np.stack([np.interp(share, anchors, INFERNO[:, channel]) for channel in range(3)], axis=-1)
    image = Image.fromarray(colours.astype(np.uint8))
    return _layer(_enlarged(image, Image.Resampling.BICUBIC), "heatmap", label, "WEBP")


def outline_layer(mask: Mask, kind: str, label: str) -> Layer:
    """Return the outline of a mask (S, S) as a transparent layer; a predicted mask is filled faintly."""
    factor = max(1, SHOWN_PX // mask.shape[0])
    large = np.kron(mask, np.ones((factor, factor), dtype=bool))
    edge = binary_dilation(large) & ~binary_erosion(large)
    rgba = np.zeros((*large.shape, 4), dtype=np.uint8)
    rgba[edge] = (*COLOURS[kind], 255)
    if kind == "predicted":
        rgba[large & ~edge] = (*COLOURS[kind], 90)
    return _layer(Image.fromarray(rgba), kind, label, "PNG")


def _enlarged(image: Image.Image, how: Image.Resampling) -> Image.Image:
    return image if image.width >= SHOWN_PX else image.resize((SHOWN_PX, SHOWN_PX), how)


def _layer(image: Image.Image, kind: str, label: str, encoding: str) -> Layer:
    buffer = io.BytesIO()
    if encoding == "WEBP":
        image.save(buffer, "WEBP", quality=80, method=4)
    else:
        image.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return Layer(kind=kind, label=label, uri=f"data:image/{encoding.lower()};base64,{data}")  # type: ignore[arg-type]
