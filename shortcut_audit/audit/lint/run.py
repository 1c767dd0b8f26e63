"""Lint itself: every clue to every finding, beside what nothing looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from shortcut_audit.audit.lint.leakage import find_leakage
from shortcut_audit.audit.lint.learner import aurocs, cross_fit, fitted_auroc, varying
from shortcut_audit.audit.lint.material import Material, gather, gather_reversed
from shortcut_audit.audit.lint.null import Null, against_null, exchanged
from shortcut_audit.audit.lint.probes import PROBES, Clue
from shortcut_audit.audit.lint.result import ClueRecord, LintResult, Said
from shortcut_audit.audit.statistics.estimate import Contrast, Estimate, Undefined, fields
from shortcut_audit.audit.statistics.metrics import Sampling
from shortcut_audit.config import Config
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import UsageError
from shortcut_audit.provenance import collect_provenance, command_line
from shortcut_audit.runtime import progress
from shortcut_audit.shapes import Bools, Floats

LEAST_PATIENTS = 5
"""Patients of either class: with fewer, some fold would have nothing to learn from."""
LEAST_PERMUTATIONS = 999
FALSE_DISCOVERIES = 0.05
"""Expected share of false alarms among all that is told (Benjamini and Hochberg 1995)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """One clue to one finding: its AUROC, and the null beside it where there is an AUROC."""

    finding: str
    probe: str
    clue: str
    found: Estimate | Undefined
    null: Null | None


def lint(manifest: Manifest, config: Config, *, probes: Sequence[str] = ()) -> LintResult:
    """Look for clues to the labels of a data set.

    Args:
        manifest: the data set.
        config: of its sections ``dataset`` (label policy) and ``evaluate`` (confidence, margin) are read, and the seed.
        probes: which probes; all if none is named.

    Raises:
        UsageError: an unknown probe, or a data set without a finding.
        InputError: more than max(3, 1 %) of the images cannot be read.
    """
    looks = [(name, PROBES.get(name)) for name in probes or PROBES.names()]
    if not manifest.findings:
        raise UsageError(f"the data set '{manifest.card.name}' has no label; lint asks what gives a label away")
    material = gather(manifest)
    leakage = find_leakage(manifest, [material, *gather_reversed(manifest)], seed=config.seed)
    policy = config.dataset
    labels = apply_label_policy(material.manifest.labels(), uncertain=policy.uncertain, blank=policy.blank)
    clues = [(name, clue) for name, look in looks for clue in look(material)]
    return LintResult(
        dataset=manifest.card.name,
        confidence=config.evaluate.confidence,
        margin=config.evaluate.margin,
        notes=(*manifest.card.notes, *material.notes),
        leakage=leakage,
        clues=_judged(_ask_all(material, labels, clues, config), config.evaluate.margin),
        provenance=collect_provenance(
            command=command_line(), config=config.model_dump(mode="json"), seed=config.seed,
            inputs={"manifest": manifest.fingerprint},
        ),
    )  # fmt: skip


def _ask_all(material: Material, labels: Floats, clues: list[tuple[str, Clue]], config: Config) -> list[Asked]:
    """Ask every clue about every finding; so many permutations that one clue alone could survive the search."""
    findings = material.manifest.findings
    pairs = [(at, probe, clue) for at in range(len(findings)) for probe, clue in clues if clue.own != findings[at]]
    most = max(LEAST_PERMUTATIONS, round(len(pairs) / FALSE_DISCOVERIES) - 1)
    asked = []
    with progress("Looking for clues", len(pairs), "clues") as bar:
        for at, probe, clue in pairs:
            found, null = _ask(material, labels[:, at], clue, config, most)
            asked.append(Asked(finding=findings[at], probe=probe, clue=clue.name, found=found, null=null))
            bar.advance()
    return asked


def _ask(
    material: Material, label: Floats, clue: Clue, config: Config, most: int
) -> tuple[Estimate | Undefined, Null | None]:
    """Return the cross-fitted AUROC of a clue and its null."""
    rows = np.flatnonzero(clue.rows & ~np.isnan(label))
    positive, features, patients = label[rows] == 1, clue.features[rows], material.patients[rows]
    clusters = np.unique(patients, return_inverse=True)[1]
    sampling = Sampling(
        clusters=clusters, weights=np.ones(len(rows)), n_clusters=int(clusters.max(initial=-1)) + 1, unit="patient"
    )
    reason = _unfit(features, positive, clusters)
    folds = [] if reason else cross_fit(features, clusters)
    whole = None if reason else fitted_auroc(folds, positive, sampling)
    if whole is None:
        reason = reason or "no fold holds films of both classes"
        return Contrast(sampling=sampling, reason=reason, rows=(positive, ~positive)).estimate(0.95), None
    rng = np.random.default_rng(config.seed)
    null = against_null(whole.value, lambda count: aurocs(folds, exchanged(positive, clusters, rng, count)), most)
    contrast = Contrast(sampling=sampling, parts=((1.0, whole),), rows=(positive, ~positive))
    return contrast.estimate(config.evaluate.confidence), null


def _unfit(features: Floats, positive: Bools, clusters: np.ndarray) -> str | None:
    """Return why nothing can be learnt from these films, None if something can."""
    for said, rows in (("positives", positive), ("negatives", ~positive)):
        patients = len(np.unique(clusters[rows]))
        if patients < LEAST_PATIENTS:
            return f"the {said} with it are of {patients} patients, at least {LEAST_PATIENTS} are needed"
    if not varying(features).any():
        return "it is the same in every film"
    return None


def _judged(asked: list[Asked], margin: float) -> tuple[ClueRecord, ...]:
    known = [at for at, one in enumerate(asked) if one.null is not None]
    p = [null.p for one in asked if (null := one.null) is not None]
    q = dict(zip(known, false_discovery_control(p) if p else (), strict=True))
    return tuple(_record(one, q.get(at), margin) for at, one in enumerate(asked))


def _record(asked: Asked, q: float | None, margin: float) -> ClueRecord:
    found, null = asked.found, asked.null
    numbers = fields(found)
    if isinstance(found, Estimate):
        numbers["method"] = f"cross-fitted by patient, {found.method}"
    return ClueRecord(
        finding=asked.finding, probe=asked.probe, clue=asked.clue, said=_said(found, q, margin),
        n_pos=found.tally.n_pos, n_neg=found.tally.n_neg, q=None if q is None else float(q),
        p=null.p if null else None, permutations=null.permutations if null else 0,
        null_mean=null.mean if null else None, null_high=null.high if null else None, **numbers,
    )  # fmt: skip


def _said(found: Estimate | Undefined, q: float | None, margin: float) -> Said:
    """Return the word for a clue: a trace is more than chance, but may be worth less than the margin."""
    if isinstance(found, Undefined) or q is None:
        return "not known"
    if q > FALSE_DISCOVERIES:
        return "not shown"
    return "given away" if found.low > 0.5 + margin else "trace"
