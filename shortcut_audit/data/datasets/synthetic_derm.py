"""Synthetic dermoscopic images: five artefacts with planted rates, each image also with each artefact switched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import ndtr

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS
from shortcut_audit.data.derm_artefacts import ARTEFACTS, Artefact, Params, draw, lay
from shortcut_audit.data.lesion import NOISE_SD, Lesion, Skin, draw_lesion, draw_skin, render_lesion
from shortcut_audit.data.manifest import SPLITS, DataCard, Manifest, Split
from shortcut_audit.data.rendered import options_of, render_all, rendered_before, with_errors
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
    rates: dict[Artefact, tuple[Share, Share]] = {}
    size_link: float = 0.0
    distance: float = Field(default=1.6, ge=0)
    label_error: float = Field(default=0.0, ge=0, lt=0.5)
    attribute_error: float = Field(default=0.0, ge=0, lt=0.5)
    seed: int = 0


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
    rates = {**PLANTED, **options.rates}
    card = DataCard(
        name=config.title or "synthetic dermoscopic images",
        source="rendered by shortcut-audit",
        licence="Apache-2.0",
        release=fingerprint({"derm": 1, **options.model_dump(mode="json")})[:12],
        test_design=config.test_design or "natural",
        pairs="exact",
        notes=(
            *(f"P({name} | malignant) = {a}, P({name} | benign) = {b}" for name, (a, b) in rates.items()),
            f"the lesion alone ranks with an AUROC of at most {ndtr(options.distance / 2**0.5):.3f}, its size apart",
        ),
    )
    if (found := rendered_before(root, card.release)) is not None:
        return found
    for folder in ("images", "switched", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    rows = render_all(plan_images(options), write_image, root, options.size, what="Rendering dermoscopic images")
    rows = with_errors(rows, labels=options.label_error, attributes=options.attribute_error, seed=options.seed)
    manifest = Manifest.from_frame(
        pl.DataFrame(rows, infer_schema_length=None), card=card, root=root, where=str(root / "manifest.csv")
    )
    manifest.save(root)
    return manifest


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
