"""Mean of the largest pixel probabilities: peak evidence, nearly free of size."""

from torch import Tensor

from shortcut_audit.models.summarizers import SUMMARIZERS

SHARE = 0.005
"""Share of the pixels that counts (ours): about the area of a small pneumothorax."""


@SUMMARIZERS.register("top_mean")
def top_mean(probabilities: Tensor) -> Tensor:
    """Mean probability of the 0.5 % of pixels where the class is most likely."""
    pixels = probabilities.flatten(start_dim=2)
    count = max(1, round(SHARE * pixels.shape[2]))
    return pixels.topk(count, dim=2).values.mean(dim=2)
