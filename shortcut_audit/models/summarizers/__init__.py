"""Summarizers turn pixel probabilities into scores, one file each.

A summarizer is a function ``(probabilities (N, K, H, W)) -> scores (N, K)``, both in [0, 1]: the
segmentation read as a classification (Hooper et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from shortcut_audit.registry import Registry

Summarizer = Callable[[Tensor], Tensor]

SUMMARIZERS: Registry[Summarizer] = Registry("summarizer", __name__)
