"""What learns, how it is explained, and how an explanation becomes a mask."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shortcut_audit.config.section import Section


class ClassifierConfig(Section):
    """Which network learns the findings from image labels, and how.

    ``class_weights``: ``balanced`` weighs the positives of a finding by negatives / positives, at most
    ``max_class_weight`` and at least its inverse; ``none`` weighs all labels alike.
    """

    architecture: str = "resnet10t"
    weights: str = "none"
    findings: list[str] = []
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    class_weights: Literal["balanced", "none"] = "balanced"
    max_class_weight: float = Field(default=10.0, ge=1)
    checkpoint: Literal["best", "last"] = "best"
    flip: bool = True


Baseline = Literal["black", "white", "mean", "blur", "uniform", "gaussian"]


class ExplainConfig(Section):
    """How the classifier is explained.

    ``steps`` are nodes of the ``quadrature`` for each baseline. With a ``tolerance`` an image gets further nodes
    until the completeness error of its maps is within it, up to ``max_steps``. ``baseline`` names what a
    film is compared with, in pixel units. ``only``: the findings a film is labelled with (``positives``),
    those that score at least ``min_score`` (``scored``), or ``all``. ``samples`` are draws of SmoothGrad
    (of the method ``smoothed``) and gradient SHAP, with noise of ``noise_sd``; ``seed`` is of all noise.
    """

    method: str = "integrated_gradients"
    quadrature: Literal["gauss_legendre", "midpoint"] = "gauss_legendre"
    steps: int = Field(default=12, ge=2)
    tolerance: float | None = Field(default=None, gt=0)
    max_steps: int = Field(default=64, ge=2)
    baseline: list[Baseline] = Field(default=["blur", "mean"], min_length=1)
    batch_size: int = Field(default=32, ge=2)
    precision: Literal["float32", "bfloat16"] = "float32"
    only: Literal["positives", "scored", "all"] = "positives"
    min_score: float = Field(default=0.5, ge=0, le=1)
    smoothed: str = "integrated_gradients"
    samples: int = Field(default=8, ge=2)
    noise_sd: float = Field(default=0.1, gt=0)
    seed: int = Field(default=0, ge=0)


class PseudoMaskConfig(Section):
    """How an attribution becomes a mask, and what is kept of it.

    ``rule`` names a threshold rule (``audit list rules``). ``share`` is its constant for ``mass`` and
    ``quantile``, ``level`` for ``fixed``. ``tune_on`` chooses that constant for each finding on so many
    drawn masks of training films; 0 does not. ``smooth_px`` is the sigma of a Gaussian at working size;
    components under ``min_area_px`` go; below a score of ``min_score`` the mask says nothing.
    ``ignore_from`` times the threshold is where the band begins that is neither finding nor background.
    ``heatmap_px`` is the side at which heat maps are stored; 0 stores none. A store of more than ``view_above_gb``
    (10^9 bytes) is not written a second time when it is sealed: ``masks.h5`` is a view of ``masks.parts``.
    """

    rule: str = "mass"
    share: float = Field(default=0.6, gt=0, lt=1)
    level: float = Field(default=0.5, gt=0, lt=1)
    tune_on: int = Field(default=0, ge=0)
    smooth_px: float = Field(default=1.5, ge=0)
    min_area_px: int = Field(default=8, ge=0)
    min_score: float = Field(default=0.0, ge=0, le=1)
    ignore_from: float | None = Field(default=None, gt=0, lt=1)
    heatmap_px: int = Field(default=112, ge=0)
    view_above_gb: float = Field(default=50, ge=0)


class SegmenterConfig(Section):
    """Which network learns from masks, and how.

    ``activation``: ``sigmoid`` where structures may overlap, ``softmax`` where the classes exclude each
    other (a background class is then added). ``background_weight`` weighs background pixels in
    pre-training on pseudo-masks (0.1 in PSSL, the nearest published recipe), in films that have the class;
    in films without it background is certain and weighs 1. ``weights`` are those that the encoder starts
    from where no pre-trained segmenter is given: ``none`` (random), ``imagenet`` (timm's), or a safetensors file
    of a timm network, a classifier or a segmenter of ours.
    ``cleaning`` names rules that clean pseudo-masks before pre-training, in order, RULE or RULE:ATTRIBUTE
    (see ``audit list cleaning``).
    """

    architecture: Literal["unet"] = "unet"
    encoder: str = "tu-resnet10t"
    weights: str = "none"
    decoder_channels: list[int] = [64, 32, 16, 16, 8]
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    pretrain_epochs: int = Field(default=5, ge=1)
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    positive_weight: float = Field(default=5.0, gt=0)
    background_weight: float = Field(default=0.1, gt=0)
    dice: bool = True
    cleaning: list[str] = ["blank_negatives"]
    checkpoint: Literal["best", "last"] = "best"
    flip: bool = True
    permuted_twin: bool = False
