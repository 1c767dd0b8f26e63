"""Mean pixel probability: the image score of Saab et al. 2022 and of Hooper et al. 2023."""

from torch import Tensor

from shortcut_audit.models.summarizers import SUMMARIZERS


@SUMMARIZERS.register("mean_probability")
def mean_probability(probabilities: Tensor) -> Tensor:
    """Mean over all pixels of a class's probability; it grows with the size of what is found."""
    return probabilities.mean(dim=(2, 3))
