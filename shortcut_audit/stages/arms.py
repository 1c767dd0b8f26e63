"""Ways to fine-tune, compared on nested shares of the drawn masks: each training is a stage of its own.

What was trained is kept: a run that was killed goes on with the next training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shortcut_audit.audit.arms.numbers import arm_numbers, reaches
from shortcut_audit.audit.arms.result import (
    LONG,
    ArmsResult,
    CheckRecord,
    Learnt,
    Pixels,
    Rate,
    Training,
    read_training,
)
from shortcut_audit.config.finetune import ArmName, FinetuneConfig
from shortcut_audit.data.manifest import Manifest, Split
from shortcut_audit.data.splits import hash_fraction
from shortcut_audit.errors import UsageError
from shortcut_audit.models.card import SegmenterCard
from shortcut_audit.models.checkpoint import load_as, save_learnt
from shortcut_audit.models.overlap import Overlap
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.provenance import collect_provenance, command_line, write_atomic
from shortcut_audit.report.arms import write_arms_report
from shortcut_audit.runs import Run
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools
from shortcut_audit.stages.learn import PRETRAINED, check_memory, need_drawn, outputs
from shortcut_audit.stages.study import MANIFEST, Study, drawn_masks
from shortcut_audit.training.train_arm import DrawnFilms, Start, begin_arm, overlap_on, train_arm

RESULT = "arms.json"
FOLDER = "arms"
SALT = "shortcut-audit/labels/"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One training: which arm, on which share of the labels, with which seed and learning rate, for how many steps."""

    arm: ArmName
    fraction: float
    seed: int
    learning_rate: float
    steps: int

    @property
    def name(self) -> str:
        """Its name on disk."""
        return f"{self.arm}-{100 * self.fraction:g}pct-seed{self.seed}-lr{self.learning_rate:g}-{self.steps}steps"


class Arms:
    """The comparison at work: what is drawn, and every training once.

    Args:
        study: the run at work.
        source: the run that holds the pre-trained segmenter.
    """

    def __init__(self, study: Study, source: Run) -> None:
        self.study, self.source = study, source
        self.config = study.config
        self.rules = study.rules()
        self._digest = source.digest(PRETRAINED)

    @cached_property
    def start(self) -> Start:
        """The pre-trained segmenter and its SHA-256."""
        return load_as(self.source.path(PRETRAINED), Segmenter), self._digest

    @cached_property
    def train(self) -> DrawnFilms:
        """All training films."""
        return self._drawn("train")

    @cached_property
    def val(self) -> DrawnFilms:
        """All validation films: they choose learning rate and checkpoint."""
        return self._drawn("val")

    @cached_property
    def test(self) -> DrawnFilms:
        """All test films."""
        return self._drawn("test")

    def _drawn(self, split: Split) -> DrawnFilms:
        films = self.study.films(split)
        check_memory(len(films.manifest), len(self.rules), self.config.image.size)
        masks, known = drawn_masks(films, self.rules, self.config.image.size)
        need_drawn(masks, known, tuple(self.rules), split)
        return DrawnFilms(ids=films.manifest.ids, pixels=films.pixels, masks=masks, known=known)

    def check_start(self) -> None:
        """Build every arm before any is trained.

        Raises:
            UsageError: the pre-trained segmenter is another network than the one that is configured.
        """
        settings, image = self.config.segmenter, self.config.image
        card = SegmenterCard(
            architecture=settings.architecture, encoder=settings.encoder, activation=settings.activation,
            decoder_channels=tuple(settings.decoder_channels), classes=tuple(self.rules), channels=image.channels,
            size=image.size, mean=(0.0,) * image.channels, std=(1.0,) * image.channels, seed=0,
        )  # fmt: skip
        for arm in self.config.finetune.arms:
            begin_arm(arm, card, self.start, adapter_width=self.config.finetune.adapter_width, weights=settings.weights)

    def keep_start(self) -> None:
        """Put the pre-trained segmenter beside weights that are without its encoder: they are read together."""
        settings = self.config.finetune
        if not settings.keep_weights or not {"frozen", "adapters"} & set(settings.arms):
            return

        def work() -> None:
            for name in outputs(PRETRAINED):
                write_atomic(self.study.run.path(f"{FOLDER}/{name}"), self.source.path(name).read_bytes())

        kept = [f"{FOLDER}/{name}" for name in outputs(PRETRAINED)]
        self.study.run.stage("arms' start", inputs={"start": self._digest}, outputs=kept, work=work)

    def learn(self, unit: Unit) -> Training:
        """Train once, or take what was trained before."""
        output = f"{FOLDER}/{unit.name}.json"
        weights = [f"{FOLDER}/{unit.name}.weights{end}" for end in (".safetensors", ".json")]
        kept = weights if self.config.finetune.keep_weights else []
        settings = self.config.finetune
        self.study.run.stage(
            f"arm {unit.name}",
            inputs=self.study.inputs(
                "segmenter", "classes", start=self._digest, check_every=settings.check_every,
                adapter_width=settings.adapter_width,
            ),
            outputs=[output, *kept], work=lambda: self._work(unit, output, kept),
        )  # fmt: skip
        return read_training(self.study.run.path(output))

    def _work(self, unit: Unit, output: str, kept: Sequence[str]) -> None:
        rows = share_of_labels(self.study.films("train").manifest, self.train.drawn, unit.fraction, unit.seed)
        trained = train_arm(
            unit.arm, train=self.train.select(rows), val=self.val, classes=tuple(self.rules),
            segmenter=self.config.segmenter, finetune=self.config.finetune, image=self.config.image,
            start=self.start, seed=unit.seed,
            learning_rate=unit.learning_rate, steps=unit.steps, trained_on=self.study.manifest.fingerprint,
            what=f"Training {unit.name}",
        )  # fmt: skip
        patients = self.study.films("train").manifest.select(rows).frame["patient_id"].n_unique()
        told = Training(
            arm=unit.arm, fraction=unit.fraction, seed=unit.seed, learning_rate=unit.learning_rate,
            steps=trained.checks[-1].step, images=int(rows.sum()), patients=patients, learnt=trained.learnt,
            chosen=trained.segmenter.card.chosen,
            checks=tuple(CheckRecord(step=one.step, seconds=one.seconds, dice=one.dice) for one in trained.checks),
            test=_pixels(overlap_on(trained.segmenter, self.test), tuple(self.rules)),
        )  # fmt: skip
        if kept:
            save_learnt(trained.segmenter, self.study.run.path(kept[0]))
        write_atomic(self.study.run.path(output), told.model_dump_json() + "\n")


def compare_arms(study: Study, source: Run) -> ArmsResult:
    """Train every arm on every share of the labels; write ``arms.json``, ``arms.csv`` and ``arms.html``.

    Raises:
        UsageError: the pre-trained segmenter does not fit, or nothing that was asked for can be trained.
        InputError: a split has no drawn mask.
    """
    arms, settings = Arms(study, source), study.config.finetune
    arms.check_start()
    arms.keep_start()
    rates = [rate for arm in settings.arms for rate in _try_rates(arms, arm)]
    taken = {rate.arm: rate.learning_rate for rate in rates if rate.taken}
    trainings = [
        arms.learn(Unit(arm=arm, fraction=share, seed=seed, learning_rate=taken[arm], steps=settings.steps))
        for seed in settings.seeds for share in settings.fractions for arm in settings.arms
    ]  # fmt: skip
    before = pretraining_steps(source, arms.start[0])
    share, alone = settings.same_compute_fraction, _why_not_long(settings)
    if alone:
        say(alone)
    elif share is not None:
        steps = settings.steps + before
        long = [
            arms.learn(
                Unit(arm="scratch", fraction=share, seed=seed, learning_rate=taken["scratch"], steps=steps)
            ).model_copy(update={"arm": LONG})
            for seed in settings.seeds
        ]
        trainings += long
    result = _result(arms, trainings, rates, before)
    for path in write_arms_report(result, study.run.path(RESULT)):
        say(f"written: {path}")
    return result


def _why_not_long(settings: FinetuneConfig) -> str | None:
    """Return why nothing is trained from scratch for the compute of both, although that is asked for."""
    share = settings.same_compute_fraction
    if share is None or (share in settings.fractions and "scratch" in settings.arms):
        return None
    lacking = "the arm 'scratch'" if share in settings.fractions else f"{share:g} among finetune.fractions"
    return (
        f"nothing is trained from scratch with the steps of pre-training added (finetune.same_compute_fraction: "
        f"{share:g}): it would stand beside nothing without {lacking}"
    )


def _try_rates(arms: Arms, arm: ArmName) -> list[Rate]:
    """Train an arm with every learning rate on one share of the labels; the best validation Dice takes it.

    Of equals the smallest rate is taken.

    Raises:
        UsageError: with no rate a validation Dice is defined.
    """
    settings = arms.config.finetune
    dice: dict[float, float | None] = {}
    for rate in sorted(settings.learning_rates):
        unit = Unit(
            arm=arm, fraction=settings.tune_fraction, seed=settings.seeds[0], learning_rate=rate, steps=settings.steps
        )
        dice[rate] = arms.learn(unit).best
    known = {rate: value for rate, value in dice.items() if value is not None}
    if not known:
        raise UsageError(
            f"no validation film has a drawn mask of {', '.join(arms.rules)} that is not empty, so no learning rate "
            "can be chosen; add validation films with masks"
        )
    best = max(known, key=lambda rate: (known[rate], -rate))
    return [Rate(arm=arm, learning_rate=rate, dice=value, taken=rate == best) for rate, value in dice.items()]


def share_of_labels(manifest: Manifest, drawn: Bools, fraction: float, seed: int) -> Bools:
    """Return which training films (N,) belong to a share of the patients with drawn masks.

    Patients are put in an order by a hash of their id and the seed, and the first ones are taken: a smaller share
    lies inside a larger one, whatever else the data set holds. At least one patient.
    """
    ids = manifest.frame["patient_id"].to_numpy()
    has = drawn.any(axis=1)
    order = sorted({str(one) for one in ids[has]}, key=lambda one: hash_fraction(one, f"{SALT}{seed}"))
    taken = set(order[: max(1, math.ceil(fraction * len(order) - 1e-9))])
    return has & np.array([str(one) in taken for one in ids], dtype=bool)


def pretraining_steps(source: Run, pretrained: Segmenter) -> int:
    """Return how many steps pre-training took: its epochs times the whole batches of its training films."""
    from shortcut_audit.data.manifest import read_manifest

    films = len(read_manifest(source.folder).split("train"))
    return len(pretrained.card.history) * max(1, films // source.config.segmenter.batch_size)


def _pixels(found: Overlap, classes: tuple[str, ...]) -> dict[str, Pixels]:
    return {
        name: Pixels(
            both=tuple(found.both[:, k].tolist()),
            predicted=tuple(found.predicted[:, k].tolist()),
            drawn=tuple(
                count if known else None
                for count, known in zip(found.drawn[:, k].tolist(), found.known[:, k].tolist(), strict=True)
            ),
        )
        for k, name in enumerate(classes)
    }


def _result(arms: Arms, trainings: Sequence[Training], rates: Sequence[Rate], before: int) -> ArmsResult:
    study = arms.study
    patients = study.films("test").manifest.frame["patient_id"].to_list()
    listed = [
        Learnt(best=one.best, seconds=one.seconds, **one.model_dump(exclude={"checks", "test"})) for one in trainings
    ]
    unreadable = [study.films(split).quarantine.note() for split in ("train", "val", "test")]
    notes = [*unreadable, _why_not_long(study.config.finetune)]
    return ArmsResult(
        title=f"Ways to fine-tune on {study.manifest.card.name}",
        provenance=collect_provenance(
            command=command_line(), config=study.config.model_dump(mode="json"), seed=study.config.seed,
            inputs={"manifest": study.run.digest(MANIFEST[0]), "pretrained": arms.start[1]},
        ),
        pretrained=arms.start[1], pretraining_steps=before, test_images=len(patients),
        test_patients=len(set(patients)),
        numbers=tuple(arm_numbers(trainings, patients, study.config.evaluate.confidence)),
        reaches=tuple(reaches(trainings, study.config.finetune.dice_levels)),
        rates=tuple(rates), trainings=tuple(listed), notes=tuple(filter(None, notes)),
    )  # fmt: skip
