"""Stages of an audit: score every model, judge, report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from shortcut_audit.audit.plans.deviations import PlanInForce
from shortcut_audit.audit.plans.images import Scope
from shortcut_audit.audit.result.result import AuditResult, read_result
from shortcut_audit.config import Config
from shortcut_audit.data.attributes import join_attributes
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.derive import derive_attributes
from shortcut_audit.data.labels import apply_label_policy
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.errors import OutputError
from shortcut_audit.models.checkpoint import load_model
from shortcut_audit.provenance import fingerprint, sha256_file
from shortcut_audit.runs import Run
from shortcut_audit.runtime import say
from shortcut_audit.stages.evaluate_scores import asks_the_same, questions, refuse_other
from shortcut_audit.stages.judge import AUDIT, CASES, REPORT, judge
from shortcut_audit.stages.other_site import as_other_site
from shortcut_audit.stages.score import SCORES, models_of, write_table
from shortcut_audit.stages.study import MANIFEST, Study, begin, findings_asked, need_attributes


def audit_run(
    source: Run, config: Config, out: Path | None, plan: PlanInForce | None = None
) -> tuple[AuditResult, Path]:
    """Audit all models of a run; return the result and the folder it lies in.

    The results go into the run folder; where that holds an audit of other questions or other data, into a
    folder inside it, so that nothing is overwritten.
    """
    study = as_other_site(source, Study(source, config, manifest_of(source, config)))
    files = {name.removesuffix(".safetensors"): source.path(name) for name in models_of(study)}
    return audit_files(study, files, out, plan)


def audit_model(run: Run, config: Config, model: Path, plan: PlanInForce | None = None) -> tuple[AuditResult, Path]:
    """Audit one model file on the configured data set, at the model's own working size."""
    card = load_model(model).card
    image = config.image.model_copy(update={"size": card.size, "channels": card.channels})
    study = begin(run, config.model_copy(update={"image": image}))
    return audit_files(study, {model.stem: model}, run.folder, plan)


def manifest_of(source: Run, config: Config) -> Manifest:
    """Return the run's own films, with newly named attributes joined; or another data set's."""
    own = source.config.dataset
    later = ("attributes_file", "attributes", "pairs", "test_design")
    asked = config.dataset.model_copy(update={key: getattr(own, key) for key in later})
    if asked != own:
        return open_dataset(config.dataset)
    for name in MANIFEST:
        if not source.intact(name):
            raise OutputError(f"{source.path(name)} is missing or altered; type the command of that run again")
    manifest = read_manifest(source.folder)
    said = {"pairs": config.dataset.pairs, "test_design": config.dataset.test_design}
    card = replace(manifest.card, **{key: value for key, value in said.items() if value})  # type: ignore[arg-type]
    manifest = replace(manifest, card=card)
    table = config.dataset.attributes_file
    if table and table != own.attributes_file:
        manifest = join_attributes(manifest, Path(table))
    rules = {name: rule for name, rule in config.dataset.attributes.items() if name not in own.attributes}
    return derive_attributes(manifest, config.dataset.model_copy(update={"attributes": rules}))


def audit_files(
    study: Study, files: dict[str, Path], out: Path | None, plan: PlanInForce | None = None
) -> tuple[AuditResult, Path]:
    """Audit some model files, by name, on the films of a study; ``NAME, seed K`` is one of several seeds."""
    need_attributes(study.config, study.manifest)
    if plan:
        plan = plan.checked(scope_of_films(study.config, study.manifest, study.findings, tuple(files)))
    models = {name: sha256_file(path) for name, path in files.items()}
    planned = plan.sha256 if plan else None
    asked = {**questions(study.config), "manifest": study.manifest.fingerprint, "plan": planned, **models}
    folder = out or _folder(study, asked)
    refuse_other(folder, asked)

    def work() -> None:
        binary = tuple(name for name in study.config.evaluate.spurious if name in study.manifest.attributes)
        write_table(study, files, binary, folder / SCORES)
        judge(study, files, folder, plan)

    try:
        place = folder.resolve().relative_to(study.run.folder.resolve())
    except ValueError:
        work()
        return read_result(folder / AUDIT), folder
    study.run.stage(
        f"audit {place}", inputs={**asked, "deviation": plan.record.reason if plan else None},
        outputs=[str(place / name) for name in (SCORES, CASES, AUDIT, REPORT)], work=work,
    )  # fmt: skip
    return read_result(folder / AUDIT), folder


def films_of_run(source: Run, config: Config) -> tuple[Manifest, Scope]:
    """Return the films that an audit of a run would look at, and what it would be about."""
    study = Study(source, config, manifest_of(source, config))
    need_attributes(config, study.manifest)
    models = tuple(name.removesuffix(".safetensors") for name in models_of(study))
    return study.manifest, scope_of_films(config, study.manifest, study.findings, models)


def films_of_model(config: Config, model: Path) -> tuple[Manifest, Scope]:
    """Return the same for the audit of a model file on the configured data set."""
    manifest = open_dataset(config.dataset)
    need_attributes(config, manifest)
    return manifest, scope_of_films(config, manifest, findings_asked(config, manifest), (model.stem,))


def scope_of_films(config: Config, manifest: Manifest, findings: tuple[str, ...], models: tuple[str, ...]) -> Scope:
    """Return what an audit of images is about; its rows are not known before the images are scored."""
    test, policy = manifest.split("test"), config.dataset
    labels = apply_label_policy(test.labels(findings), uncertain=policy.uncertain, blank=policy.blank)
    attributes = [f"attribute.{name}" for name in test.attributes]
    images = [
        test.frame.select("sample_id", *attributes).with_columns(
            finding=pl.lit(finding), label=pl.Series(labels[:, column]).fill_nan(None)
        )
        for column, finding in enumerate(findings)
    ]
    return Scope(findings=findings, models=models, rows=None, images=pl.concat(images))


def _folder(study: Study, asked: dict[str, Any]) -> Path:
    """Return the run folder, or a folder inside it where an audit of something else lies there already."""
    own = study.run.folder
    if not (own / AUDIT).exists() or asks_the_same(own, asked):
        return own
    say(f"{own} holds an audit of other questions; this one goes into a folder inside it")
    return own / f"audit-{fingerprint(asked)[:8]}"
