"""Every shipped configuration runs to its end, on a small look-alike of its data and with few epochs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from study.conftest import run_audit
from trees.chexpert_tree import write_chexpert, write_tubes

from shortcut_audit.audit.arms.result import LONG, ArmsResult
from shortcut_audit.audit.result.result import read_result
from shortcut_audit.config.finetune import ARMS

SHORT = (
    "classifier.epochs=1", "segmenter.epochs=1", "segmenter.pretrain_epochs=1", "explain.steps=2", "image.size=64",
    "classifier.batch_size=16", "segmenter.batch_size=16", "evaluate.saliency_images=4", "evaluate.gallery=2",
)  # fmt: skip
SETS = [word for pair in SHORT for word in ("--set", pair)]
ARTEFACTS = ("dark_corner", "hair", "gel_border", "gel_bubble", "ruler", "ink", "patches")


def write_images(root, names, channels, rng):
    """Write small noise images."""
    (root / "images").mkdir(parents=True)
    for name in names:
        shape = (40, 40, 3) if channels == 3 else (40, 40)
        Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(root / "images" / name)


def write_csv(path, rows):
    """Write rows under a header."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_dermoscopy_with_trap_sets(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "isic"
    names = [f"ISIC_{n:07d}" for n in range(90)]
    write_images(root, [f"{name}.jpg" for name in names], 3, rng)
    (root / "masks").mkdir()
    lesion = np.zeros((40, 40), dtype=np.uint8)
    lesion[10:30, 12:28] = 255
    for name in names:
        Image.fromarray(lesion).save(root / "masks" / f"{name}_segmentation.png")
    trap = ["train"] * 50 + ["train+val"] * 20 + ["test"] * 20
    write_csv(root / "manifest.csv", [
        {
            "image_id": name, "image_path": f"images/{name}.jpg", "mask_path": f"masks/{name}_segmentation.png",
            "group_id": f"g_{name}", "label": n % 2, "trap1": trap[n],
            **{artefact: int(rng.random() < 0.5) for artefact in ARTEFACTS},
        }
        for n, name in enumerate(names)
    ])  # fmt: skip
    done = run_audit(
        tmp_path, "train", "--config", "isic2017_traps", "--root", root, "--supervision", "both", "--out", "r", *SETS
    )
    assert done.returncode == 0, done.stderr
    judged = run_audit(tmp_path, "evaluate", "--run", "r")
    assert judged.returncode == 0, judged.stderr
    result = read_result(tmp_path / "r" / "audit.json")
    assert {v.model for v in result.verdicts} == {"classifier", "segmenter_scratch"}
    assert "+".join(ARTEFACTS) in {v.attribute for v in result.verdicts}
    controls = {m.model for m in result.metrics if m.role == "control"}
    assert {"segmenter_scratch:predicted_area", "segmenter_scratch:target_share", "segmenter_permuted"} <= controls
    assert result.find("auroc_within_strata")


def test_films_of_a_ward(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "ward"
    names = [f"film{n:03d}" for n in range(80)]
    write_images(root, [f"{name}.png" for name in names], 1, rng)
    write_csv(root / "manifest.csv", [
        {
            "image_id": name, "image_path": f"images/{name}.png", "patient_id": f"p{n // 2}",
            "projection": "ap" if n % 3 else "pa", "ever_icu": int(n % 5 > 1),
        }
        for n, name in enumerate(names)
    ])  # fmt: skip
    done = run_audit(tmp_path, "train", "--config", "hannover_icu", "--root", root, "--out", "r", *SETS)
    assert done.returncode == 0, done.stderr
    judged = run_audit(tmp_path, "evaluate", "--run", "r")
    assert judged.returncode == 0, judged.stderr
    assert "INSUFFICIENT" in judged.stdout
    assert {v.attribute for v in read_result(tmp_path / "r" / "audit.json").verdicts} == {"projection=ap"}


LEARNS = (
    "finetune.steps=2", "finetune.check_every=1", "finetune.learning_rates=[0.001]", "finetune.fractions=[0.5,1.0]",
    "finetune.tune_fraction=0.5", "finetune.same_compute_fraction=0.5",
)  # fmt: skip


def compare(folder, config, *words):
    """Pre-train and compare arms with a shipped configuration, cut short; return ``arms.json``."""
    short = [word for pair in LEARNS for word in ("--set", pair)]
    done = run_audit(folder, "pretrain", "--config", config, *words, *SETS, "--out", "pretrained")
    assert done.returncode == 0, done.stderr
    done = run_audit(
        folder, "finetune", "--config", config, *words, *SETS, *short, "--run", "pretrained", "--out", "arms"
    )
    assert done.returncode == 0, done.stderr
    assert f"report:  {Path('arms') / 'arms.html'}" in done.stdout
    return ArmsResult.model_validate_json((folder / "arms" / "arms.json").read_bytes())


def write_outlined(root, names, channels):
    """Write noise images and the same outline for each of them in ``masks/``."""
    write_images(root, [f"{name}.png" for name in names], channels, np.random.default_rng(0))
    (root / "masks").mkdir()
    outline = np.zeros((40, 40), dtype=np.uint8)
    outline[10:30, 12:28] = 255
    for name in names:
        Image.fromarray(outline).save(root / "masks" / f"{name}.png")


def test_arms_on_synthetic_films(tmp_path):
    few = [w for n in ("train=40", "val=16", "test=16") for w in ("--set", f"dataset.options.{n}")]
    result = compare(tmp_path, "synthetic_arms", *few)
    assert {one.structure for one in result.numbers} == {"lungs", "heart", "clavicles", "pneumothorax", "opacity"}
    assert {one.arm for one in result.trainings} == {*ARMS, LONG}


def test_arms_on_lesions(tmp_path):
    names = [f"ISIC_{n:07d}" for n in range(60)]
    write_outlined(tmp_path / "isic", names, 3)
    write_csv(tmp_path / "isic" / "manifest.csv", [
        {"image_id": name, "image_path": f"images/{name}.png", "mask_path": f"masks/{name}.png" if n % 5 else "",
         "group_id": f"g{n}", "label": n % 2 if n % 7 else "", **dict.fromkeys(ARTEFACTS, n % 2)}
        for n, name in enumerate(names)
    ])  # fmt: skip
    result = compare(tmp_path, "isic2017_lesion", "--root", tmp_path / "isic")
    assert {one.arm for one in result.trainings} == {"full", "adapters", "scratch", LONG}
    assert {one.structure for one in result.numbers} == {"lesion"}


def test_arms_on_lungs(tmp_path):
    names = [f"film{n:03d}" for n in range(60)]
    write_outlined(tmp_path / "covid", names, 1)
    write_csv(tmp_path / "covid" / "manifest.csv", [
        {"image_id": name, "image_path": f"images/{name}.png", "lung_mask_path": f"masks/{name}.png" if n % 3 else "",
         "group_id": f"g{n // 2}", "label_covid": int(n % 3 > 0), "intubated": n % 2}
        for n, name in enumerate(names)
    ])  # fmt: skip
    result = compare(tmp_path, "covid_lungs", "--root", tmp_path / "covid")
    assert {one.structure for one in result.numbers} == {"lungs"}
    assert all(one.n == result.test_images - one.left_out for one in result.numbers if one.name == "dice")


def test_chexpert(tmp_path):
    films = write_chexpert(tmp_path / "chexpert", films=60)
    write_tubes(tmp_path / "tubes.csv", films)
    done = run_audit(
        tmp_path, "pretrain", "--config", "chexpert", "--attributes", "tubes.csv", *SETS,
        "--set", "classifier.architecture=test_resnet", "--set", "segmenter.encoder=tu-test_resnet",
        SHORTCUT_AUDIT_DATA=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    judged = run_audit(tmp_path, "evaluate", "--spurious", "chest_tube", "--exit-zero")
    assert judged.returncode == 0, judged.stderr
    run = next((tmp_path / "runs").iterdir())
    findings = {v.finding for v in read_result(run / "audit.json").verdicts}
    assert len(findings) == 14
    assert "pneumothorax" in findings


@pytest.mark.parametrize("quick", [[], ["--quick"]])
def test_the_demos(tmp_path, quick):
    few = [w for n in ("train=32", "val=20", "test=30") for w in ("--set", f"dataset.options.{n}")]
    done = run_audit(tmp_path, "demo", *quick, *SETS, *few, "--out", "r")
    assert done.returncode == 0, done.stderr
    assert "planted shortcut found:" in done.stdout
