"""The engine: precision, and gradients that arrive."""

import pytest
import torch
from torch import nn

from shortcut_audit.training.engine import Engine, native_precision


@pytest.mark.parametrize(
    ("capability", "expected"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({"avx2": True}, "32-true")],
)
def test_a_processor_that_computes_bfloat16_is_used_for_it(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capability)
    assert native_precision() == expected


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_gpu_that_only_emulates_bfloat16_is_not(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert native_precision() == expected


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_step_moves_the_weights_which_stay_in_float32(precision):
    engine = Engine(precision=precision)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 1))
    before = network[0].weight.detach().clone()
    prepared, optimiser = engine.setup(network, torch.optim.SGD(network.parameters(), lr=0.1))
    engine.backward(prepared(engine.to_device(torch.ones(2, 1, 3, 3))).float().square().mean())
    optimiser.step()
    assert network[0].weight.dtype == torch.float32
    assert not torch.equal(network[0].weight.detach().cpu(), before)
