"""The models of a run on another data set: whose training rows count, and whose do not.

The other set's training images did not train these models, so they say nothing about what was learnt: they
are left out, and the sign of the association comes from the run's own training images.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from shortcut_audit.audit.table.groups import find_association
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.errors import UsageError
from shortcut_audit.runs import Run
from shortcut_audit.stages.study import MANIFEST, Study

LEFT_OUT = (
    "Another data set than the models were trained on: its {count} training images are left out, for they trained "
    "none of these models."
)
Direction = Literal["positive", "negative"]
DIRECTIONS: dict[int, Direction] = {1: "positive", -1: "negative"}


def as_other_site(source: Run, study: Study) -> Study:
    """Return the study as it is on the run's own films, and without training images on films of another set.

    Args:
        source: the run that the models come from.
        study: what is to be audited.

    Raises:
        UsageError: the attributes asked about went with the findings in different directions in training.
    """
    if not all(source.intact(name) for name in MANIFEST):
        return study
    own, films = read_manifest(source.folder), study.manifest
    trained = set(own.split("train").ids)
    if not trained or trained & set(films.ids):
        return study
    keep = films.frame["split"].to_numpy() != "train"
    note = LEFT_OUT.format(count=int((~keep).sum()))
    kept = films.select(keep)
    kept = replace(kept, card=replace(kept.card, notes=(*kept.card.notes, note)))
    config, asked = study.config, study.config.evaluate
    if asked.association is None:
        direction = _direction(Study(source, source.config, own), study)
        config = config.model_copy(update={"evaluate": asked.model_copy(update={"association": direction})})
    return Study(study.run, config, kept)


def _direction(trained: Study, study: Study) -> Direction | None:
    """Return in which direction the binary attributes asked about went with the findings in training."""
    rows = trained.manifest.split("train")
    labels = trained.known_labels(rows)
    patients = rows.frame["patient_id"].rank("dense").cast(pl.Int64).to_numpy()
    found: dict[str, Direction] = {}
    for finding in study.findings:
        for name in study.config.evaluate.spurious:
            if finding not in trained.findings or not _is_binary(rows, name):
                continue
            label = labels[:, trained.findings.index(finding)]
            values = rows.frame[f"attribute.{name}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
            association = find_association(
                values, label == 1, patients, ~np.isnan(label), asked=None,
                confidence=study.config.evaluate.confidence,
            )  # fmt: skip
            if association.sign is not None:
                found[f"{name} with {finding}"] = DIRECTIONS[association.sign]
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} {direction}" for name, direction in found.items())
        raise UsageError(
            f"in the run's own training images the associations have different signs ({told}); on another data set "
            "ask about one attribute at a time, or say --association"
        )
    return next(iter(found.values()), None)


def _is_binary(manifest: Manifest, name: str) -> bool:
    known = name in manifest.attributes and manifest.attribute_type(name) == "binary"
    return known and manifest.frame[f"attribute.{name}"].null_count() < len(manifest)
