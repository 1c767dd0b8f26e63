"""Adapters: small modules that learn beside an encoder that does not.

Each stage's features x become x + up(relu(down(x))), with 1 x 1 convolutions (residual adapters, Rebuffi et
al. 2017); ``up`` begins at zero, so that nothing changes before the first step. DoLL (Chen et al. 2024)
fine-tunes with "segmentation adapters"; how those are built is not published, so the place is ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Adapter(nn.Module):
    """Features (N, C, H, W) to features of the same shape."""

    def __init__(self, channels: int, width: float) -> None:
        super().__init__()
        inner = max(1, round(channels * width))
        self.down = nn.Conv2d(channels, inner, kernel_size=1)
        self.up = nn.Conv2d(inner, channels, kernel_size=1)
        nn.init.zeros_(self.up.weight)
        if self.up.bias is not None:
            nn.init.zeros_(self.up.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features and what the adapter adds to them."""
        added: Tensor = self.up(torch.relu(self.down(features)))
        return features + added


class FixedEncoder(nn.Module):
    """An encoder whose weights and statistics stay as they are, with or without adapters behind its stages.

    Args:
        encoder: of segmentation-models-pytorch; its first feature map is the image itself.
        width: width of an adapter's bottleneck as a share of the channels; None: no adapters.
    """

    def __init__(self, encoder: nn.Module, *, width: float | None) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False).eval()
        self.out_channels = list(encoder.out_channels)  # type: ignore[arg-type]
        self.output_stride = encoder.output_stride
        # Some timm networks have no stage at half size: smp gives it no channels.
        adapted = [place > 0 and channels > 0 and width is not None for place, channels in enumerate(self.out_channels)]
        self.adapters = nn.ModuleList(
            Adapter(channels, width or 0.0) if adapts else nn.Identity()
            for channels, adapts in zip(self.out_channels, adapted, strict=True)
        )

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return the feature maps, from the image itself to the coarsest."""
        with torch.no_grad():
            features = self.encoder(pixels)
        return [adapter(one) for adapter, one in zip(self.adapters, features, strict=True)]

    def train(self, mode: bool = True) -> FixedEncoder:
        """Let everything learn but the encoder: its batch statistics stay too."""
        super().train(mode)
        self.encoder.eval()
        return self
