"""Every shipped configuration runs to its end, on a small look-alike of its data and with few epochs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image
from study.conftest import run_audit
from trees.chexpert_tree import write_chexpert, write_tubes

from shortcut_audit.audit.result.result import read_result

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
