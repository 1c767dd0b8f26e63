"""Integrals of gradients along straight paths, for many images and findings at once.

What makes it cheap: one forward pass of a point of the path serves every finding asked for of its image
(a backward pass each; a vector-Jacobian product batched over the findings cost the same or more on a
CPU); weights take no gradient; points of all images share batches of one size; and an image whose maps
sum to what they should gets no further points.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shortcut_audit.attribution.base import MIN_DIFFERENCE, ModelFn, Wanted, fixed_batches, logits_of
from shortcut_audit.shapes import Floats


@dataclass(frozen=True, kw_only=True)
class Level:
    """One refinement of a quadrature on [0, 1]: what was found is taken ``carry`` times, new nodes are added.

    Attributes:
        carry: weight of the levels before.
        nodes: (S,) positions.
        weights: (S,); carry and weights sum to 1.
    """

    carry: float
    nodes: Floats
    weights: Floats


def gauss_legendre(steps: int) -> tuple[Floats, Floats]:
    """Return nodes and weights (S,) of the quadrature on [0, 1]; the weights sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (1 + nodes) / 2, weights / 2


def growing_levels(quadrature: str, steps: int, most: int) -> list[Level]:
    """Return a rule of ``steps`` nodes, and refinements of it as long as ``most`` nodes are not passed.

    Every level keeps all gradients taken so far, and about doubles them. Midpoints of n cells and the n + 1 borders
    of the cells are together the trapezoidal rule of 2 n cells; that and its midpoints are the one of 4 n, and so
    on. Gauss-Legendre rules share no nodes: twice as many are added, and the rules averaged by their nodes. Of equally
    few nodes midpoints did better than Gauss-Legendre (``docs/log.md``).

    Args:
        quadrature: ``gauss_legendre`` or ``midpoint``.
        steps: nodes of the first rule.
        most: nodes of all levels together.
    """
    next_level = _more_midpoints if quadrature == "midpoint" else _more_gauss_legendre
    levels = [next_level(steps, 0)]
    spent = steps
    while spent + len((level := next_level(steps, spent)).nodes) <= most:
        levels.append(level)
        spent += len(level.nodes)
    return levels


def _more_midpoints(steps: int, spent: int) -> Level:
    if not spent:
        return _midpoints(steps, carry=0.0)
    if spent > steps:
        return _midpoints(spent - 1, carry=0.5)
    ends = np.full(steps + 1, 0.5 / steps)
    ends[[0, -1]] /= 2
    return Level(carry=0.5, nodes=np.linspace(0, 1, steps + 1), weights=ends)


def _midpoints(cells: int, *, carry: float) -> Level:
    weights = np.full(cells, (1 - carry) / cells)
    return Level(carry=carry, nodes=(np.arange(cells) + 0.5) / cells, weights=weights)


def _more_gauss_legendre(steps: int, spent: int) -> Level:
    more = spent + steps
    nodes, weights = gauss_legendre(more)
    return Level(carry=spent / (spent + more), nodes=nodes, weights=weights * (more / (spent + more)))


class PathSums:
    """Attributions of the wanted pairs, level by level.

    Args:
        model: the network, frozen.
        images: (M,C,H,W) in [0, 1].
        wanted: P pairs.
        baselines: (B,M,C,H,W).
        batch_size: points of a path a batch, always as many.
        bfloat16: run the network along the path in bfloat16; sums and logits stay in float32.
    """

    def __init__(
        self, model: ModelFn, images: Tensor, wanted: Wanted, *, baselines: Tensor, batch_size: int, bfloat16: bool
    ) -> None:
        self._model, self._images, self._baselines = model, images, baselines
        self._wanted, self._size, self._bfloat16 = wanted, batch_size, bfloat16
        self._counts = torch.bincount(wanted.image, minlength=len(images))
        self._first = self._counts.cumsum(0) - self._counts
        self.by_channel = torch.zeros(len(wanted), *images.shape[1:], device=images.device)
        """(P,C,H,W), averaged over the baselines."""
        at_image, *at_baselines = self._ends()
        self.logit = at_image
        """(P,) float64, of the images."""
        self._difference = at_image - torch.stack(at_baselines).mean(0)

    def add(self, rows: Tensor, level: Level) -> None:
        """Refine the maps of the images ``rows`` (K,) by one level."""
        inside = torch.isin(self._wanted.image, rows)
        self.by_channel[inside] *= level.carry
        # Images with the most findings first, so that a batch needs few backward passes that serve only some of it.
        rows = rows[torch.argsort(self._counts[rows], descending=True, stable=True)]
        image, baseline, node = _grid(rows, len(self._baselines), len(level.nodes))
        position = torch.from_numpy(level.nodes).to(self._images)[node].view(-1, 1, 1, 1)
        weight = torch.from_numpy(level.weights).to(self._images)[node].view(-1, 1, 1, 1) / len(self._baselines)
        for batch, real in fixed_batches(len(image), self._size):
            start = self._baselines[baseline[batch], image[batch]]
            way = self._images[image[batch]] - start
            self._add_batch(image[batch], real, start + position[batch] * way, weight[batch] * way)

    def error(self) -> Tensor:
        """Return |sum of the map - difference| / max(|difference|, 0.5 logit) of every pair (P,)."""
        total = self.by_channel.sum((1, 2, 3), dtype=torch.float64)
        error: Tensor = (total - self._difference).abs() / self._difference.abs().clamp_min(MIN_DIFFERENCE)
        return error

    def _add_batch(self, image: Tensor, real: int, points: Tensor, way: Tensor) -> None:
        counts = self._counts[image].clone()
        counts[real:] = 0
        with torch.enable_grad():
            points = points.contiguous(memory_format=torch.channels_last).requires_grad_()
            with self._precision():
                logits = self._model(points).float()
            rounds = int(counts.max())
            for turn in range(rounds):
                served = torch.nonzero(counts > turn)[:, 0]
                pair = self._first[image[served]] + turn
                chosen = logits[served, self._wanted.target[pair]].sum()
                (slope,) = torch.autograd.grad(chosen, points, retain_graph=turn + 1 < rounds)
                self.by_channel.index_add_(0, pair, (way * slope)[served])

    def _precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self._images.device.type, dtype=torch.bfloat16, enabled=self._bfloat16)

    def _ends(self) -> list[Tensor]:
        """Return the wanted logits (P,) of the images and at each baseline.

        A baseline that all images share is shown once, and images whose logits are known are not shown.
        """
        known = self._wanted.logit
        baselines = [start[:1] if (start == start[:1]).all() else start for start in self._baselines]
        parts = baselines if known is not None else [self._images, *baselines]
        logits = logits_of(self._model, torch.cat(parts), batch_size=self._size)
        own = [part.expand(len(self._images), -1) for part in logits.split_with_sizes([len(part) for part in parts])]
        found = [part[self._wanted.image, self._wanted.target].double() for part in own]
        return found if known is None else [known, *found]


def _grid(rows: Tensor, baselines: int, nodes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return image, baseline and node of every point (K*B*S,), image by image."""
    axes = (rows, torch.arange(baselines, device=rows.device), torch.arange(nodes, device=rows.device))
    image, baseline, node = torch.meshgrid(*axes, indexing="ij")
    return image.flatten(), baseline.flatten(), node.flatten()


def open_images(wanted: Wanted, error: Tensor, tolerance: float) -> Tensor:
    """Return the images of which a wanted pair's error is above the tolerance, or is not a number."""
    images: Tensor = torch.unique(wanted.image[~(error <= tolerance)])
    return images
