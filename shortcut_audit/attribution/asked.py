"""What of a configuration its attribution method reads, and whether it can do what is asked."""

from __future__ import annotations

from typing import Any

from shortcut_audit.attribution.base import METHODS, MIN_DIFFERENCE
from shortcut_audit.attribution.baselines import BLUR_SHARE, NOISE_SD
from shortcut_audit.attribution.methods.occlusion import PATCH_SHARE
from shortcut_audit.attribution.path import growing_levels
from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import UsageError
from shortcut_audit.runtime import say

PLAIN: dict[str, Any] = {"quadrature": "gauss_legendre", "tolerance": None, "precision": "float32"}
"""Keys that some methods read, and what they are where nothing is asked for."""
SMOOTHGRAD = "smoothgrad"
"""Reads what the method reads that it smooths."""


def heeded(config: ExplainConfig) -> ExplainConfig:
    """Return a configuration without what its method does not read, so that nobody believes it was done; that is said.

    Raises:
        UsageError: an unknown method, or see :func:`check_asked`.
    """
    heeds = _inner(config)
    ignored = {key: plain for key, plain in PLAIN.items() if key not in heeds and getattr(config, key) != plain}
    if ignored:
        names = ", ".join(f"explain.{key}={getattr(config, key)}" for key in ignored)
        say(f"the method '{config.method}' does not read {names}; explained without")
        config = config.model_copy(update=ignored)
    check_asked(config)
    return config


def check_asked(config: ExplainConfig) -> None:
    """Refuse what cannot be done.

    Raises:
        UsageError: a method that is to smooth itself, or a tolerance that no film could get further nodes for: the
            first ones and the next are together more than ``max_steps``.
    """
    if config.method == config.smoothed == SMOOTHGRAD:
        raise UsageError("explain.smoothed: smoothgrad cannot smooth itself; name another method")
    if config.tolerance is None or "tolerance" not in _inner(config):
        return
    _, second, *_ = growing_levels(config.quadrature, config.steps, 4 * config.steps)
    needed = config.steps + len(second.nodes)
    if needed > config.max_steps:
        raise UsageError(
            f"explain.tolerance: {config.tolerance:g} asks for further nodes where {config.steps} are too few, but "
            f"these and the next are {needed}, more than explain.max_steps: {config.max_steps}; "
            f"set explain.max_steps={needed} or more, or explain.tolerance=null"
        )


def constants(config: ExplainConfig) -> dict[str, float]:
    """Return what decides the maps beside the configuration: shares of the image's shorter side, pixels, logits."""
    found = {"least_difference": MIN_DIFFERENCE}
    if "blur" in config.baseline:
        found["blur_sigma_share"] = BLUR_SHARE
    if "gaussian" in config.baseline:
        found["gaussian_sd"] = NOISE_SD
    if "occlusion" in (config.method, config.smoothed if config.method == SMOOTHGRAD else ""):
        found["occlusion_patch_share"] = PATCH_SHARE
    return found


def _inner(config: ExplainConfig) -> frozenset[str]:
    """Return what the method reads, or the one that it smooths."""
    return METHODS.get(config.smoothed if config.method == SMOOTHGRAD else config.method).heeds
