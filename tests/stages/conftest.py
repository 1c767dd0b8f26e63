"""A run over two dozen tiny films: a bright square is the finding, a bright column the tube."""

import polars as pl
import pytest
from one_thread import one_thread_on_the_processor
from small_films import SPLITS, write_film
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
