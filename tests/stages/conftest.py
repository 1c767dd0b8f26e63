"""A run over two dozen tiny films: a bright square is the finding, a bright column the tube."""

import numpy as np
import polars as pl
import pytest
from one_thread import one_thread_on_the_processor
from PIL import Image
from small_networks import SIZE

from shortcut_audit.config import load_config
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.runs import open_run
from shortcut_audit.stages.study import Study

TINY = [
    f"image.size={SIZE}", "classifier={architecture: test_resnet, epochs: 1, batch_size: 4}",
    "segmenter={encoder: tu-test_resnet, epochs: 1, pretrain_epochs: 1, batch_size: 4}",
    "explain={steps: 2, baseline: [blur], batch_size: 4}",
    "evaluate={spurious: [chest_tube], saliency_images: 0, gallery: 0}",
]  # fmt: skip
__all__ = ["one_thread_on_the_processor"]
SPLITS = ["train"] * 8 + ["val"] * 6 + ["test"] * 10
BOX = np.zeros((SIZE, SIZE), dtype=bool)
BOX[8:20, 4:16] = True
COLUMN = np.zeros((SIZE, SIZE), dtype=bool)
COLUMN[:, 26:28] = True


def write_film(root, row):
    """Write film, counterpart and masks; return the manifest's row. Two films a patient."""
    label, tube = row % 2, row // 2 % 2
    base = np.random.default_rng(row).integers(0, 120, (SIZE, SIZE), dtype=np.uint8) + 100 * (BOX & bool(label))
    states = [base.astype(np.uint8), np.where(COLUMN, 250, base).astype(np.uint8)]
    names = {
        "image": f"film{row}.png",
        "switched": f"switched{row}.png",
        "box": f"box{row}.png",
        "column": "column.png",
    }
    for name, pixels in ((names["image"], states[tube]), (names["switched"], states[1 - tube])):
        Image.fromarray(pixels).save(root / name)
    Image.fromarray(BOX).save(root / names["box"])
    Image.fromarray(COLUMN).save(root / names["column"])
    return {
        "sample_id": f"s{row}", "image": names["image"], "patient_id": f"p{SPLITS[row]}{row // 2}",
        "split": SPLITS[row], "label.pneumothorax": str(label), "attribute.chest_tube": str(tube),
        "mask.pneumothorax": names["box"] if label else None, "mask.lungs": names["box"],
        "footprint.chest_tube": names["column"] if tube else None, "counterpart.chest_tube": names["switched"],
    }  # fmt: skip


@pytest.fixture
def films(tmp_path):
    """The manifest of the films."""
    root = tmp_path / "films"
    root.mkdir()
    frame = pl.DataFrame([write_film(root, row) for row in range(len(SPLITS))])
    return Manifest.from_frame(frame, card=DataCard(name="squares", pairs="exact"), root=root, where="squares.csv")


@pytest.fixture
def make_study(tmp_path, films):
    """Open the run ``run`` over the films; what is given is laid over the tiny configuration."""
    opened = []

    def make(*sets, manifest=films, out="run"):
        config = load_config(sets=[*TINY, *sets])
        context = open_run("train", config, out=tmp_path / out, new=False)
        run = context.__enter__()
        opened.append(context)
        if not run.has("manifest.csv"):
            run.stage("data", inputs={}, outputs=["manifest.csv", "manifest.json"],
                      work=lambda: manifest.save(run.folder))  # fmt: skip
        return Study(run, config, manifest)

    yield make
    for context in opened:
        context.__exit__(None, None, None)
