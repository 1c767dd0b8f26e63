"""The order of the stages, on one page. Everything heavy is imported when a stage begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING, Literal

from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.config import Config, lay_over
from shortcut_audit.errors import UsageError
from shortcut_audit.provenance import sha256_file
from shortcut_audit.runs import Run, hold, newest_run, open_run, read_run
from shortcut_audit.runtime import say

if TYPE_CHECKING:
    from shortcut_audit.audit.plans.plan import Plan
    from shortcut_audit.audit.versions.update_result import UpdateResult
    from shortcut_audit.stages.by_plan import ByPlan
    from shortcut_audit.stages.check import Need
    from shortcut_audit.stages.compare import Asked

Supervision = Literal["label", "mask", "both"]
NEEDS: dict[Supervision, tuple[Need, ...]] = {
    "label": ("classifier",),
    "mask": ("segmenter", "drawn"),
    "both": ("classifier", "segmenter", "drawn"),
}
ANY_MODEL = r"(classifier|segmenter_\w+)\.safetensors"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did: its folder, the audit if there was one, and lines for people."""

    run: Path
    result: AuditResult | None
    lines: tuple[str, ...]


def demo(config: Config, *, out: Path | None, new: bool) -> Outcome:
    """Run the whole story on synthetic films and audit every model of it."""
    from shortcut_audit.stages import explain as explaining
    from shortcut_audit.stages import learn
    from shortcut_audit.stages.check import open_study
    from shortcut_audit.stages.evaluate import audit_run

    with open_run("demo", config, out=out, new=new) as run:
        study = open_study(run, config, "classifier", "explain", "segmenter", "pseudo", "drawn", "audit")
        learn.learn_labels(study)
        explaining.explain_training_films(study, [run.path(learn.CLASSIFIER)])
        learn.learn_pseudo_masks(study)
        learn.learn_drawn_masks(study, "finetuned")
        learn.learn_drawn_masks(study, "scratch")
        outcome = _told(*audit_run(run, config, None))
        found = planted_found(outcome.result)
        return replace(outcome, lines=(*outcome.lines, f"planted shortcut found: {'yes' if found else 'no'}"))


def train(config: Config, *, out: Path | None, new: bool, supervision: Supervision) -> Outcome:
    """Train a classifier on image labels, a segmenter on drawn masks, or both on the same films."""
    from shortcut_audit.stages import learn
    from shortcut_audit.stages.check import open_study

    with open_run(f"train --supervision {supervision}", config, out=out, new=new) as run:
        study = open_study(run, config, *NEEDS[supervision])
        if supervision != "mask":
            learn.learn_labels(study)
        if supervision != "label":
            learn.learn_drawn_masks(study, "scratch")
            if config.segmenter.permuted_twin:
                learn.learn_drawn_masks(study, "permuted")
        return Outcome(run=run.folder, result=None, lines=_models_told(run))


def explain(
    config: Config, *, out: Path | None, new: bool, run: Path | None, models: Sequence[Path] = (), processes: int = 1
) -> Outcome:
    """Explain the classifier of a run (by default the newest), or model files, and store pseudo-masks."""
    from shortcut_audit.stages import explain as explaining
    from shortcut_audit.stages.check import open_study
    from shortcut_audit.stages.learn import CLASSIFIER

    if run is None and models:
        weights = list(models)
    else:
        source = _source(run, CLASSIFIER, "train one with 'audit train'")
        config = lay_over(source.config, config)
        weights = [*models] or [source.path(CLASSIFIER)]
    with open_run("explain", config, out=out, new=new, given=_given(weights)) as target:
        study = open_study(target, config, "explain")
        explaining.explain_training_films(study, weights, processes=processes)
        store = target.path("masks.h5")
        return Outcome(run=target.folder, result=None, lines=(f"masks: {store}",))


def pretrain(
    config: Config,
    *,
    out: Path | None,
    new: bool,
    classifiers: Sequence[Path] = (),
    masks: Path | None = None,
    processes: int = 1,
) -> Outcome:
    """Train a classifier (or take some), explain it, and pre-train a segmenter on the pseudo-masks.

    With ``masks`` these are taken instead, and there is no classifier.
    """
    if masks is not None:
        if classifiers:
            raise UsageError("--masks and --classifier exclude each other: masks that are there need no classifier")
        if processes > 1:
            raise UsageError("--masks and --processes exclude each other: nothing is explained")
        return _pretrain_on(config, masks, out=out, new=new)
    from shortcut_audit.stages import explain as explaining
    from shortcut_audit.stages import learn
    from shortcut_audit.stages.check import open_study

    with open_run("pretrain", config, out=out, new=new, given=_given(classifiers)) as run:
        study = open_study(run, config, "explain", "segmenter", "pseudo", *(() if classifiers else ("classifier",)))
        if not classifiers:
            learn.learn_labels(study)
        explaining.explain_training_films(study, classifiers or [run.path(learn.CLASSIFIER)], processes=processes)
        learn.learn_pseudo_masks(study)
        return Outcome(run=run.folder, result=None, lines=_models_told(run))


def _pretrain_on(config: Config, masks: Path, *, out: Path | None, new: bool) -> Outcome:
    """Pre-train a segmenter on a mask store that is there."""
    from shortcut_audit.masks.store import MaskStore
    from shortcut_audit.stages import learn
    from shortcut_audit.stages.check import open_study
    from shortcut_audit.stages.keep_masks import store_path, take_masks
    from shortcut_audit.stages.lessons import check_scores

    store = MaskStore(store_path(masks))
    with open_run("pretrain", config, out=out, new=new, given={"masks": sha256_file(store.path)}) as run:
        study = open_study(run, config, "segmenter", "pseudo")
        check_scores(study, store)
        take_masks(study, store)
        learn.learn_pseudo_masks(study)
        return Outcome(run=run.folder, result=None, lines=_models_told(run))


def finetune(config: Config, *, out: Path | None, new: bool, run: Path | None) -> Outcome:
    """Fine-tune a pre-trained segmenter on drawn masks, beside the same network from scratch, or compare arms."""
    from shortcut_audit.stages import learn
    from shortcut_audit.stages.check import open_study

    source = _source(run, learn.PRETRAINED, "pre-train one with 'audit pretrain'")
    config = lay_over(source.config, config)
    given = {"pretrained": source.digest(learn.PRETRAINED)}
    with open_run("finetune", config, out=out, new=new, given=given) as target:
        study = open_study(target, config, "segmenter", "drawn")
        if config.finetune.arms:
            from shortcut_audit.stages.arms import RESULT, compare_arms

            compare_arms(study, source)
            place = target.path(RESULT)
            lines = (
                f"numbers: {place}",
                f"table:   {place.with_suffix('.csv')}",
                f"report:  {place.with_suffix('.html')}",
            )
            return Outcome(run=target.folder, result=None, lines=lines)
        learn.learn_drawn_masks(study, "finetuned", source=source)
        learn.learn_drawn_masks(study, "scratch")
        return Outcome(run=target.folder, result=None, lines=_models_told(target))


def clean(
    config: Config, *, out: Path | None, new: bool, run: Path | None, rules: Sequence[str], seeds: int
) -> Outcome:
    """Train one student a cleaning rule and seed on the pseudo-masks of a run, and audit them side by side."""
    from shortcut_audit.masks.store import NAME as MASKS
    from shortcut_audit.stages import students
    from shortcut_audit.stages.check import open_study
    from shortcut_audit.stages.evaluate import audit_files
    from shortcut_audit.stages.lessons import check_cleaning

    named = students.students(rules)
    source = _source(run, MASKS, "make masks with 'audit pretrain' or 'audit explain'")
    config = students.asked_of(lay_over(source.config, config), rules)
    given = {"masks": source.digest(MASKS), "students": ";".join(named), "seeds": str(seeds)}
    with open_run("masks clean", config, out=out, new=new, given=given) as target:
        study = open_study(target, config, "segmenter", "audit")
        for cleaning in named.values():
            check_cleaning(study.cleaned(cleaning))
        students.check_masks(study, source, named)
        result, folder = audit_files(study, students.teach(study, source, named, seeds), None)
        told = _told(result, folder)
        return replace(told, lines=(*students.told(result), *told.lines))


def evaluate(
    config: Config, *, run: Path | None, out: Path | None, model: Path | None, by: ByPlan | None = None
) -> Outcome:
    """Audit the models of a run (by default the newest), or a model file.

    What was typed is laid over the run's configuration; ``--dataset`` audits on other data.
    """
    from shortcut_audit.stages.by_plan import take_plan
    from shortcut_audit.stages.evaluate import audit_model, audit_run

    if model is not None:
        config, plan = take_plan(config, by)
        with open_run("evaluate", config, out=out, new=False, given={"model": _digest_of(model)}) as opened:
            return _told(*audit_model(opened, config, model, plan))
    source = _source(run, ANY_MODEL, "train one with 'audit train' or 'audit pretrain'")
    config, plan = take_plan(lay_over(source.config, config), by)
    with hold(source):
        return _told(*audit_run(source, config, out, plan))


def evaluate_scores(config: Config, path: Path, *, out: Path | None, by: ByPlan | None = None) -> Outcome:
    """Audit a CSV of scores: no images, no torch."""
    from shortcut_audit.stages.by_plan import take_plan
    from shortcut_audit.stages.evaluate_scores import audit_file

    config, plan = take_plan(config, by)
    return _told(*audit_file(config, path, out, plan))


def compare(a: Path, b: Path, asked: Asked, *, out: Path | None) -> tuple[UpdateResult, Path]:
    """Compare two versions of a model on the films that both scored: no images, no torch."""
    from shortcut_audit.stages.compare import compare_files

    return compare_files(a, b, asked, out)


def freeze(
    config: Config, target: Path, *, scores: Path | None, run: Path | None, model: Path | None, intended_use: str
) -> Plan:
    """Write the plan of the audit that the same options would make, and no result."""
    from shortcut_audit.stages import freeze as freezing

    if scores is not None:
        return freezing.freeze_scores(config, scores, target, intended_use=intended_use)
    from shortcut_audit.stages.evaluate import films_of_model, films_of_run

    if model is not None:
        _digest_of(model)
        films, scope = films_of_model(config, model)
    else:
        source = _source(run, ANY_MODEL, "train one with 'audit train' or 'audit pretrain'")
        config = lay_over(source.config, config)
        films, scope = films_of_run(source, config)
    return freezing.freeze_films(config, films, scope, target, intended_use=intended_use)


def _digest_of(model: Path) -> str:
    """Return the SHA-256 of a model file that was named; UsageError if it is not there."""
    if not model.is_file():
        raise UsageError(f"{model} is not there; name a .safetensors file that 'audit train' wrote")
    return sha256_file(model)


def _given(models: Sequence[Path]) -> dict[str, str]:
    """Return the digests of the models a run is given, in their order."""
    return {"classifiers": ",".join(_digest_of(model) for model in models)} if models else {}


def planted_found(result: AuditResult | None) -> bool:
    """Whether the classifier's reliance on what was planted is shown."""
    verdicts = result.verdicts if result else ()
    return any(verdict.model == "classifier" and verdict.reliance == "shown" for verdict in verdicts)


def _source(run: Path | None, output: str, hint: str) -> Run:
    """Return the run that was named, or the newest that has an output.

    Raises:
        UsageError: there is none, or it lacks the output.
    """
    folder = run or newest_run(output)
    if folder is None:
        raise UsageError(f"there is no run under ./runs to take a model from; {hint}, or name a folder with --run")
    source = read_run(folder)
    if not any(fullmatch(output, name) for name in source.outputs):
        raise UsageError(f"{folder} does not have what is needed ({output}); {hint}")
    say(f"Taking models from {source.folder}")
    return source


def _told(result: AuditResult, folder: Path) -> Outcome:
    lines = (f"numbers: {folder / 'audit.json'}", f"report:  {folder / 'report.html'}")
    return Outcome(run=folder, result=result, lines=lines)


def _models_told(run: Run) -> tuple[str, ...]:
    models = sorted(path for path in run.folder.glob("*.safetensors"))
    return (*(f"model: {path}" for path in models), f"next:  audit evaluate --run {run.folder} --spurious NAME")
