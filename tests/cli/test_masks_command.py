"""``audit masks``: as a user types it."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from shortcut_audit.provenance import sha256_file

CONFIG = {
    "image": {"size": 32, "channels": 1},
    "dataset": {"name": "synthetic_cxr", "root": "films", "options": {"train": 24, "val": 8, "test": 8, "size": 32}},
}


@pytest.fixture
def imported(audit, tmp_path):
    """Films of a synthetic set, masks of some of them as PNG files, and the store made of these."""
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(CONFIG))
    assert audit("data", "synth", "--config", "small.yaml", "--out", "films").returncode == 0
    done = audit("data", "prepare", "--config", "small.yaml", "--out", "prepared", "--json")
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "prepared" / "manifest.csv").read_text().splitlines()[1:6]
    folder = tmp_path / "drawn" / "pneumothorax"
    folder.mkdir(parents=True)
    for row in rows:
        pixels = np.zeros((64, 64), dtype=np.uint8)
        pixels[:32] = 255
        Image.fromarray(pixels).save(folder / f"{row.split(',')[0]}.png")
    done = audit("masks", "import", "drawn", "--from", "png", "--config", "small.yaml", "--out", "store")
    assert done.returncode == 0, done.stderr
    assert "masks: store/masks.h5 (5 masks, 0 left out)" in done.stdout
    return tmp_path / "store" / "masks.h5"


def test_info_verify_and_export_of_an_imported_store(audit, imported, tmp_path):
    info = audit("masks", "info", "store")
    assert info.returncode == 0, info.stderr
    assert "format:    2, imported" in info.stdout
    assert "5 masks of 32 x 32 px on 5 of 40 films" in info.stdout
    assert "resampled: nearest neighbour" in info.stdout
    tree = json.loads(audit("masks", "info", "store", "--json").stdout)
    assert tree["findings"]["pneumothorax"]["quantiles"] == [0.5] * 7
    assert (tree["kind"], tree["model"], tree["without_completeness"]) == ("imported", None, 5)

    whole = audit("masks", "verify", "store/masks.h5", "--manifest", "prepared")
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith("whole: 5 masks in 1 shards, ")
    assert whole.stdout.rstrip().endswith("of the manifest that was named")

    done = audit("masks", "export", "store", "--to", "nnunet", "--out", "nn", "--config", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "nn").glob("Dataset501_pneumothorax/imagesTr/*_0000.png"))) == 5

    done = audit("masks", "export", "store", "--to", "png", "--out", "back", "--json")
    assert json.loads(done.stdout) == {"out": "back", "masks": 5, "left_out": {}, "notes": []}
    done = audit("masks", "import", "back", "--from", "png", "--config", "small.yaml", "--out", "again")
    assert done.returncode == 0, done.stderr


def test_a_damaged_store_ends_with_74_and_one_message(audit, imported):
    raw = bytearray(imported.read_bytes())
    raw[-40] ^= 1
    imported.write_bytes(raw)
    for command in ("info", "verify"):
        done = audit("masks", command, "store")
        assert done.returncode == 74
        assert done.stderr.startswith("error: store/masks.h5 does not match its SHA-256")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_a_file_that_is_no_store_ends_with_74_and_one_message(audit, tmp_path):
    (tmp_path / "masks.h5").write_text("<html>")
    done = audit("masks", "verify", "masks.h5")
    assert (done.returncode, done.stdout) == (74, "")
    assert "masks.h5 does not begin with 'shortcut-audit masks'" in done.stderr
    assert audit("masks", "info", "nowhere.h5").returncode == 74


def test_a_name_that_is_no_pair_is_refused(audit, imported):
    done = audit("masks", "import", "drawn", "--from", "png", "--config", "small.yaml", "--out", "o", "--name", "x")
    assert done.returncode == 2
    assert "--name 'x' is not THEIRS=FINDING" in done.stderr


def test_masks_that_fit_the_run_are_pre_trained_on_and_others_are_refused(audit, imported, tmp_path):
    small = CONFIG | {
        "segmenter": {"encoder": "tu-test_resnet", "decoder_channels": [8, 8, 8, 8, 8], "pretrain_epochs": 1,
                      "batch_size": 8},
    }  # fmt: skip
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(small))
    words = ("pretrain", "--config", "train.yaml", "--masks", "store/masks.h5", "--device", "cpu")
    done = audit(*words, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "segmenter_pretrained.safetensors").exists()
    assert not (tmp_path / "run" / "classifier.safetensors").exists()
    assert sha256_file(tmp_path / "run" / "masks.h5") == sha256_file(imported)
    refused = [
        (("--set", "image.size=64"), "masks of 32 x 32 px, this run works at 64; set image.size=32"),
        (("--set", "dataset.options.train=25", "--set", "dataset.root=other"), "made from other films"),
        (("--classifier", "c.safetensors"), "--masks and --classifier exclude each other"),
        (("--processes", "2"), "--masks and --processes exclude each other: nothing is explained"),
        (("--set", "segmenter.cleaning=[keep_agreeing]"), "were made elsewhere and have none; take the rule out of"),
    ]
    for more, message in refused:
        done = audit(*words, *more, "--out", "refused")
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert not (tmp_path / "refused" / "masks.h5").exists()
