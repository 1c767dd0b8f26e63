"""Stage that audits the scores and writes ``audit.json``, then the report from it alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from shortcut_audit.audit.attribute_labels.label_list import write_label_list
from shortcut_audit.audit.cases import ChosenCase, choose_cases, write_cases
from shortcut_audit.audit.plans.deviations import PlanInForce
from shortcut_audit.audit.result.examples import Example, Layer
from shortcut_audit.audit.result.numbers import Metric
from shortcut_audit.audit.result.result import AuditResult, write_result
from shortcut_audit.audit.run import ask_questions, audit_table, cases_to_reread
from shortcut_audit.audit.table.question import Setting
from shortcut_audit.audit.table.scores import ScoresTable, read_scores
from shortcut_audit.data.datasets import RENDERED
from shortcut_audit.data.manifest import SPLITS
from shortcut_audit.data.validate import SHARED_PATIENTS
from shortcut_audit.models.checkpoint import Model, load_model
from shortcut_audit.models.classifier import Classifier
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.provenance import collect_provenance, command_line, sha256_file
from shortcut_audit.report.render import write_report
from shortcut_audit.shapes import Ints
from shortcut_audit.stages.look import explain_films, look, predicted_masks, regions_of
from shortcut_audit.stages.look_masks import look_at_masks
from shortcut_audit.stages.pictures import film_layer, heat_layer, outline_layer
from shortcut_audit.stages.score import SCORES, excluded, switched_films
from shortcut_audit.stages.study import Films, Study

AUDIT = "audit.json"
REPORT = "report.html"
CASES = "cases.csv"
SYNTHETIC = "Demonstration on synthetic films: it shows what the audit does, not how any model does on patients."
BY_LABEL = (
    "Pre-training used empty masks for films without the finding: in that it is supervised by image labels, "
    "as the classifier that made the pseudo-masks."
)


def judge(study: Study, files: dict[str, Path], folder: Path, plan: PlanInForce | None = None) -> AuditResult:
    """Audit the scores in ``folder``; write ``audit.json``, ``report.html`` and the lists of ids there.

    Args:
        study: the run at work; its configuration says what is asked.
        files: weight files by model name.
        folder: where ``scores.csv`` lies and the outputs go.
        plan: the plan in force, already checked.
    """
    config, setting = study.config, _setting(study)
    table = read_scores(folder / SCORES)
    models = {name: load_model(path) for name, path in files.items()}
    chosen, examples = _gallery(study, table, models)
    metrics: list[Metric] = []
    for finding in study.findings:
        metrics += [*look(study, models, finding), *look_at_masks(study, finding)]
    result = audit_table(
        table,
        setting,
        dataset=_card(study),
        provenance=collect_provenance(
            command=command_line(), config=config.model_dump(mode="json"), seed=config.seed,
            inputs={
                "manifest": study.manifest.fingerprint, "scores": sha256_file(folder / SCORES),
                **{name: sha256_file(path) for name, path in files.items()},
                **({"plan": plan.sha256} if plan else {}),
            },
        ),
        plan=plan,
        metrics=metrics,
        examples=examples,
        excluded=excluded(study),
        banners=_banners(study),
        notes=_notes(study, files),
    )  # fmt: skip
    listed = cases_to_reread(table, result, setting)
    write_cases(chosen, folder / CASES, rereads=listed)
    write_label_list(table, setting, folder)
    write_result(result, folder / AUDIT)
    write_report(folder, ("html",))
    return result


def _setting(study: Study) -> Setting:
    card, config = study.manifest.card, study.config
    return Setting(
        limits=config.evaluate, pairs=card.pairs, test_design=card.test_design, origins=config.origins("evaluate")
    )


def _card(study: Study) -> dict[str, Any]:
    return {**asdict(study.manifest.card), "fingerprint": study.manifest.fingerprint}


def _banners(study: Study) -> tuple[str, ...]:
    banners = [SYNTHETIC] if study.config.dataset.name in RENDERED else []
    banners += [note for note in study.manifest.card.notes if SHARED_PATIENTS in note]
    banners += [
        f"{split}: {note}"
        for split in SPLITS
        if len(study.manifest.split(split)) and (note := study.films(split).quarantine.note())
    ]
    return tuple(banners)


def _notes(study: Study, files: dict[str, Path]) -> tuple[str, ...]:
    notes = [f"{name}: {_told(load_model(path))}" for name, path in files.items()]
    if any("pretrained" in name or "finetuned" in name for name in files):
        notes.append(BY_LABEL)
    return (*notes, *study.manifest.card.notes)


def _told(model: Model) -> str:
    card = model.card
    network = card.architecture if card.kind == "classifier" else f"U-Net on {card.encoder}"
    return f"{network}, {card.size} px, supervised by {card.supervision}, {card.chosen}."


def _gallery(study: Study, table: ScoresTable, models: dict[str, Model]) -> tuple[list[ChosenCase], list[Example]]:
    """Choose cases of the first question and draw their layers."""
    asked = study.config.evaluate
    questions = [question for question in ask_questions(table, _setting(study)) if question.role == "model"]
    if not questions or asked.gallery == 0:
        return [], []
    lead = questions[0]
    alike = [q for q in questions if (q.finding, q.attribute) == (lead.finding, lead.attribute)]
    chosen = choose_cases(alike, count=asked.gallery, seed=study.config.seed)
    films = study.films("test")
    place = {sample: row for row, sample in enumerate(films.manifest.ids)}
    rows = np.array([place[case.sample_id] for case in chosen])
    layers = _layers(study, models, films, rows, lead.finding, lead.attribute)
    examples = [
        Example(
            case=case.case, finding=case.finding, attribute=case.attribute, label=case.label, value=case.value,
            chosen_because=case.chosen_because, shifts=case.shifts, layers=tuple(layers[number]),
        )
        for number, case in enumerate(chosen)
    ]  # fmt: skip
    return chosen, examples


def _layers(
    study: Study, models: dict[str, Model], films: Films, rows: Ints, finding: str, attribute: str
) -> list[list[Layer]]:
    """Return the layers of each chosen film: itself, its counterpart, heat map, outlines, predicted mask."""
    layers = [[film_layer(films.pixels[row], "image", "the film as it is")] for row in rows]
    keep = np.zeros(len(films.manifest), dtype=bool)
    keep[rows] = True
    order = np.argsort(np.argsort(rows))
    regions = regions_of(films.manifest.select(keep), finding, study.config.image.size)
    for name, masks in regions.items():
        kind, _, what = name.partition(":")
        if kind == "footprint" and what != attribute:
            continue
        for number, place in enumerate(order):
            if (mask := masks[place]) is not None:
                layers[number].append(outline_layer(mask, kind, f"outline of {what.replace('_', ' ')}"))
    _add_states(study, films, rows, attribute, layers)
    for name, model in models.items():
        if isinstance(model, Classifier) and finding in model.card.findings:
            maps = explain_films(study, model, films, rows, finding).absolute
            for number, heatmap in enumerate(maps):
                layers[number].append(heat_layer(heatmap, f"{study.config.explain.method} of {name}"))
    _add_predicted(models, films, rows, layers)
    return layers


def _add_states(study: Study, films: Films, rows: Ints, attribute: str, layers: list[list[Layer]]) -> None:
    """Add the film with and without the attribute, where its counterpart exists."""
    if attribute not in study.manifest.counterparts:
        return
    switched = switched_films(study, attribute, films)
    at = np.cumsum(switched.rows) - 1
    values = films.manifest.frame[f"attribute.{attribute}"].to_list()
    for number, row in enumerate(rows):
        if not switched.rows[row] or values[row] is None:
            continue
        states = {values[row] == 1: films.pixels[row], values[row] != 1: switched.pixels[at[row]]}
        layers[number].append(film_layer(states[True], "image_with", f"with {attribute.replace('_', ' ')}"))
        layers[number].append(film_layer(states[False], "image_without", f"without {attribute.replace('_', ' ')}"))


def _add_predicted(models: dict[str, Model], films: Films, rows: Ints, layers: list[list[Layer]]) -> None:
    """Add the predicted mask of the last segmenter: the one trained on drawn masks, if there is one."""
    segmenters = {name: model for name, model in models.items() if isinstance(model, Segmenter)}
    if not segmenters:
        return
    name = next((n for n in segmenters if "scratch" in n), list(segmenters)[-1])
    masks = predicted_masks(segmenters[name], films, rows)
    for number, mask in enumerate(masks):
        layers[number].append(outline_layer(mask.any(axis=0), "predicted", f"predicted by {name}"))
