"""Raw data sets of nnU-Net (version 2), one a finding.

nnU-Net learns from maps of one integer a pixel, which must be consecutive from 0. Findings overlap, and
a pixel may be unknown for one finding and known for another; regions cannot say that (they are merged
integers, and their predictions are painted one over the other). So each finding is a data set of its own:
0 background, 1 the finding and, where masks leave pixels open, 2 ``ignore``, which must be the highest.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from shortcut_audit.data.decode import BadImageError
from shortcut_audit.data.images import read_image
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import InputError
from shortcut_audit.masks.exports import EXPORTS, SAYS_NOTHING, Exported, file_name, records
from shortcut_audit.masks.record import MaskRecord
from shortcut_audit.masks.store import MaskStore
from shortcut_audit.provenance import write_atomic

FIRST = 501
"""Number of the first data set; nnU-Net reserves none, and low ones are those of published data sets."""
NO_IMAGES = "imagesTr is empty: name the data set (--dataset, --root) to have the films written too, at the masks' size"


@EXPORTS.register("nnunet")
def nnunet(store: MaskStore, folder: Path, manifest: Manifest | None) -> Exported:
    """Folders for nnU-Net version 2, a data set each finding: dataset.json, imagesTr, labelsTr."""
    films = None if manifest is None else _Films(manifest, store)
    cases = dict.fromkeys(store.pairs.findings, 0)
    nothing, folders = 0, {name: folder / f"Dataset{FIRST + n}_{_plain(name)}" for n, name in enumerate(cases)}
    ignores = _that_ignore(store)
    for record in records(store):
        if not record.known.any():
            nothing += 1
            continue
        _write_case(folders[record.finding], record, films)
        cases[record.finding] += 1
    for finding, count in cases.items():
        if count:
            tree = _dataset(finding, count, films, ignore=finding in ignores)
            write_atomic(folders[finding] / "dataset.json", json.dumps(tree, indent=1, ensure_ascii=False))
    return Exported(
        masks=sum(cases.values()), left_out={SAYS_NOTHING: nothing} if nothing else {},
        notes=() if films else (NO_IMAGES,),
    )  # fmt: skip


class _Films:
    """The films of a manifest as grey PNG files of the masks' size."""

    channels = 1

    def __init__(self, manifest: Manifest, store: MaskStore) -> None:
        self._path = dict(zip(manifest.ids, manifest.images(), strict=True))
        self._size = store.header.height
        missing = [name for name in store.pairs.sample_ids if name not in self._path]
        if missing or store.header.height != store.header.width:
            what = f"sample '{missing[0]}' is not in it" if missing else "its masks are not square"
            raise InputError(f"{store.path} does not belong to the data set that was named: {what}")

    def write(self, sample_id: str, path: Path) -> None:
        try:
            film = read_image(self._path[sample_id], channels=self.channels, size=self._size)
        except BadImageError as error:
            raise InputError(f"sample '{sample_id}': {error}; export without --dataset, or mend it") from error
        Image.fromarray(np.rint(film[0] * 255).astype(np.uint8)).save(path)


def _plain(finding: str) -> str:
    """Return a finding as part of nnU-Net's name of a data set."""
    return re.sub(r"[^A-Za-z0-9]+", "_", finding).strip("_") or "finding"


def _that_ignore(store: MaskStore) -> set[str]:
    """Return the findings some of whose masks know some pixels only."""
    known = store.columns["known_px"]
    partly = (known > 0) & (known < store.header.height * store.header.width)
    return {store.pairs.findings[place] for place in set(store.pairs.finding[partly].tolist())}


def _write_case(place: Path, record: MaskRecord, films: _Films | None) -> None:
    case = file_name(record.sample_id)
    for name in ("labelsTr", "imagesTr"):
        (place / name).mkdir(parents=True, exist_ok=True)
    pixels = np.where(record.known, record.foreground, 2).astype(np.uint8)
    Image.fromarray(pixels).save(place / "labelsTr" / f"{case}.png")
    if films is not None:
        films.write(record.sample_id, place / "imagesTr" / f"{case}_0000.png")


def _dataset(finding: str, cases: int, films: _Films | None, *, ignore: bool) -> dict[str, object]:
    name = finding if finding not in {"background", "ignore"} else f"{finding} (finding)"
    return {
        "channel_names": {"0": "film"},
        "labels": {"background": 0, name: 1} | ({"ignore": 2} if ignore else {}),
        "numTraining": cases,
        "file_ending": ".png",
        "description": f"pseudo-masks of {finding}" + ("" if films else "; imagesTr is to be filled"),
    }
