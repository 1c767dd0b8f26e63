"""What all stages of a run share: its folder, its manifest, and films decoded once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shortcut_audit.audit.table.groups import composite_terms
from shortcut_audit.config import Config
from shortcut_audit.data.classes import ClassRule, class_masks, parse_class
from shortcut_audit.data.datasets import RENDERED, open_dataset
from shortcut_audit.data.labels import apply_label_policy, taught_labels
from shortcut_audit.data.manifest import Manifest, Split, read_manifest
from shortcut_audit.data.pixel_cache import film_pixels
from shortcut_audit.data.quarantine import Quarantine
from shortcut_audit.errors import InputError, UsageError, did_you_mean
from shortcut_audit.runs import Run
from shortcut_audit.runtime import say
from shortcut_audit.shapes import Bools, Bytes8, Floats

MANIFEST = ("manifest.csv", "manifest.json")


@dataclass(frozen=True, kw_only=True, eq=False)
class Films:
    """Decoded films of one split: manifest rows, pixels (N, C, S, S) uint8, labels (N, F) with NaN for unknown."""

    manifest: Manifest
    pixels: Bytes8
    labels: Floats
    quarantine: Quarantine


class Study:
    """A run at work.

    Args:
        run: the run folder.
        config: what is computed; the run's own, or with other questions asked.
        manifest: the films.
    """

    def __init__(self, run: Run, config: Config, manifest: Manifest) -> None:
        self.run = run
        self.config = config
        self.manifest = manifest
        self.findings = findings_asked(config, manifest)
        self._films: dict[Split, Films] = {}

    def cleaned(self, rules: list[str], *, seed: int | None = None) -> Study:
        """Return the same run and films, where other rules clean pseudo-masks, and with another seed."""
        segmenter = self.config.segmenter.model_copy(update={"cleaning": rules})
        update = {"segmenter": segmenter, "seed": self.config.seed if seed is None else seed}
        other = Study(self.run, self.config.model_copy(update=update), self.manifest)
        other._films = self._films
        return other

    def films(self, split: Split) -> Films:
        """Return the films of a split, read at the first call; unreadable ones are left out."""
        if split not in self._films:
            rows = self.manifest.split(split)
            image = self.config.image
            pixels, quarantine = film_pixels(rows, size=image.size, channels=image.channels)
            kept = rows.select(quarantine.kept)
            for reason in quarantine.reasons.values():
                say(f"image left out: {reason}")
            self._films[split] = Films(
                manifest=kept, pixels=pixels, labels=self.known_labels(kept), quarantine=quarantine
            )
        return self._films[split]

    def known_labels(self, manifest: Manifest) -> Floats:
        """Return labels (N, F) after the policy for uncertain and missing ones."""
        policy = self.config.dataset
        return apply_label_policy(manifest.labels(self.findings), uncertain=policy.uncertain, blank=policy.blank)

    def taught_labels(self, manifest: Manifest) -> Floats:
        """Return labels (N, F) as a classifier learns them: -1 stays where the policy makes it a class."""
        policy = self.config.dataset
        return taught_labels(manifest.labels(self.findings), uncertain=policy.uncertain, blank=policy.blank)

    def rules(self) -> dict[str, ClassRule]:
        """Return the classes that drawn masks are to teach.

        Without ``classes`` in the configuration: every finding that has drawn masks.

        Raises:
            UsageError: there are none.
        """
        texts = self.config.classes or {name: name for name in self.findings if name in self.manifest.structures}
        if not texts:
            have = ", ".join(self.manifest.structures) or "none"
            raise UsageError(
                f"the data set '{self.manifest.card.name}' has no drawn mask of a finding (masks: {have}); "
                "say in 'classes:' what to learn, as in 'malignant: lesion where melanoma = 1'"
            )
        return {name: parse_class(text) for name, text in texts.items()}

    def inputs(self, *sections: str, **more: Any) -> dict[str, Any]:
        """Return what decides a stage's outputs: data, seed, sections of the configuration, and more."""
        tree = self.config.model_dump(mode="json")
        return {
            "manifest": self.manifest.fingerprint,
            "seed": self.config.seed,
            "image": tree["image"],
            "labels": [tree["dataset"]["uncertain"], tree["dataset"]["blank"], list(self.findings)],
            **{section: tree[section] for section in sections},
            **more,
        }


def begin(run: Run, config: Config) -> Study:
    """Open the data set, keep its manifest in the run folder, and return the study.

    A synthetic set without a root is rendered into the run folder.

    """
    dataset = config.dataset
    if dataset.name in RENDERED:
        options = {"size": config.image.size, "seed": config.seed, **dataset.options}
        root = dataset.root or str((run.folder / "films").resolve())
        dataset = dataset.model_copy(update={"options": options, "root": root})
    if all(run.intact(name) for name in MANIFEST):
        manifest = read_manifest(run.folder)
    else:
        manifest = open_dataset(dataset)

        def keep() -> None:
            manifest.save(run.folder)

        run.stage("data", inputs={"manifest": manifest.fingerprint}, outputs=MANIFEST, work=keep)
    return Study(run, config, manifest)


def findings_asked(config: Config, manifest: Manifest) -> tuple[str, ...]:
    """Return the findings that the configuration names, else all of the data set."""
    asked = tuple(config.classifier.findings)
    for name in asked:
        manifest.require("label", name)
    if not manifest.findings:
        raise InputError(f"the data set '{manifest.card.name}' has no label; name label columns in its table")
    return asked or manifest.findings


def answers(rule: ClassRule, findings: tuple[str, ...]) -> str | None:
    """Return the finding that a class's probability speaks of, None if of none.

    ``malignant: lesion where melanoma = 1`` speaks of melanoma, ``pneumothorax: pneumothorax`` of
    pneumothorax, ``lungs: lungs`` of no finding.
    """
    if rule.finding is not None:
        return rule.finding if rule.value == 1 and rule.finding in findings else None
    return rule.structure if rule.structure in findings else None


def class_labels(study: Study, films: Films, rules: dict[str, ClassRule]) -> Floats:
    """Return, for each class, the labels (N, K) of the finding it speaks of; NaN for those of none."""
    labels = np.full((len(films.manifest), len(rules)), np.nan)
    for k, rule in enumerate(rules.values()):
        if (finding := answers(rule, study.findings)) is not None:
            labels[:, k] = films.labels[:, study.findings.index(finding)]
    return labels


def drawn_masks(films: Films, rules: dict[str, ClassRule], size: int) -> tuple[Bools, Bools]:
    """Return masks and known pixels, each (N, K, S, S)."""
    return class_masks(films.manifest, list(rules.values()), size)


def suggest_attribute(manifest: Manifest, name: str) -> UsageError:
    """Return the error for an attribute that the data set does not have, listing what helps."""
    have = manifest.attributes
    helps = ["a table of it, joined by path, UID or id: --attributes FILE.csv"]
    if "support_devices" in have:
        helps.append("a named proxy: --spurious support_devices")
    helps.append("another data set that has it: --dataset NAME (see 'audit list datasets')")
    return UsageError(
        f"the data set '{manifest.card.name}' has no attribute '{name}'{did_you_mean(name, have)}; "
        f"it has: {', '.join(have) or 'none'}. What helps: " + "; ".join(helps)
    )


def need_attributes(config: Config, manifest: Manifest) -> None:
    """Raise UsageError if none is asked about, or one that the data set does not have (``A+B`` names two)."""
    have = manifest.attributes
    if not config.evaluate.spurious:
        raise UsageError(
            "which spurious attribute? Name it with --spurious NAME, as in --spurious chest_tube "
            f"(the data set '{manifest.card.name}' has: {', '.join(have) or 'none'})"
        )
    for asked in config.evaluate.spurious:
        for term in composite_terms(asked, have):
            if term not in have and term.partition("=")[0] not in have:
                raise suggest_attribute(manifest, term.partition("=")[0])


def told_by(study: Study, classes: tuple[str, ...]) -> dict[int, str]:
    """Return which channel of a segmenter speaks of which finding."""
    rules = study.rules() if study.config.classes else {}
    told = {
        k: answers(rules[name], study.findings) if name in rules else name
        for k, name in enumerate(classes)
        if name in rules or name in study.findings
    }
    return {k: finding for k, finding in told.items() if finding is not None}
