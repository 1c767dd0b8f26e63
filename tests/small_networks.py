"""The smallest networks and films that behave like real ones: test_resnet at 32 px."""

import numpy as np
import torch

from shortcut_audit.config import ClassifierConfig, ImageConfig, SegmenterConfig
from shortcut_audit.models.card import ClassifierCard, SegmenterCard
from shortcut_audit.models.classifier import build_classifier
from shortcut_audit.models.segmenter import build_segmenter

SIZE = 32
IMAGE = ImageConfig(size=SIZE)
LEARN_LABELS = ClassifierConfig(architecture="test_resnet", epochs=2, batch_size=4)
LEARN_MASKS = SegmenterConfig(encoder="tu-test_resnet", epochs=2, pretrain_epochs=1, batch_size=4)
LOOK = {"channels": 1, "size": SIZE, "mean": (0.4,), "std": (0.2,), "seed": 0}


def classifier_card(**changes):
    fields = {"architecture": "test_resnet", "findings": ("pneumothorax", "effusion")}
    return ClassifierCard(**(LOOK | fields | changes))


def segmenter_card(**changes):
    fields = {
        "architecture": "unet", "encoder": "tu-test_resnet", "decoder_channels": (64, 32, 16, 16, 8),
        "activation": "sigmoid", "classes": ("pneumothorax",),
    }  # fmt: skip
    return SegmenterCard(**(LOOK | fields | changes))


def small_classifier(seed=0, **changes):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_classifier(classifier_card(**changes)).eval()


def small_segmenter(seed=0, **changes):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_segmenter(segmenter_card(**changes)).eval()


def small_films(count=12, size=SIZE):
    """Pixels (N, 1, S, S) uint8, labels (N, 1) and masks (N, 1, S, S): a bright square on every second film."""
    pixels = np.random.default_rng(0).integers(0, 120, (count, 1, size, size), dtype=np.uint8)
    labels = (np.arange(count) % 2 == 0).astype(float)[:, None]
    masks = np.zeros((count, 1, size, size), dtype=bool)
    masks[::2, :, 8:20, 4:16] = True
    pixels[masks] += 100
    return pixels, labels, masks


def film_names(pixels):
    """Sample ids of films."""
    return [f"film {row}" for row in range(len(pixels))]


def weights_of(model):
    """A copy of all tensors, by name."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def equal_weights(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
