"""One thread, no GPU: the networks are too small for more, and equal bytes are asked for."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
