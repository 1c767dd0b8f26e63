"""Explaining a data set: which pairs, what is in a record, and what a kill costs."""

import signal

import numpy as np
import pytest
import torch
from explain_small import explain_into, explain_until_sync, small_net, small_set

from shortcut_audit.attribution.base import Wanted
from shortcut_audit.attribution.baselines import make_baselines, mean_image
from shortcut_audit.attribution.methods.integrated_gradients import IntegratedGradients
from shortcut_audit.config import ExplainConfig, PseudoMaskConfig
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.masks.agreement import iou
from shortcut_audit.masks.pseudo_mask import pseudo_mask
from shortcut_audit.provenance import sha256_file


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_positives_are_explained_and_nothing_else(tmp_path):
    store = explain_into(tmp_path)
    _, labels = small_set()
    sample, finding = np.nonzero(labels == 1)
    assert store.pairs.sample.tolist() == sample.tolist()
    assert store.pairs.finding.tolist() == finding.tolist()
    assert store.pairs.findings == ("pneumothorax", "effusion")
    assert len(store.pairs.sample_ids) == len(labels)


def test_all_pairs_are_explained_where_all_are_asked_for(tmp_path):
    pixels, labels = small_set()
    store = explain_into(
        tmp_path, pixels=pixels[:5], labels=labels[:5], sample_ids=list("abcde"),
        explain=ExplainConfig(steps=2, batch_size=4, only="all"),
    )  # fmt: skip
    assert [(r.sample_id, r.finding) for r in store][:3] == [
        ("a", "pneumothorax"),
        ("a", "effusion"),
        ("b", "pneumothorax"),
    ]
    assert len(store) == 10


def test_a_record_is_what_method_and_rule_give_for_that_image_alone(tmp_path):
    store = explain_into(tmp_path)
    pixels, _ = small_set()
    row = 70
    image = torch.from_numpy(pixels[store.pairs.sample[row]])[None].float() / 255
    config = ExplainConfig(steps=4, batch_size=16)
    alone = IntegratedGradients().explain(
        small_net(), image, Wanted(image=torch.tensor([0]), target=torch.tensor([store.pairs.finding[row]])),
        baselines=make_baselines(["blur", "mean"], image, mean=mean_image(pixels)), config=config,
    )  # fmt: skip
    record, mask = store[row], pseudo_mask(alone.signed[0], PseudoMaskConfig(smooth_px=1, min_area_px=2))
    assert (record.foreground == mask.foreground).all()
    assert record.known.all()
    assert record.heatmap == pytest.approx(alone.signed[0], abs=float(abs(alone.signed).max()) / 250)
    assert (record.score, record.delta) == pytest.approx((alone.score[0], alone.delta[0]), abs=1e-5)
    assert record.threshold == pytest.approx(mask.threshold, rel=1e-4)
    assert record.steps == 4


def test_every_constant_and_the_mean_image_are_in_the_file(tmp_path):
    header = explain_into(tmp_path).header
    assert header.settings["explain"] == ExplainConfig(steps=4, batch_size=16).model_dump(mode="json")
    assert header.settings["pseudo_mask"] == PseudoMaskConfig(smooth_px=1, min_area_px=2).model_dump(mode="json")
    assert header.settings["constants"] == {"least_difference": 0.5, "blur_sigma_share": 0.125}
    assert (header.mean_image == mean_image(small_set()[0])).all()
    assert (header.manifest, header.model) == ("m" * 64, "w" * 64)


def test_a_method_without_steps_stores_none_of_what_it_does_not_have(tmp_path):
    pixels, _ = small_set()
    store = explain_into(
        tmp_path, pixels=pixels[:2], labels=np.array([[1.0, 0], [0, 0]]), sample_ids=["a", "b"], mean=None,
        explain=ExplainConfig(method="occlusion", batch_size=2, baseline=["black"]),
    )  # fmt: skip
    assert len(store) == 1
    assert store[0].delta is None
    assert store[0].steps is None
    assert store.header.mean_image is None


def test_the_model_is_left_in_its_mode_and_memory_format(tmp_path):
    net = small_net().train()
    strides = [p.stride() for p in net.parameters()]
    pixels, labels = small_set()
    explain_into(tmp_path, models=[net], pixels=pixels[:2], labels=labels[:2] * 0 + 1, sample_ids=["a", "b"])
    assert net.training
    assert [p.stride() for p in net.parameters()] == strides


def test_a_finished_store_of_the_same_job_is_returned_as_it_is(tmp_path, monkeypatch):
    path = explain_into(tmp_path).path
    before = path.stat()
    monkeypatch.setattr("shortcut_audit.masks.make.ShardWriter", None)
    assert len(explain_into(tmp_path)) > 0
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_store_of_another_job_or_a_damaged_one_is_made_again(tmp_path, capsys):
    path = explain_into(tmp_path).path
    want = sha256_file(path)
    assert sha256_file(explain_into(tmp_path, weights=["x"]).path) != want
    explain_into(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    capsys.readouterr()
    assert sha256_file(explain_into(tmp_path).path) == want
    assert "masks.h5 is truncated" in capsys.readouterr().err


def test_nothing_to_explain_is_said_before_anything_is_written(tmp_path):
    pixels, _ = small_set()
    with pytest.raises(InputError, match=r"no sample is positive for pneumothorax, effusion; check the labels, or"):
        explain_into(tmp_path / "new", labels=np.zeros((len(pixels), 2)))
    assert not (tmp_path / "new").exists()


def test_only_what_scores_enough_is_explained_whatever_its_label(tmp_path):
    pixels, labels = small_set()
    config = ExplainConfig(steps=2, batch_size=4, only="scored", min_score=0.5)
    store = explain_into(tmp_path, pixels=pixels[:9], labels=labels[:9] * np.nan, sample_ids=list("abcdefghi"),
                         explain=config)  # fmt: skip
    with torch.no_grad():
        scores = torch.sigmoid(small_net().eval()(torch.from_numpy(pixels[:9]).float() / 255)).numpy()
    sample, finding = np.nonzero(scores >= 0.5)
    assert 0 < len(sample) < 18
    assert store.pairs.sample.tolist() == sample.tolist()
    assert store.pairs.finding.tolist() == finding.tolist()
    with pytest.raises(
        InputError, match=r"no sample scores 1.0 or more for .*; lower explain.min_score, or explain all"
    ):
        explain_into(tmp_path / "new", explain=config.model_copy(update={"min_score": 1.0}))


def test_several_classifiers_make_one_store_that_names_them_all(tmp_path):
    few = {"pixels": small_set()[0][:4], "labels": np.ones((4, 2)), "sample_ids": list("abcd")}
    other = small_net()
    with torch.no_grad():
        other[-1].weight.mul_(-1)
    one, two = (explain_into(tmp_path / f"{n}", models=[m], **few) for n, m in enumerate((small_net(), other)))
    both = explain_into(tmp_path / "both", models=[small_net(), other], weights=["a" * 64, "b" * 64], **few)
    assert both.header.settings["classifiers"] == ["a" * 64, "b" * 64]
    assert both.header.model not in ("a" * 64, "b" * 64)
    assert one.header.settings["classifiers"] == [one.header.model]
    assert len(both) > 1
    assert all(record.heatmap.min() >= 0 for record in both)
    assert both[0].delta == pytest.approx(max(one[0].delta, two[0].delta), rel=1e-4)


def test_the_effect_of_bfloat16_on_the_masks_is_said_and_stored(tmp_path, capsys):
    config = ExplainConfig(steps=4, batch_size=16, precision="bfloat16")
    store = explain_into(tmp_path, explain=config)
    (condition,) = store.conditions
    assert condition.startswith("bfloat16: IoU with the masks in float32 0.")
    assert condition.endswith("on 32 pairs")
    assert condition in capsys.readouterr().err
    assert explain_into(tmp_path / "plain").conditions == ()


def test_a_batch_that_was_halved_is_told_in_the_file(tmp_path):
    net, calls = small_net(), []

    class Room(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = net

        def forward(self, pixels):
            calls.append(len(pixels))
            if len(pixels) > 8:
                raise MemoryError
            return self.inner(pixels)

    store = explain_into(tmp_path, models=[Room()])
    assert store.conditions == ("out of memory: batches of 8",)
    assert calls.count(16) == 1
    easy = explain_into(tmp_path / "easy")
    assert store[0].score == pytest.approx(easy[0].score, abs=1e-6)
    overlaps = [iou(one.foreground, other.foreground) for one, other in zip(store, easy, strict=True)]
    assert np.mean(overlaps) >= 0.999


def test_steps_and_error_of_an_image_that_misses_the_tolerance_are_in_the_file(tmp_path):
    config = ExplainConfig(steps=2, batch_size=16, tolerance=1e-12, max_steps=6)
    store = explain_into(tmp_path, explain=config)
    assert store.header.settings["explain"]["tolerance"] == 1e-12
    assert {record.steps for record in store} == {6}
    assert all(record.delta > 1e-12 for record in store)


def test_an_unknown_method_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match=r"no attribution method is called 'grad_kam'"):
        explain_into(tmp_path / "new", explain=ExplainConfig(method="grad_kam"))
    assert not (tmp_path / "new").exists()


def test_a_baseline_that_cannot_be_had_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match=r"'mean' needs the mean of the training images"):
        explain_into(tmp_path / "new", mean=None)
    assert not (tmp_path / "new").exists()


def test_an_attribution_that_is_not_finite_names_sample_and_finding(tmp_path):
    net = small_net()
    with torch.no_grad():
        net[-1].weight[1] = torch.nan
    pixels, _ = small_set()
    with pytest.raises(InputError, match=r"sample 'b', finding 'effusion': the attribution is not finite; .* train it"):
        explain_into(
            tmp_path, models=[net], pixels=pixels[:2], labels=np.array([[0.0, 0], [0, 1]]), sample_ids=["a", "b"]
        )


def test_after_a_kill_the_same_command_ends_with_the_same_bytes(tmp_path):
    want = sha256_file(explain_into(tmp_path / "whole").path)
    folder = tmp_path / "killed"
    # Two syncs for the journal's head, two a shard: killed while the third shard lies under its temporary name.
    process = explain_until_sync(folder, 2 + 2 * 2 + 1)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "masks.h5").exists()
    assert len((folder / "masks.work" / "journal.jsonl").read_text().splitlines()) == 1 + 2
    assert list((folder / "masks.work").glob(".shard-000002*.tmp"))
    assert sha256_file(explain_into(folder).path) == want
    assert [path.name for path in folder.iterdir()] == ["masks.h5"]
