"""Synthetic dermoscopic images: five artefacts with planted rates, each image also with each artefact switched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy.special import ndtr

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS
from shortcut_audit.data.derm_artefacts import ARTEFACTS, Artefact, Params, draw, lay
from shortcut_audit.data.knobs import options_of
from shortcut_audit.data.lesion import NOISE_SD, Lesion, Skin, draw_lesion, draw_skin, render_lesion
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest, Split
from shortcut_audit.data.rendered import Row, error_notes, films, render_all, with_errors
from shortcut_audit.errors import did_you_mean
from shortcut_audit.provenance import fingerprint
from shortcut_audit.shapes import Floats, Mask

Share = Annotated[float, Field(ge=0, le=1)]
FINDING = "malignant"
LESION = "lesion"
IMAGES_PER_PATIENT = (0.7, 0.2, 0.1)
PLANTED: dict[Artefact, tuple[float, float]] = {
    "ruler": (0.7, 0.2), "hair": (0.4, 0.4), "gel_bubble": (0.3, 0.3), "dark_corner": (0.3, 0.3), "ink": (0.2, 0.2),
}  # fmt: skip


class DermOptions(BaseModel):
    """Knobs of the generator (``dataset.options`` in a configuration).

    ``rates`` holds P(artefact | malignant) and P(artefact | benign); an artefact that is left out keeps its default,
    and only the ruler goes with the label by default. ``size_link`` makes malignant lesions larger, in SD of log
    area. ``distance`` is that of the classes in SD of the lesion's irregularity: 1.6 leaves an AUROC of at most .871.
    ``label_error`` and ``attribute_error`` are shares of labels that are wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=96, ge=32, le=1024)
    train: int = Field(default=600, ge=8)
    val: int = Field(default=150, ge=8)
    test: int = Field(default=500, ge=8)
    prevalence: float = Field(default=0.4, gt=0, lt=1)
    rates: dict[Artefact, tuple[Share, Share]] = Field(
        default={},
        description="two shares from 0 to 1 an artefact, among malignant and among benign, as in {ruler: [.9, .1]}",
    )
    size_link: float = Field(default=0.0, ge=-2, le=2)
    distance: float = Field(default=1.6, ge=0, le=5)
    label_error: float = Field(default=0.0, ge=0, lt=0.5)
    attribute_error: float = Field(default=0.0, ge=0, lt=0.5)
    seed: int = Field(default=0, ge=0)

    @field_validator("rates", mode="before")
    @classmethod
    def _artefacts_there_are(cls, rates: object) -> object:
        for name in rates if isinstance(rates, dict) else ():
            if name not in ARTEFACTS:
                guess = did_you_mean(str(name), ARTEFACTS)
                raise ValueError(f"there is no artefact '{name}'{guess}; there are: {', '.join(ARTEFACTS)}")
        return rates


@dataclass(frozen=True, kw_only=True)
class DermPlan:
    """Every choice that makes one image, drawn before anything is rendered."""

    sample_id: str
    patient_id: str
    split: Split
    malignant: bool
    skin: Skin
    lesion: Lesion
    artefacts: dict[Artefact, Params]
    present: frozenset[Artefact]
    sex: str
    age: int
    seed: tuple[int, ...]


@DATASETS.register("synthetic_derm")
def synthetic_derm(root: Path, config: DatasetConfig) -> Manifest:
    """Dermoscopic images rendered here, with ruler, hair, gel bubbles, dark corners, ink and exact counterparts."""
    options = options_of(DermOptions, config)
    card = DataCard(
        name=config.title or "synthetic dermoscopic images",
        source="rendered by shortcut-audit",
        licence="Apache-2.0",
        release=fingerprint({"derm": 2, **options.model_dump(mode="json")})[:12],
        test_design=config.test_design or "natural",
        pairs="exact",
        notes=notes(options),
    )

    def make() -> list[Row]:
        rows = render_all(plan_images(options), write_image, root, options.size, what="Rendering dermoscopic images")
        return with_errors(rows, labels=options.label_error, attributes=options.attribute_error, seed=options.seed)

    return films(root, card, make)


def notes(options: DermOptions) -> tuple[str, ...]:
    """Return what the images were made to be, and every knob that is not as it is by default."""
    usual = DermOptions()
    turned = {
        "prevalence": f"a share of {options.prevalence:g} of the lesions is malignant (prevalence)",
        "size_link": (
            f"malignant lesions are larger by {options.size_link:g} SD of log area (size_link): their size tells"
        ),
    }
    return (
        *(
            f"P({name} | malignant) = {a}, P({name} | benign) = {b}"
            for name, (a, b) in (PLANTED | options.rates).items()
        ),
        f"the lesion alone ranks with an AUROC of at most {ndtr(options.distance / 2**0.5):.3f}, its size apart",
        *(text for knob, text in turned.items() if getattr(options, knob) != getattr(usual, knob)),
        *error_notes(labels=options.label_error, attributes=options.attribute_error),
    )


def plan_images(options: DermOptions) -> list[DermPlan]:
    """Draw all choices for all images; equal options give equal plans."""
    plans = []
    for code, split in enumerate(SPLITS):
        wanted, patient = getattr(options, split), 0
        rng = np.random.default_rng((options.seed, code))
        malignant = rng.permutation(np.arange(wanted) < round(options.prevalence * wanted))
        present = _given(malignant, {**PLANTED, **options.rates}, options.seed, code)
        made: list[DermPlan] = []
        while len(made) < wanted:
            images = np.random.default_rng((options.seed, code, patient)).choice(3, p=IMAGES_PER_PATIENT) + 1
            for number in range(min(int(images), wanted - len(made))):
                at = len(made)
                seed = (options.seed, code, patient, number)
                made.append(_plan(options, split, seed, malignant=bool(malignant[at]), present=present[at]))
            patient += 1
        plans += made
    return plans


def _given(
    malignant: np.ndarray, rates: dict[Artefact, tuple[float, float]], seed: int, code: int
) -> list[frozenset[Artefact]]:
    """Give every artefact to exactly the wanted share of either class, each apart from all others."""
    has = {}
    for place, name in enumerate(ARTEFACTS):
        rng = np.random.default_rng((seed, code, 2**20, place))  # another artefact's rate changes nothing here
        has[name] = np.zeros(len(malignant), dtype=bool)
        for rows, rate in zip((malignant, ~malignant), rates[name], strict=True):
            order = rng.permutation(np.flatnonzero(rows))
            has[name][order[: round(rate * len(order))]] = True
    return [frozenset(name for name in ARTEFACTS if has[name][at]) for at in range(len(malignant))]


def _plan(
    options: DermOptions, split: Split, seed: tuple[int, ...], *, malignant: bool, present: frozenset[Artefact]
) -> DermPlan:
    person, rng = np.random.default_rng(seed[:-1]), np.random.default_rng(seed)
    skin, sex, age = draw_skin(person), str(person.choice(["F", "M"])), int(person.integers(18, 90))
    sign = 1 if malignant else -1
    return DermPlan(
        sample_id=f"{split}-{seed[2]:05d}-{seed[3]}",
        patient_id=f"{split}-{seed[2]:05d}",
        split=split,
        malignant=malignant,
        skin=skin,
        lesion=draw_lesion(rng, irregularity=sign * options.distance / 2, larger=sign * options.size_link / 2),
        artefacts={name: draw(name, rng) for name in ARTEFACTS},
        present=present,
        sex=sex,
        age=age,
        seed=seed,
    )


def render(plan: DermPlan, size: int) -> tuple[Floats, dict[Artefact, Floats], dict[str, Mask]]:
    """Return the image (H, W, 3) in [0, 1], the same with each artefact switched, and all masks.

    Noise is the same in all of them; the mask of an artefact is where it is, or would be.
    """
    bare, lesion = render_lesion(plan.skin, plan.lesion, size=size)
    noise = np.random.default_rng((*plan.seed, 1)).normal(0, NOISE_SD, size=bare.shape)
    layers = {name: lay(name, params, size) for name, params in plan.artefacts.items()}

    def seen(present: frozenset[Artefact]) -> Floats:
        image = bare
        for name in ("gel_bubble", "ink", "ruler", "hair", "dark_corner"):  # from the skin to the lens
            image = layers[name].over(image) if name in present else image
        return np.clip(image + noise, 0, 1)

    switched = {name: seen(plan.present ^ {name}) for name in ARTEFACTS}
    return seen(plan.present), switched, {LESION: lesion, **{name: layer.footprint for name, layer in layers.items()}}


def write_image(plan: DermPlan, root: Path, size: int) -> dict[str, Any]:
    """Write an image, its counterparts and masks; return its row of the manifest."""
    image, switched, masks = render(plan, size)
    name = plan.sample_id
    _save(image, root / f"images/{name}.png")
    for artefact, other in switched.items():
        _save(other, root / f"switched/{name}.{artefact}.png")
    paths: dict[str, str | None] = {}
    for what, mask in masks.items():
        there = what == LESION or what in plan.present
        paths[what] = f"masks/{name}.{what}.png" if there else None
        if there:
            Image.fromarray(mask).save(root / f"masks/{name}.{what}.png")
    area = f"{masks[LESION].mean():.6f}"
    return {
        "sample_id": name,
        "image": f"images/{name}.png",
        "patient_id": plan.patient_id,
        "split": plan.split,
        f"label.{FINDING}": str(int(plan.malignant)),
        **{f"attribute.{artefact}": str(int(artefact in plan.present)) for artefact in ARTEFACTS},
        f"mask.{LESION}": paths[LESION],
        **{f"footprint.{artefact}": paths[artefact] for artefact in ARTEFACTS},
        **{f"counterpart.{artefact}": f"switched/{name}.{artefact}.png" for artefact in ARTEFACTS},
        f"severity.{FINDING}": area if plan.malignant else None,
        "covariate.lesion_area": area,
        "sex": plan.sex,
        "age": str(plan.age),
    }


def _save(image: Floats, path: Path) -> None:
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(path, compress_level=1)
