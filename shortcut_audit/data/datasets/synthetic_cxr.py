"""Synthetic chest films with a planted chest tube; every film also exists with the tube switched.

P(tube | pneumothorax) = .735 and P(tube | none) = .128 are the rates counted in SIIM-ACR (453 positives
and 1,498 negatives with a tube label). Where they are .5 and .5 there is no association to learn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS
from shortcut_audit.data.film import (
    AREA_MEDIAN,
    AREA_SIGMA,
    Anatomy,
    Pneumothorax,
    draw_anatomy,
    draw_film,
    draw_pneumothorax,
)
from shortcut_audit.data.knobs import options_of
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest, Split
from shortcut_audit.data.opacity import Opacity, draw_opacity, render_opacity
from shortcut_audit.data.rendered import Row, error_notes, films, render_all, with_errors
from shortcut_audit.data.spurious import SPURIOUS
from shortcut_audit.provenance import fingerprint
from shortcut_audit.shapes import Floats, Mask

FINDING = "pneumothorax"
OPACITY = "opacity"
TUBE = "chest_tube"
LEADS = "ecg_leads"
LEADS_RATE = 0.5
AFFECTED_FILM_POSITIVE = 0.85
"""Share of an affected patient's films on which the lung is not yet (or no longer) expanded."""
FILMS_PER_PATIENT = (0.4, 0.3, 0.2, 0.1)
OPACITY_STREAM = 7
"""Sets the random numbers of the opacity apart from all others."""
RESIDUE_STREAM = 8
OFF = {"opacity": 0.0, "harder_negatives": 0.0, "serial": 0.0, "label_error": 0.0, "attribute_error": 0.0}
"""Knobs that came later: where they are off, films and fingerprint are those of a generator without them."""


class SyntheticOptions(BaseModel):
    """Knobs of the generator (``dataset.options`` in a configuration).

    ``severity_link`` is the log-odds of a tube per standard deviation of log area, among positives of
    the test split only: it makes the cases with a tube easier or harder without teaching a model anything.
    ``ipsilateral`` is how often a tube lies on the side of the pneumothorax; at .5 its side tells nothing.
    ``opacity`` is the share of patients with a patchy opacity, a second finding that stands for infection; at 0
    the films have no such finding. ``harder_negatives`` gives test films without the finding but with a tube what a
    drained pneumothorax leaves: a crescent of this share of the contrast, no finding by its label.
    ``serial`` is the log-odds of a tube per later film of a patient: first films come before drainage, last ones
    after it; the films then have ``covariate.film``. ``label_error`` and ``attribute_error`` are shares of labels
    that are wrong. Where a knob is 0 the films are byte for byte those of a generator that does not know it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=96, ge=32, le=1024)
    train: int = Field(default=1000, ge=8)
    val: int = Field(default=200, ge=8)
    test: int = Field(default=1400, ge=8)
    prevalence: float = Field(default=0.5, gt=0, lt=AFFECTED_FILM_POSITIVE)
    tube_given_finding: float = Field(default=0.735, gt=0, lt=1)
    tube_given_none: float = Field(default=0.128, gt=0, lt=1)
    ipsilateral: float = Field(default=0.9, ge=0, le=1)
    severity_link: float = Field(default=0.0, ge=-2, le=2)
    opacity: float = Field(default=0.0, ge=0, lt=1)
    harder_negatives: float = Field(default=0.0, ge=0, le=1)
    serial: float = Field(default=0.0, ge=-5, le=5)
    label_error: float = Field(default=0.0, ge=0, lt=0.5)
    attribute_error: float = Field(default=0.0, ge=0, lt=0.5)
    seed: int = Field(default=0, ge=0)

    def identity(self) -> dict[str, Any]:
        """Return what the films depend on."""
        return self.model_dump(exclude={name for name, off in OFF.items() if getattr(self, name) == off})


@dataclass(frozen=True, kw_only=True)
class FilmPlan:
    """Every choice that makes one film, drawn before anything is rendered."""

    sample_id: str
    patient_id: str
    split: Split
    anatomy: Anatomy
    finding: Pneumothorax | None
    tube: bool
    leads: bool
    tube_side: int
    leads_side: int
    sex: str
    age: int
    seed: tuple[int, ...]
    opacity: Opacity | None = None
    opacity_asked: bool = False
    residue: Pneumothorax | None = None
    serial_asked: bool = False


@DATASETS.register("synthetic_cxr")
def synthetic_cxr(root: Path, config: DatasetConfig) -> Manifest:
    """Chest films rendered here, with a planted chest tube, ECG leads and exact counterparts."""
    options = options_of(SyntheticOptions, config)
    card = DataCard(
        name=config.title or "synthetic chest films",
        source="rendered by shortcut-audit",
        licence="Apache-2.0",
        release=fingerprint(options.identity())[:12],
        test_design=config.test_design or "natural",
        pairs="exact",
        notes=notes(options),
    )

    def make() -> list[Row]:
        told = "Rendering chest films, each with and without the tube"
        rows = render_all(plan_films(options), _write_film, root, options.size, what=told)
        return with_errors(rows, labels=options.label_error, attributes=options.attribute_error, seed=options.seed)

    return films(root, card, make)


def notes(options: SyntheticOptions) -> tuple[str, ...]:
    """Return what the films were made to be, and every knob that is not as it is by default."""
    usual, left = SyntheticOptions(), options.harder_negatives
    rates = (
        f"P(chest tube | pneumothorax) = {options.tube_given_finding}, P(chest tube | none) = {options.tube_given_none}"
    )
    link = f"severity link in the test films = {options.severity_link}"
    turned = {
        "prevalence": f"a share of about {options.prevalence:g} of the films has a pneumothorax (prevalence)",
        "ipsilateral": f"a share of {options.ipsilateral:g} of the tubes lies on the side of the finding (ipsilateral)",
        "harder_negatives": (
            "test films with a tube and without the finding have what a drained pneumothorax leaves, "
            f"{left:g} of its contrast, and their label says none (harder_negatives)"
        ),
        "serial": (
            "which films of a patient have a tube goes with their order: log-odds of "
            f"{options.serial:g} per later film (serial)"
        ),
        "opacity": f"a share of {options.opacity:g} of the patients has a second finding, opacity (opacity)",
    }
    said = [text for knob, text in turned.items() if getattr(options, knob) != getattr(usual, knob)]
    return (rates, link, *said, *error_notes(labels=options.label_error, attributes=options.attribute_error))


def plan_films(options: SyntheticOptions) -> list[FilmPlan]:
    """Draw all choices for all films; equal options give equal plans."""
    plans: list[FilmPlan] = []
    for code, split in enumerate(SPLITS):
        wanted = getattr(options, split)
        made: list[FilmPlan] = []
        while len(made) < wanted:
            patient = made[-1].seed[2] + 1 if made else 0
            made += _plan_patient(options, split, (options.seed, code, patient))
        link = options.severity_link if split == "test" else 0.0
        made = _with_tubes(made[:wanted], options, link, np.random.default_rng((options.seed, code)))
        plans += [_with_residue(plan, options.harder_negatives) for plan in made] if split == "test" else made
    plans = [replace(plan, serial_asked=True) for plan in plans] if options.serial else plans
    return [_with_opacity(plan, options.opacity) for plan in plans] if options.opacity else plans


def _with_opacity(plan: FilmPlan, share: float) -> FilmPlan:
    """Return the plan with an opacity if the patient has one; drawn apart, so that all else stays as it was."""
    affected = np.random.default_rng((*plan.seed[:-1], OPACITY_STREAM)).random() < share
    drawn = draw_opacity(np.random.default_rng((*plan.seed, OPACITY_STREAM)))
    return replace(plan, opacity=drawn if affected else None, opacity_asked=True)


def _with_residue(plan: FilmPlan, share: float) -> FilmPlan:
    """Return the plan with what a drained pneumothorax leaves, where there is a tube and no finding."""
    if not share or plan.finding is not None or not plan.tube:
        return plan
    drawn = draw_pneumothorax(np.random.default_rng((*plan.seed, RESIDUE_STREAM)))
    return replace(plan, residue=replace(drawn, side=plan.tube_side, contrast=share * drawn.contrast))


def _plan_patient(options: SyntheticOptions, split: Split, seed: tuple[int, int, int]) -> list[FilmPlan]:
    """Draw one patient's films, none of them with a tube yet."""
    rng = np.random.default_rng(seed)
    anatomy = draw_anatomy(rng)
    affected = rng.random() < options.prevalence / AFFECTED_FILM_POSITIVE
    sex, age = str(rng.choice(["F", "M"])), int(rng.integers(18, 90))
    side = int(rng.choice([-1, 1]))
    plans = []
    for number in range(int(rng.choice(4, p=FILMS_PER_PATIENT)) + 1):
        drawn = draw_pneumothorax(rng)
        finding = drawn if affected and rng.random() < AFFECTED_FILM_POSITIVE else None
        side = finding.side if finding else side
        ipsilateral = rng.random() < options.ipsilateral
        plans.append(
            FilmPlan(
                sample_id=f"{split}-{seed[2]:05d}-{number}",
                patient_id=f"{split}-{seed[2]:05d}",
                split=split,
                anatomy=anatomy,
                finding=finding,
                tube=False,
                leads=bool(rng.random() < LEADS_RATE),
                tube_side=side if ipsilateral else -side,
                leads_side=int(rng.choice([-1, 1])),
                sex=sex,
                age=age,
                seed=(*seed, number),
            )
        )
    return plans


def _with_tubes(
    plans: list[FilmPlan], options: SyntheticOptions, link: float, rng: np.random.Generator
) -> list[FilmPlan]:
    """Give tubes to exactly the wanted share of either class.

    The films with the largest link * severity + serial * film + logistic noise get one: a logistic model whose
    intercept is whatever makes the share exact. Exact shares keep a chance association, which a model
    would learn, out of the set that is to have none.
    """
    noise = rng.logistic(size=len(plans))
    severity = [np.log(p.finding.area / AREA_MEDIAN) / AREA_SIGMA if p.finding else 0.0 for p in plans]
    later = np.array([plan.seed[-1] for plan in plans])
    inclination = link * np.array(severity) + noise + options.serial * later
    positive = np.array([plan.finding is not None for plan in plans])
    tube = np.zeros(len(plans), dtype=bool)
    for rows, rate in ((positive, options.tube_given_finding), (~positive, options.tube_given_none)):
        ranked = np.flatnonzero(rows)[np.argsort(-inclination[rows], kind="stable")]
        tube[ranked[: round(rate * len(ranked))]] = True
    return [replace(plan, tube=bool(given)) for plan, given in zip(plans, tube, strict=True)]


def render(plan: FilmPlan, size: int) -> tuple[dict[bool, Floats], dict[str, Mask]]:
    """Render one film in both states of the tube, with identical noise.

    Returns:
        The film (H, W) in [0, 1] with (True) and without (False) the tube, and a mask for each
        structure and device; the devices' masks are where they are (or would be) drawn.
    """
    rng = np.random.default_rng(plan.seed)
    film = draw_film(rng, plan.anatomy, plan.finding or plan.residue, size=size)
    tube, leads = SPURIOUS.get(TUBE), SPURIOUS.get(LEADS)
    tube_params = tube.draw(rng, side=plan.tube_side)
    leads_params = leads.draw(rng, side=plan.leads_side)
    with_leads, leads_mask = leads.apply(film.clean, leads_params)
    base = with_leads if plan.leads else film.clean
    masks = {**film.masks, LEADS: leads_mask}
    if plan.opacity is not None:
        cloud, masks[OPACITY] = render_opacity(plan.opacity, film.masks["lungs"] & ~film.masks[FINDING])
        base = base + cloud
    with_tube, masks[TUBE] = tube.apply(base, tube_params)
    return {True: film.develop(with_tube), False: film.develop(base)}, masks


def _write_film(plan: FilmPlan, root: Path, size: int) -> dict[str, Any]:
    shown, masks = render(plan, size)
    name = f"{plan.sample_id}.png"
    _save_grey(shown[plan.tube], root / "images" / name)
    _save_grey(shown[not plan.tube], root / "switched" / name)
    present = {TUBE: plan.tube, LEADS: plan.leads, FINDING: plan.finding is not None}
    paths: dict[str, str | None] = {}
    for structure, mask in masks.items():
        if not present.get(structure, True):
            paths[structure] = None
            continue
        paths[structure] = f"masks/{plan.sample_id}.{structure}.png"
        Image.fromarray(mask).save(root / paths[structure])  # type: ignore[operator]
    return _row(plan, name, paths, float(masks[FINDING].mean()))


def _save_grey(film: Floats, path: Path) -> None:
    Image.fromarray(np.round(film * 255).astype(np.uint8)).save(path, compress_level=1)


def _row(plan: FilmPlan, name: str, paths: dict[str, str | None], area: float) -> dict[str, Any]:
    structures = ("lungs", "ribs", "heart", "clavicles", FINDING, *((OPACITY,) if plan.opacity_asked else ()))
    labels = {FINDING: plan.finding, **({OPACITY: plan.opacity} if plan.opacity_asked else {})}
    return {
        "sample_id": plan.sample_id,
        "image": f"images/{name}",
        "patient_id": plan.patient_id,
        "split": plan.split,
        **{f"label.{name}": str(int(found is not None)) for name, found in labels.items()},
        f"attribute.{TUBE}": str(int(plan.tube)),
        f"attribute.{LEADS}": str(int(plan.leads)),
        **{f"mask.{structure}": paths.get(structure) for structure in structures},
        f"footprint.{TUBE}": paths[TUBE],
        f"footprint.{LEADS}": paths[LEADS],
        f"counterpart.{TUBE}": f"switched/{name}",
        f"severity.{FINDING}": f"{area:.6f}" if plan.finding else None,
        "sex": plan.sex,
        "age": str(plan.age),
        **({"covariate.film": str(plan.seed[-1])} if plan.serial_asked else {}),
    }
