"""Two dozen tiny films: a bright square is the finding, a bright column the tube; two films a patient."""

import numpy as np
from PIL import Image
from small_networks import SIZE

SPLITS = ["train"] * 8 + ["val"] * 6 + ["test"] * 10
BOX = np.zeros((SIZE, SIZE), dtype=bool)
BOX[8:20, 4:16] = True
COLUMN = np.zeros((SIZE, SIZE), dtype=bool)
COLUMN[:, 26:28] = True


def write_film(root, row):
    """Write film, counterpart and masks; return the manifest's row. Two films a patient."""
    label, tube = row % 2, row // 2 % 2
    base = np.random.default_rng(row).integers(0, 120, (SIZE, SIZE), dtype=np.uint8) + 100 * (BOX & bool(label))
    states = [base.astype(np.uint8), np.where(COLUMN, 250, base).astype(np.uint8)]
    names = {
        "image": f"film{row}.png",
        "switched": f"switched{row}.png",
        "box": f"box{row}.png",
        "column": "column.png",
    }
    for name, pixels in ((names["image"], states[tube]), (names["switched"], states[1 - tube])):
        Image.fromarray(pixels).save(root / name)
    Image.fromarray(BOX).save(root / names["box"])
    Image.fromarray(COLUMN).save(root / names["column"])
    return {
        "sample_id": f"s{row}", "image": names["image"], "patient_id": f"p{SPLITS[row]}{row // 2}",
        "split": SPLITS[row], "label.pneumothorax": str(label), "attribute.chest_tube": str(tube),
        "mask.pneumothorax": names["box"] if label else None, "mask.lungs": names["box"],
        "footprint.chest_tube": names["column"] if tube else None, "counterpart.chest_tube": names["switched"],
    }  # fmt: skip
