"""A classifier of 14 findings of synthetic films, for benchmarks of explanations: trained once, kept in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from shortcut_audit.config import ClassifierConfig
from shortcut_audit.data.datasets.synthetic_cxr import FilmPlan, SyntheticOptions, plan_films, render
from shortcut_audit.models.card import ClassifierCard
from shortcut_audit.models.checkpoint import load_as, save_model
from shortcut_audit.models.classifier import Classifier, build_classifier, predict_scores
from shortcut_audit.training.loop import Schedule, fit
from shortcut_audit.training.objectives import label_loss
from shortcut_audit.training.train_classifier import mean_auroc, pixel_statistics

FINDINGS = 14
LARGE = 0.016
FINER = 0.5
"""Times the learning rate of the stage before."""


@dataclass(frozen=True, kw_only=True)
class Films:
    """Pixels (N,1,S,S) uint8 and labels (N,14) of one split."""

    pixels: np.ndarray
    labels: np.ndarray


def films(plans: list[FilmPlan], split: str, size: int) -> Films:
    chosen = [plan for plan in plans if plan.split == split]
    pixels = [np.round(render(plan, size)[0][plan.tube] * 255).astype(np.uint8)[None] for plan in chosen]
    return Films(pixels=np.stack(pixels), labels=np.array([_labels(plan) for plan in chosen], dtype=float))


def _labels(plan: FilmPlan) -> list[bool]:
    """What the generator drew, said as 14 findings."""
    there, tube, leads = plan.finding is not None, plan.tube, plan.leads
    side = plan.finding.side if plan.finding else 0
    return [
        there, side < 0, side > 0, plan.finding is not None and plan.finding.area > LARGE,
        tube, tube and plan.tube_side < 0, tube and plan.tube_side > 0,
        leads, leads and plan.leads_side < 0, leads and plan.leads_side > 0,
        tube and not there, leads and not tube, there and tube, there and leads,
    ]  # fmt: skip


def drawn(size: int, *, train: int, test: int) -> list[FilmPlan]:
    return plan_films(SyntheticOptions(size=size, train=train, val=120, test=test))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """So many passes over the films, at one size."""

    size: int
    epochs: float

    @classmethod
    def of(cls, text: str) -> Stage:
        """Read ``64x10``: the side in pixels, and the passes, which may be a fraction."""
        size, epochs = text.split("x")
        return cls(size=int(size), epochs=float(epochs))


def train(plans: list[FilmPlan], architecture: str, stages: list[Stage]) -> Classifier:
    """Train at several sizes in turn; small films teach most of it at a tenth of the cost.

    Each stage starts from the best epoch of the stage before, with a lower learning rate; its passes in training
    mode refresh the statistics of batch normalisation for its size.
    """
    torch.manual_seed(0)
    model: Classifier | None = None
    for number, stage in enumerate(stages):
        shown, checked = films(plans, "train", stage.size), films(plans, "val", stage.size)
        if model is None:
            mean, std = pixel_statistics(shown.pixels)
            model = build_classifier(
                ClassifierCard(
                    architecture=architecture, findings=tuple(f"f{k}" for k in range(FINDINGS)), channels=1,
                    size=stages[-1].size, mean=mean, std=std, seed=0, supervision="image labels",
                )
            )  # fmt: skip
        learner = model
        pixels, weights = torch.from_numpy(checked.pixels), torch.ones(FINDINGS)
        config = ClassifierConfig(flip=False)
        config = config.model_copy(update={"learning_rate": config.learning_rate * FINER**number})
        schedule = Schedule.of(config, epochs=math.ceil(stage.epochs), seed=number)
        steps = round(stage.epochs * len(shown.pixels) / config.batch_size / schedule.epochs)
        fitted = fit(
            learner,
            torch.from_numpy(shown.pixels),
            [torch.from_numpy(shown.labels).float()],
            ids=[str(row) for row in range(len(shown.pixels))],
            loss=lambda logits, target, weights=weights: label_loss(logits, target, weights.to(logits.device)),
            validate=lambda learner=learner, pixels=pixels, labels=checked.labels: mean_auroc(
                labels, predict_scores(learner, pixels).double().numpy()
            ),
            schedule=replace(schedule, steps=steps),
            what=f"Training at {stage.size} px",
        )
        print(
            f"{stage.size} px, validation AUROC: " + ", ".join(f"{epoch['val_auroc']:.3f}" for epoch in fitted.history),
            flush=True,
        )
    assert model is not None
    return model


def trained(plans: list[FilmPlan], architecture: str, stages: list[Stage], keep: Path | None) -> Classifier:
    """Take the classifier from the file ``keep``; train it, and write that file, where there is none."""
    if keep is not None and keep.exists():
        return load_as(keep, Classifier)
    model = train(plans, architecture, stages)
    if keep is not None:
        save_model(model, keep)
    return model
