"""Predicted area, whatever the class: what a score owes to size alone."""

from torch import Tensor

from shortcut_audit.models.summarizers import SUMMARIZERS

LEVEL = 0.5


@SUMMARIZERS.register("predicted_area")
def predicted_area(probabilities: Tensor) -> Tensor:
    """Share of the image where the classes together are more likely than not; equal for all classes."""
    together = probabilities.sum(dim=1, keepdim=True) > LEVEL
    return together.float().mean(dim=(2, 3)).expand(-1, probabilities.shape[1])
