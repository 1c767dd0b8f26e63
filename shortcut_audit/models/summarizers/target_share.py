"""A class's share inside the predicted target: a score that does not know size."""

from torch import Tensor

from shortcut_audit.models.summarizers import SUMMARIZERS


@SUMMARIZERS.register("target_share")
def target_share(probabilities: Tensor) -> Tensor:
    """Mean, weighted by how likely a pixel belongs to any class, of the class's share of that pixel.

    Needs two classes or more to say anything: with one the share is 1 everywhere.
    """
    total = probabilities.sum(dim=(1, 2, 3)).clamp_min(1e-12)
    return probabilities.sum(dim=(2, 3)) / total[:, None]
