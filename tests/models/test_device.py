"""Where networks run."""

import torch
from torch import nn

from shortcut_audit.models.device import compute_device, device_of, threads_shared


def test_networks_run_on_the_gpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert compute_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert compute_device().type == "cpu"


def test_a_network_is_where_its_weights_are():
    assert device_of(nn.Linear(1, 1, device="meta")).type == "meta"


def test_threads_are_shared_out_and_given_back():
    torch.set_num_threads(4)
    for processes, own in ((1, 4), (2, 2), (3, 1), (9, 1)):
        with threads_shared(processes):
            assert torch.get_num_threads() == own
    assert torch.get_num_threads() == 4
