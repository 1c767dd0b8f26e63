"""COCO JSON: polygons, and run lengths as numbers or as a string."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from shortcut_audit.data.decode import MAX_PIXELS
from shortcut_audit.data.drawn import Drawn, Size
from shortcut_audit.data.drawn.codecs import CODECS, CodeError
from shortcut_audit.errors import InputError
from shortcut_audit.masks.imports import IMPORTS, Foreign
from shortcut_audit.shapes import Mask

Record = dict[str, Any]


@IMPORTS.register("coco")
def coco(source: Path) -> list[Foreign]:
    """COCO JSON; several annotations of one film and category are one mask. Ids from sample_id or file_name."""
    tree = _tree(source)
    try:
        images = {image["id"]: image for image in tree["images"]}
        kinds = {kind["id"]: str(kind["name"]) for kind in tree["categories"]}
        grouped: dict[tuple[Any, Any], list[Record]] = defaultdict(list)
        for annotation in tree["annotations"]:
            grouped[annotation["image_id"], annotation["category_id"]].append(annotation)
        return [
            _foreign(source, images[image], kinds[kind], annotations) for (image, kind), annotations in grouped.items()
        ]
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise InputError(f"{source} is not laid out as COCO: {error!r} is missing or of another type") from error


def _tree(source: Path) -> Record:
    try:
        tree = json.loads(source.read_bytes())
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror}); name a COCO JSON file") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON ({error}); name a COCO JSON file") from error
    if not isinstance(tree, dict) or not tree.get("annotations"):
        raise InputError(f"{source} holds no annotations; expected images, categories and annotations as in COCO")
    return tree


def _foreign(source: Path, image: Record, finding: str, annotations: list[Record]) -> Foreign:
    file = str(image["file_name"])
    stems = (file, PurePosixPath(file).with_suffix("").as_posix() if PurePosixPath(file).name else file)
    named = (str(image["sample_id"]),) if "sample_id" in image else stems
    height, width = int(image["height"]), int(image["width"])
    return Foreign(
        where=f"{source.name}: image '{file}', category '{finding}'", names=named, finding=finding,
        read=partial(_read, annotations, height, width),
    )  # fmt: skip


def _read(annotations: list[Record], height: int, width: int) -> Drawn:
    """Return the union of some annotations, and what all of them know."""
    if not 0 < height * width <= MAX_PIXELS or height < 0:
        raise ValueError(f"is of an image said to be {height} x {width}")
    drawn, known = np.zeros((height, width), dtype=bool), np.ones((height, width), dtype=bool)
    for annotation in annotations:
        drawn |= _segmentation(annotation.get("segmentation"), (height, width))
        if "known" in annotation:
            known &= _segmentation(annotation["known"], (height, width))
    return Drawn(foreground=drawn & known, known=known)


def _segmentation(value: Any, size: Size) -> Mask:
    if not isinstance(value, dict | list) or not value:
        raise ValueError("has no segmentation (a list of polygons, or run lengths)")
    if isinstance(value, dict) and value.get("size") != [*size]:
        raise ValueError(f"is of size {value.get('size')}, but its image of {size[0]} x {size[1]}")
    try:
        return CODECS.get("coco" if isinstance(value, dict) else "polygons").draw({"segmentation": value}, size)
    except CodeError as error:
        raise ValueError(str(error)) from error
