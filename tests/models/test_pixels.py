"""From stored pixels to what a network takes."""

import torch

from shortcut_audit.models.pixels import Standardise, as_pixels, padded_batches

CPU = torch.device("cpu")


def test_standardising_works_channel_by_channel():
    found = Standardise((0.5, 0.0), (0.5, 2.0))(torch.tensor([1.0, 1.0]).view(1, 2, 1, 1))
    assert found.flatten().tolist() == [1.0, 0.5]


def test_standardisation_is_not_a_weight():
    assert Standardise((0.5,), (0.5,)).state_dict() == {}


def test_stored_pixels_become_fractions():
    found = as_pixels(torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1))
    assert torch.allclose(found.flatten(), torch.tensor([0.0, 0.2, 1.0]))
    assert found.dtype == torch.float32


def test_all_batches_have_one_size_and_say_how_much_of_them_is_real():
    stored = torch.arange(7, dtype=torch.uint8).view(7, 1, 1, 1)
    batches = list(padded_batches(stored, device=CPU, batch_size=3))
    assert [count for _, count in batches] == [3, 3, 1]
    assert all(chunk.shape == (3, 1, 1, 1) for chunk, _ in batches)
    real = torch.cat([chunk[:count] for chunk, count in batches])
    assert torch.equal(real, as_pixels(stored))


def test_nothing_stored_gives_no_batch():
    assert list(padded_batches(torch.empty(0, 1, 2, 2, dtype=torch.uint8), device=CPU)) == []
