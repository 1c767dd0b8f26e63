"""Every data set goes all the way on its look-alike: checked, learnt from for one epoch, and audited."""

from __future__ import annotations

import pytest
from contracts.test_datasets import ALL, DRAWN_ONLY
from study.conftest import run_audit
from trees.dicom_films import CANARY

from shortcut_audit.audit.result.result import read_result
from shortcut_audit.data.datasets import open_dataset

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SHORT = (
    "image.size=32", "classifier.architecture=test_resnet", "classifier.epochs=1", "classifier.batch_size=16",
    "segmenter.encoder=resnet18", "segmenter.epochs=1", "evaluate.saliency_images=0", "evaluate.gallery=2",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(ALL) - {"table", "synthetic_cxr", "synthetic_derm"}))
def test_it_is_checked_learnt_from_and_audited(name, tmp_path):
    (tmp_path / "data").mkdir()
    config = ALL[name](tmp_path / "data")
    manifest = open_dataset(config)
    attribute = min(manifest.attributes, key=lambda name: manifest.attribute_type(name) != "binary")
    data = ["--dataset", config.name, "--root", config.root]
    data += [word for key, value in config.options.items() for word in ("--set", f"dataset.options.{key}={value}")]
    data += ["--attributes", config.attributes_file] if config.attributes_file else []

    checked = run_audit(tmp_path, "data", "check", *data)
    assert checked.returncode == 0, checked.stderr
    assert "images that were opened can be read" in checked.stdout
    sets = [word for pair in SHORT for word in ("--set", pair)]
    sets += ["--set", "evaluate.saliency_images=8"] * (name in DRAWN_ONLY)
    supervision = "mask" if name in DRAWN_ONLY else "label"
    trained = run_audit(tmp_path, "train", "--supervision", supervision, *data, "--out", "r", *sets)
    assert trained.returncode == 0, trained.stderr
    judged = run_audit(tmp_path, "evaluate", "--run", "r", "--spurious", attribute, "--exit-zero")
    assert judged.returncode == 0, judged.stderr
    verdicts = read_result(tmp_path / "r/audit.json").verdicts
    assert attribute in {verdict.attribute.partition("=")[0] for verdict in verdicts}
    if name in DRAWN_ONLY:
        assert {verdict.status for verdict in verdicts} == {"insufficient"}
        assert read_result(tmp_path / "r/audit.json").find("dice")
    told = (path for path in (tmp_path / "r").rglob("*") if path.is_file())
    assert not [path for path in told if CANARY.encode() in path.read_bytes()], (
        "a header's patient is in a file of ours"
    )
