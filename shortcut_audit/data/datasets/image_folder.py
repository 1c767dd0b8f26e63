"""Images in folders that are their labels: ``root/CLASS/*.png``, or ``root/SPLIT/CLASS/*.png``.

Each class is a finding, 1 in its own folder and 0 in the others; option ``positive`` names the one class that alone is
a finding. Folders called train, val, test or the like (any case) are splits; without them images are cut by a hash of
their path and of option ``seed``. Files called ``..._mask.png`` and the like are no images and are left out: masks
come with a table (``dataset.name: table``). Each image is its own patient.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.datasets import DATASETS, chosen_options
from shortcut_audit.data.datasets.table import USUAL_SPLITS
from shortcut_audit.data.manifest import DataCard, Manifest
from shortcut_audit.data.places import EXTENSIONS, stem
from shortcut_audit.data.splits import complete
from shortcut_audit.errors import InputError, UsageError, did_you_mean

MEANS = {word: split for split, words in USUAL_SPLITS.items() for word in words}
MASKS = ("_mask", "_segmentation", "_lesion", "_seg", "_label")


@DATASETS.register("image_folder")
def image_folder(root: Path, config: DatasetConfig) -> Manifest:
    """Images in folders by class, with folders for splits above them or none."""
    chosen_options(config, {}, others=["positive", "seed"])
    paths = _images(root)
    split_first = any(len(path.parts) == 3 and _means(path.parts[0]) == "train" for path in paths)
    depth = 3 if split_first else 2
    kept = [path for path in paths if len(path.parts) == depth and not _is_mask(path)]
    kept = [path for path in kept if not split_first or _means(path.parts[0])]
    findings = _findings(kept, root)
    frame = pl.DataFrame(
        {
            "sample_id": [path.as_posix() for path in kept],
            "image": [path.as_posix() for path in kept],
            "split": [_means(path.parts[0]) if split_first else "train" for path in kept],
            **_labels([path.parts[-2] for path in kept], findings, config, root),
        }
    )
    salt = f"image_folder/{_seed(config)}"
    frame, notes = complete(frame, salt, cut_salt=salt)
    card = DataCard(name=root.resolve().name, licence="not stated", notes=(*_left_out(paths, kept), *notes))
    return Manifest.from_frame(frame, card=card, root=root, where=str(root))


def _images(root: Path) -> list[Path]:
    found = (path for path in root.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
    return sorted(path.relative_to(root) for path in found)


def _means(folder: str) -> str | None:
    return MEANS.get(folder.lower())


def _is_mask(path: Path) -> bool:
    return re.sub(r"_\d+$", "", stem(path.name).lower()).endswith(MASKS)


def _findings(kept: Sequence[Path], root: Path) -> dict[str, str]:
    """Return folder name in small letters -> name of the finding."""
    folders = sorted({path.parts[-2].lower() for path in kept})
    if len(folders) < 2:
        raise UsageError(
            f"{root}: images of {len(folders)} classes; expected CLASS/image.png or SPLIT/CLASS/image.png for two "
            "classes or more, with a folder train among the splits; name the folder above them with --root"
        )
    names = {folder: re.sub(r"\W+", "_", folder).strip("_") for folder in folders}
    twice, number = Counter(names.values()).most_common(1)[0]
    if number > 1 or "" in names.values():
        same = [folder for folder, name in names.items() if name in (twice, "")]
        raise InputError(f"{root}: the folders {', '.join(same)} cannot be told apart as findings; rename one of them")
    return names


def _labels(
    classes: Sequence[str], findings: dict[str, str], config: DatasetConfig, root: Path
) -> dict[str, list[float]]:
    wanted = findings
    if (positive := config.options.get("positive")) is not None:
        key = str(positive).lower()
        if key not in findings:
            raise UsageError(
                f"dataset.options.positive: {root} has no folder '{positive}'{did_you_mean(key, findings)}; it has: "
                f"{', '.join(findings)}"
            )
        wanted = {key: findings[key]}
    return {f"label.{name}": [float(one.lower() == folder) for one in classes] for folder, name in wanted.items()}


def _seed(config: DatasetConfig) -> int:
    value = config.options.get("seed", 0)
    if not str(value).isdecimal():
        raise UsageError(f"dataset.options.seed: '{value}' is no whole number; write 0, 1, 2, ...")
    return int(value)


def _left_out(paths: Sequence[Path], kept: Sequence[Path]) -> list[str]:
    masks = sum(_is_mask(path) for path in paths)
    elsewhere = len(paths) - len(kept) - sum(_is_mask(path) for path in paths)
    told = {"are called like masks": masks, "lie in no folder of a class": elsewhere}
    return [f"{number:,} of {len(paths):,} images {why} and are left out" for why, number in told.items() if number]
