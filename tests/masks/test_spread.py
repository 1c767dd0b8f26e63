"""Shards that several processes share: the same store, whoever makes them, and nothing lost with one of them."""

import multiprocessing
import signal

import pytest
import torch
from explain_small import SAMPLES, Deadly, explain_into, explain_until_sync, small_net
from one_thread import one_thread_on_the_processor

from shortcut_audit.config import ExplainConfig
from shortcut_audit.errors import InputError, OutputError, UsageError
from shortcut_audit.masks.shards import ShardWriter
from shortcut_audit.provenance import sha256_file

__all__ = ["one_thread_on_the_processor"]


def test_two_processes_leave_the_bytes_of_one(tmp_path):
    asked = {
        "explain": ExplainConfig(steps=4, batch_size=16, only="scored"), "models": [small_net(), small_net()],
        "weights": ["v" * 64, "w" * 64],
    }  # fmt: skip
    alone = explain_into(tmp_path / "one", **asked)
    shared = explain_into(tmp_path / "two", **asked, processes=2)
    assert len(alone) > SAMPLES / 2
    assert sha256_file(alone.path) == sha256_file(shared.path)
    assert multiprocessing.active_children() == []


def test_a_kill_ends_all_processes_and_costs_no_finished_shard(tmp_path):
    want = sha256_file(explain_into(tmp_path / "whole").path)
    folder = tmp_path / "killed"
    # Two syncs for the journal's head, two a shard. Streams that the others hold would be waited for until the timeout.
    assert explain_until_sync(folder, 2 + 2 + 1, processes=2).returncode == -signal.SIGKILL
    assert len((folder / "masks.work" / "journal.jsonl").read_text().splitlines()) == 1 + 1
    assert sha256_file(explain_into(folder, processes=2).path) == want


@pytest.mark.parametrize("when", ["it arrives", "it is shown films"])
def test_a_process_that_is_killed_is_told_and_what_was_made_is_kept(tmp_path, when):
    with pytest.raises(UsageError, match=r"--processes: one of 2 processes was ended .* the same command with fewer"):
        explain_into(tmp_path, models=[Deadly(when)], processes=2)
    assert multiprocessing.active_children() == []
    assert (tmp_path / "masks.work" / "journal.jsonl").exists()
    assert len(explain_into(tmp_path, models=[Deadly(when)])) > 0


def test_what_is_wrong_with_a_film_is_told_as_by_one_process(tmp_path):
    broken = small_net()
    with torch.no_grad():
        broken[-1].weight.fill_(float("nan"))
    with pytest.raises(InputError, match="the attribution is not finite"):
        explain_into(tmp_path, models=[broken], processes=2)
    assert multiprocessing.active_children() == []


def test_a_full_disk_ends_the_others_too(tmp_path, monkeypatch):
    def enter(*_, **__):
        raise OutputError("no space left")

    monkeypatch.setattr(ShardWriter, "enter", enter)
    with pytest.raises(OutputError, match="no space left"):
        explain_into(tmp_path, processes=2)
    assert multiprocessing.active_children() == []
