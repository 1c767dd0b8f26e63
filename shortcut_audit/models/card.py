"""The readable card beside every file of weights: what the network is and how it came about."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int
    trained_on: str = ""
    """Fingerprint of the manifest of the training films."""
    started_from: str = ""
    """SHA-256 of the weights that training started from; blank: random initialisation."""
    supervision: str = ""
    history: tuple[dict[str, Any], ...] = ()
    chosen: str = ""
    """Which epoch was kept, and by which rule."""


class ClassifierCard(_Card):
    """A timm network with one logit a finding.

    With ``outputs`` 3 the network has three, of *negative*, *positive* and *uncertain* in this order (U-MultiClass of
    Irvin et al. 2019, CheXpert); the logit is then positive minus negative.
    """

    kind: Literal["classifier"] = "classifier"
    architecture: str
    findings: tuple[str, ...]
    outputs: Literal[1, 3] = 1


class SegmenterCard(_Card):
    """A segmentation-models-pytorch network with one probability map a class.

    With ``softmax`` the network has one more output, the background, which comes first.
    """

    kind: Literal["segmenter"] = "segmenter"
    architecture: Literal["unet"]
    encoder: str
    decoder_channels: tuple[int, ...]
    activation: Literal["sigmoid", "softmax"]
    classes: tuple[str, ...]
    encoder_fixed: bool = False
    """Whether the encoder did not learn; a file of what did learn may then be without it."""
    adapter_width: float | None = None
    """Of a fixed encoder with adapters: width of their bottleneck as a share of the channels."""


ModelCard = Annotated[ClassifierCard | SegmenterCard, Field(discriminator="kind")]
