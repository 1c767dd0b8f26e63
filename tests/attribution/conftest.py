"""Small networks and images for the attribution tests."""

import pytest
import torch
from torch import nn


class Linear(nn.Module):
    """Two logits, each a weighted sum of the pixels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, pixels):
        return torch.einsum("nchw,fchw->nf", pixels, self.weights)


@pytest.fixture
def images():
    return torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def targets():
    return torch.tensor([0, 1, 1, 0, 1])


@pytest.fixture
def linear():
    return Linear(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2)))


@pytest.fixture
def conv_net():
    """A convolutional network with batch normalisation whose running statistics are not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )
        net.train()
        with torch.no_grad():
            net(torch.rand(32, 3, 16, 16))
    return net
