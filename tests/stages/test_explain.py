"""Which drawn masks a threshold rule is tuned on."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from PIL import Image
from small_networks import small_segmenter

from shortcut_audit.config import Config
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.errors import UsageError
from shortcut_audit.masks.layout import PARTS
from shortcut_audit.models.checkpoint import save_model
from shortcut_audit.stages.explain import drawn_references, explain_training_films
from shortcut_audit.stages.learn import CLASSIFIER, learn_labels


def study_of(tmp_path, masks, *, tune_on=2, rule="mass"):
    """A study of four films; ``masks`` says of each whether it has no mask, an empty one or a drawn one."""
    for n, kind in enumerate(masks):
        if kind:
            pixels = np.zeros((32, 32), dtype=np.uint8)
            pixels[: n + 1] = 255 * (kind == "drawn")
            Image.fromarray(pixels).save(tmp_path / f"m{n}.png")
    frame = pl.DataFrame({
        "sample_id": [str(n) for n in range(4)], "image": [f"{n}.png" for n in range(4)], "split": "train",
        "label.x": [1.0, 1.0, 1.0, 0.0],
        "mask.x": [f"m{n}.png" if kind else None for n, kind in enumerate(masks)],
    })  # fmt: skip
    manifest = Manifest.from_frame(frame, card=DataCard(name="f", licence="none"), root=tmp_path, where="f")
    config = Config.model_validate({"image": {"size": 32}, "pseudo_mask": {"tune_on": tune_on, "rule": rule}})
    films = SimpleNamespace(manifest=manifest, labels=manifest.labels(("x",)))
    return SimpleNamespace(config=config, findings=("x",)), films


def test_positives_with_a_mask_that_is_not_empty_are_taken(tmp_path):
    study, films = study_of(tmp_path, ["drawn", "empty", "drawn", "drawn"], tune_on=4)
    references = drawn_references(study, films)["x"]
    assert references.rows.tolist() == [0, 2]
    assert [int(mask.sum()) for mask in references.masks] == [32, 96]


def test_no_more_films_are_taken_than_asked_for(tmp_path):
    study, films = study_of(tmp_path, ["drawn"] * 4, tune_on=2)
    assert len(drawn_references(study, films)["x"].rows) == 2
    study, films = study_of(tmp_path, ["drawn"] * 4, tune_on=0)
    assert drawn_references(study, films) == {}


def test_where_nothing_is_drawn_it_is_said(tmp_path):
    study, films = study_of(tmp_path, [None, None, None, "drawn"])
    with pytest.raises(UsageError, match=r"pseudo_mask.tune_on: 2, but no training film has a drawn mask of x; set it"):
        drawn_references(study, films)


def test_a_rule_without_a_constant_is_refused_before_a_mask_is_read(tmp_path):
    study, films = study_of(tmp_path, ["drawn"] * 4, rule="otsu")
    with pytest.raises(UsageError, match="the threshold rule 'otsu' has no constant to tune"):
        drawn_references(study, films)


def test_a_view_that_lost_a_part_is_made_again_when_the_command_is_typed_again(make_study, capfd):
    study = make_study("pseudo_mask.view_above_gb=0")
    learn_labels(study)
    weights = [study.run.path(CLASSIFIER)]
    explain_training_films(study, weights)
    (part,) = study.run.path(PARTS).glob("*.h5")
    whole = part.read_bytes()
    explain_training_films(study, weights)
    assert "explain: done before" in capfd.readouterr().err
    part.write_bytes(whole[:-1])
    explain_training_films(study, weights)
    assert "shard-000000.h5 does not match its SHA-256" in capfd.readouterr().err
    assert part.read_bytes() == whole
    part.unlink()
    explain_training_films(study, weights)
    assert part.read_bytes() == whole


def test_a_segmenter_whose_classes_are_of_no_finding_is_not_explained(make_study, tmp_path):
    save_model(small_segmenter(classes=("lungs",)), tmp_path / "segmenter.safetensors")
    said = r"was trained for lungs; this run is about pneumothorax; say in 'classes:' which finding each of its classes"
    with pytest.raises(UsageError, match=said):
        explain_training_films(make_study(), [tmp_path / "segmenter.safetensors"])
