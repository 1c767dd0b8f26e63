"""What lies on skin or lens of a synthetic dermoscopic image: ruler, hair, gel bubbles, dark corners, ink.

As with devices on chest films, ``draw`` makes all random choices and ``cover`` none: the same artefact can be put on
and taken off. Each is a colour laid over the image. One rule for all: what would cover less than 5 % of a pixel, 13 of
255 grey levels at most and lost in skin and noise, is not drawn; the footprint is all the rest. So it holds whatever
can be seen of the artefact, and outside it an image and its counterpart are equal to the byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from shortcut_audit.data.strokes import bezier, stroke
from shortcut_audit.shapes import Floats, Mask

Artefact = Literal["ruler", "hair", "gel_bubble", "dark_corner", "ink"]
ARTEFACTS: tuple[Artefact, ...] = get_args(Artefact)
FAINTEST = 0.05
Params = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Colour (3,) or (H, W, 3), and how much it covers (H, W) in [0, 1]."""

    colour: Floats
    cover: Floats

    def over(self, image: Floats) -> Floats:
        """Return the image (H, W, 3) under this layer."""
        return image * (1 - self.cover[..., None]) + self.colour * self.cover[..., None]

    @property
    def footprint(self) -> Mask:
        """Pixels that it covers, however little (H, W)."""
        return self.cover > 0


def draw(name: Artefact, rng: np.random.Generator) -> Params:
    """Choose place and shape of an artefact."""
    return _DRAW[name](rng)


def lay(name: Artefact, params: Params, size: int) -> Layer:
    """Return an artefact at a size, without its faintest rim."""
    drawn = _LAY[name](params, size)
    return replace(drawn, cover=np.where(drawn.cover < FAINTEST, 0.0, drawn.cover))


def _draw_ruler(rng: np.random.Generator) -> Params:
    return {
        "side": [float(rng.integers(4))], "edge": [rng.uniform(0.05, 0.12)], "tilt": [rng.uniform(-0.04, 0.04)],
        "step": [rng.uniform(0.035, 0.05)], "start": [rng.uniform(0.0, 0.03)],
    }  # fmt: skip


def _lay_ruler(params: Params, size: int) -> Layer:
    """Ticks along one edge of the image, every fifth a long one, on a line."""
    (side,), (edge,), (tilt,), (step,), (start,) = (params[k] for k in ("side", "edge", "tilt", "step", "start"))
    along = np.arange(start, 1.0, step)
    base = edge + tilt * (along - 0.5)
    length = np.where(np.arange(len(along)) % 5 == 0, 0.075, 0.04)
    lines = [np.array([[a, b], [a, b + h]]) for a, b, h in zip(along, base, length, strict=True)]
    lines.append(np.column_stack([along, base]))
    turned = [_turned(line, int(side)) for line in lines]
    return Layer(colour=np.array([0.08, 0.08, 0.09]), cover=0.85 * stroke(turned, size=size, width=0.011))


def _turned(line: Floats, side: int) -> Floats:
    """Turn points from the upper edge to one of the four."""
    x, y = line[:, 0], line[:, 1]
    return np.column_stack([(x, y), (x, 1 - y), (y, x), (1 - y, x)][side])


def _draw_hair(rng: np.random.Generator) -> Params:
    count = int(rng.integers(7, 15))
    angle, lean = rng.uniform(0, np.pi), rng.normal(0, 0.35, count)
    middle = rng.uniform(0.1, 0.9, (count, 2))
    reach = rng.uniform(0.2, 0.45, count)
    way = np.column_stack([np.cos(angle + lean), np.sin(angle + lean)]) * reach[:, None]
    bend = middle + rng.normal(0, 0.07, (count, 2))
    points = np.stack([middle - way, bend, middle + way], axis=1)
    return {"x": points[..., 0].ravel().tolist(), "y": points[..., 1].ravel().tolist()}


def _lay_hair(params: Params, size: int) -> Layer:
    """Dark thin curves, mostly in one direction."""
    points = np.column_stack([params["x"], params["y"]]).reshape(-1, 3, 2)
    cover = stroke([bezier(three) for three in points], size=size, width=0.010)
    return Layer(colour=np.array([0.13, 0.08, 0.06]), cover=0.9 * cover)


def _draw_gel_bubble(rng: np.random.Generator) -> Params:
    count = int(rng.integers(4, 10))
    near = rng.uniform(0.15, 0.85, 2)
    return {
        "x": np.clip(near[0] + rng.normal(0, 0.16, count), 0.04, 0.96).tolist(),
        "y": np.clip(near[1] + rng.normal(0, 0.16, count), 0.04, 0.96).tolist(),
        "radius": rng.uniform(0.018, 0.06, count).tolist(),
    }


def _lay_gel_bubble(params: Params, size: int) -> Layer:
    """Discs of gel: a bright rim, a glint at the upper left, pale inside."""
    at = (np.arange(size) + 0.5) / size
    cover = np.zeros((size, size))
    for x, y, radius in zip(params["x"], params["y"], params["radius"], strict=True):
        distance = np.hypot(at[None, :] - x, at[:, None] - y) / radius
        rim = 0.55 * np.exp(-0.5 * ((distance - 0.9) / 0.12) ** 2)
        glint = np.exp(
            -0.5 * (np.hypot(at[None, :] - x + radius / 3, at[:, None] - y + radius / 3) / (radius / 4)) ** 2
        )
        cover = np.maximum(cover, np.maximum(np.maximum(rim, 0.9 * glint), 0.32 * (distance < 1)))
    return Layer(colour=np.array([0.97, 0.95, 0.94]), cover=cover)


def _draw_dark_corner(rng: np.random.Generator) -> Params:
    return {"radius": [rng.uniform(0.50, 0.60)], "x": [rng.uniform(0.47, 0.53)], "y": [rng.uniform(0.47, 0.53)]}


def _lay_dark_corner(params: Params, size: int) -> Layer:
    """The tube of the dermoscope: black outside a circle."""
    at = (np.arange(size) + 0.5) / size
    distance = np.hypot(at[None, :] - params["x"][0], at[:, None] - params["y"][0])
    return Layer(colour=np.full(3, 0.02), cover=np.clip((distance - params["radius"][0]) / 0.03 + 0.5, 0, 1))


def _draw_ink(rng: np.random.Generator) -> Params:
    start, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.34, 0.42)
    around = start + np.linspace(0, rng.uniform(0.7, 1.4), 4)
    radius = reach + rng.normal(0, 0.012, 4)
    return {"x": (0.5 + radius * np.cos(around)).tolist(), "y": (0.5 + radius * np.sin(around)).tolist()}


def _lay_ink(params: Params, size: int) -> Layer:
    """The surgeon's violet pen: an arc round the lesion, and a short stroke across its middle."""
    arc = bezier(np.column_stack([params["x"], params["y"]]))
    middle = arc[len(arc) // 2]
    across = np.array([middle, middle + 0.22 * (middle - 0.5)])
    return Layer(colour=np.array([0.33, 0.20, 0.55]), cover=0.8 * stroke([arc, across], size=size, width=0.034))


_DRAW: dict[Artefact, Callable[[np.random.Generator], Params]] = {
    "ruler": _draw_ruler, "hair": _draw_hair, "gel_bubble": _draw_gel_bubble, "dark_corner": _draw_dark_corner,
    "ink": _draw_ink,
}  # fmt: skip
_LAY: dict[Artefact, Callable[[Params, int], Layer]] = {
    "ruler": _lay_ruler, "hair": _lay_hair, "gel_bubble": _lay_gel_bubble, "dark_corner": _lay_dark_corner,
    "ink": _lay_ink,
}  # fmt: skip
