"""Sets with several drawn structures run from image labels to compared arms, on look-alikes of their downloads."""

from __future__ import annotations

import pytest
from one_thread import one_thread_on_the_processor
from trees import chest_trees

from shortcut_audit.audit.arms.result import LONG, ArmsResult
from shortcut_audit.config import load_config
from shortcut_audit.models.checkpoint import load_as
from shortcut_audit.models.segmenter import Segmenter
from shortcut_audit.pipeline import evaluate, finetune, pretrain

SHORT = (
    "image.size=32", "explain.steps=2", "classifier={architecture: test_resnet, epochs: 1, batch_size: 4}",
    "segmenter={encoder: tu-test_resnet, pretrain_epochs: 1, batch_size: 4}",
    "finetune.arms=[adapters,scratch]", "finetune.fractions=[1.0]", "finetune.tune_fraction=1.0", "finetune.steps=4",
    "finetune.check_every=2", "finetune.learning_rates=[0.002]", "finetune.keep_weights=true",
    "evaluate={saliency_images: 0, gallery: 0}",
)  # fmt: skip
__all__ = ["one_thread_on_the_processor"]


def compare(folder, *sets):
    """Pre-train and compare two arms; return ``arms.json``."""
    config = load_config(sets=[*SHORT, *sets])
    pretrain(config, out=folder / "pretrained", new=False)
    finetune(config, out=folder / "arms", new=False, run=folder / "pretrained")
    return ArmsResult.model_validate_json((folder / "arms" / "arms.json").read_bytes())


def kept(folder, arm):
    (path,) = (folder / "arms" / "arms").glob(f"{arm}-100pct-*-4steps.weights.safetensors")
    return path


def dice(result):
    """Films counted and left out, by structure, for the adapters."""
    return {
        one.structure: (one.n, one.left_out)
        for one in result.numbers
        if (one.name, one.arm) == ("dice", "adapters")
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_covid_qu_ex_lungs_and_infections(tmp_path):
    root = tmp_path / "covid"
    chest_trees.write_covid(root)
    images = sorted(path.relative_to(root) for path in root.glob("Infection*/*/*/*/images/*.png"))
    chest_trees.write_tube_table(tmp_path / "tubes.csv", images, lambda n: n % 2 == 0)
    data = (
        "dataset.name=covid_qu_ex", f"dataset.root={root}", "dataset.options.part=infection",
        "classes={lung: lung, infection: infection where covid_19 = 1}",
    )  # fmt: skip
    result = compare(tmp_path, *data)

    # 12 test films have lungs; on the 4 of COVID-19 an infection is drawn, on the others it is drawn as empty
    assert dice(result) == {"lung": (12, 0), "infection": (4, 8)}
    assert {one.arm for one in result.trainings} == {"adapters", "scratch", LONG}
    small = kept(tmp_path, "adapters")
    card = load_as(small, Segmenter).card
    assert (card.classes, card.activation) == (("lung", "infection"), "sigmoid")

    asked = (f"dataset.attributes_file={tmp_path / 'tubes.csv'}", "evaluate.spurious=[chest_tube]")
    judged = evaluate(load_config(sets=[*SHORT, *data, *asked]), run=None, out=tmp_path / "judged", model=small)
    assert {(one.model, one.finding, one.attribute) for one in judged.result.verdicts} == {
        (small.stem, "covid_19", "chest_tube")
    }


def test_jsrt_lungs_heart_and_clavicles(tmp_path):
    chest_trees.write_jsrt(tmp_path / "jsrt")
    result = compare(
        tmp_path, "dataset.name=jsrt", f"dataset.root={tmp_path / 'jsrt'}",
        "classes={lung: lung, heart: heart, clavicle: clavicle}",
    )  # fmt: skip
    assert dice(result) == dict.fromkeys(("lung", "heart", "clavicle"), (result.test_images, 0))
    assert load_as(kept(tmp_path, "scratch"), Segmenter).card.classes == ("lung", "heart", "clavicle")
