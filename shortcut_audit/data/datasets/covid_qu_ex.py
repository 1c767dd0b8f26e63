"""COVID-QU-Ex (Tahir et al. 2021), as downloaded: folders are the labels, lungs and infections are drawn.

The release has two parts, each with its own split of overlapping films: option ``part`` takes the films with lung
masks (``lung``) or those with infection masks too (``infection``), never both. There are no patient ids.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import find_folders
from shortcut_audit.data.published import Published
from shortcut_audit.errors import UsageError

SPLITS = {"Train": "train", "Val": "val", "Test": "test"}
CLASSES = {"COVID-19": "covid_19", "Non-COVID": "other_pneumonia", "Normal": "normal"}
MASKS = {"lung masks": "mask.lung", "infection masks": "mask.infection"}
PARTS = {"lung": "Lung Segmentation Data", "infection": "Infection Segmentation Data"}
PUBLISHED = {
    "lung": Published(
        table=PARTS["lung"],
        rows=33_920,
        source="Tahir et al. 2021",
        values={f"label.{name}": {"1": n} for name, n in zip(CLASSES.values(), (11956, 11263, 10701), strict=True)},
    ),
    "infection": Published(
        table=PARTS["infection"],
        rows=5_826,
        source="Tahir et al. 2021",
        values={f"label.{name}": {"1": n} for name, n in zip(CLASSES.values(), (2913, 1457, 1456), strict=True)},
    ),
}
CARD = DataCard(
    name="COVID-QU-Ex",
    source="Kaggle, COVID-QU-Ex dataset, Qatar University",
    licence="CC BY-SA 4.0",
    citation="Tahir et al. 2021, COVID-19 infection localization and severity grading from chest X-ray images",
)


@DATASETS.register("covid_qu_ex")
def covid_qu_ex(root: Path, config: DatasetConfig) -> Manifest:
    """COVID-QU-Ex: COVID-19, other pneumonia or normal, with lung masks or infection masks."""
    part = chosen_options(config, {"part": ("lung", "infection")})["part"]
    folder = _folder(root, PARTS[part])
    rows = [row for split in SPLITS for name in CLASSES for row in _rows(folder, root, split, name)]
    if not rows:
        raise UsageError(f"{folder}: no image in Train/COVID-19/images and the like; fetch the data set again")
    frame = pl.DataFrame(rows, infer_schema_length=None)
    empty = [name for name in MASKS.values() if frame[name].null_count() == frame.height]
    card = replace(CARD, release=PARTS[part], notes=tuple(PUBLISHED[part].notes(frame)))
    return Manifest.from_frame(frame.drop(empty), card=card, root=root, where=str(folder))


def _folder(root: Path, name: str) -> Path:
    """Return the folder with Train in it: the release has a folder of the same name inside of each."""
    for folder in (*find_folders(root, [f"{name}/{name}", name]), root):
        if (folder / "Train").is_dir():
            return folder
    raise UsageError(
        f"{root}: no folder '{name}' with Train in it; name the folder that was unpacked with --root, or choose "
        "the other part with --set dataset.options.part=lung or infection"
    )


def _rows(folder: Path, root: Path, split: str, name: str) -> list[dict[str, str | int | None]]:
    place = folder / split / name
    drawn = {mask: {path.name for path in (place / mask).glob("*.png")} for mask in MASKS}
    return [
        {
            "sample_id": f"{split}/{name}/{image.stem}",
            "image": image.relative_to(root).as_posix(),
            "split": SPLITS[split],
            **{f"label.{label}": int(label == CLASSES[name]) for label in CLASSES.values()},
            **{
                column: (place / mask / image.name).relative_to(root).as_posix() if image.name in drawn[mask] else None
                for mask, column in MASKS.items()
            },
        }
        for image in sorted((place / "images").glob("*.png"))
    ]
