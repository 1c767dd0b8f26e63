"""Data sets by name: each is one file with one function ``(root, config) -> Manifest``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.attributes import join_attributes
from shortcut_audit.data.derive import derive_attributes
from shortcut_audit.data.manifest import Manifest
from shortcut_audit.errors import UsageError, did_you_mean
from shortcut_audit.registry import Registry

Dataset = Callable[[Path, DatasetConfig], Manifest]
DATASETS: Registry[Dataset] = Registry("dataset", "shortcut_audit.data.datasets")
RENDERED = ("synthetic_cxr", "synthetic_derm")
"""Data sets that are rendered where they are not there yet; without a root, into the run folder."""
ROOT_VARIABLE = "SHORTCUT_AUDIT_DATA"


def open_dataset(config: DatasetConfig) -> Manifest:
    """Read the manifest of a data set, with the user's attributes joined and the card's texts as configured.

    Raises:
        UsageError: an unknown data set, no root, a column that is not there.
        InputError: the content of a table.
    """
    read = DATASETS.get(config.name)
    root = find_root(config)
    if config.name not in RENDERED and (config.root or config.table is None):
        _need_folder(root)
    manifest = read(root, config)
    said = {
        "name": config.title, "source": config.source, "licence": config.licence,
        "test_design": config.test_design, "pairs": config.pairs,
    }  # fmt: skip
    card = replace(manifest.card, **{key: value for key, value in said.items() if value})  # type: ignore[arg-type]
    manifest = replace(manifest, card=card)
    if config.attributes_file:
        manifest = join_attributes(manifest, Path(config.attributes_file))
    manifest = derive_attributes(manifest, config)
    # A prepared data set brings the notes that its configuration makes again.
    return replace(manifest, card=replace(manifest.card, notes=tuple(dict.fromkeys(manifest.card.notes))))


def _need_folder(root: Path) -> None:
    if root.is_file():
        raise UsageError(f"{root}: is a file; unpack it if it is an archive, and name its folder with --root")
    if not root.is_dir():
        raise UsageError(
            f"{root}: there is no such folder; name the folder of the data set with --root, or set {ROOT_VARIABLE} to "
            "the folder above"
        )


def refuse_options(config: DatasetConfig) -> None:
    """Refuse ``dataset.options`` on behalf of a data set that has none.

    Raises:
        UsageError: naming the first key.
    """
    for key in config.options:
        raise UsageError(f"dataset.options.{key}: the data set '{config.name}' has no options; leave this key out")


def chosen_options(
    config: DatasetConfig, allowed: Mapping[str, tuple[str, ...]], *, others: Sequence[str] = ()
) -> dict[str, str]:
    """Return ``dataset.options`` of a data set whose options are choices; what is not said is the first choice.

    Args:
        config: the ``dataset`` section.
        allowed: option -> its choices.
        others: options that are no choices and are read elsewhere.

    Raises:
        UsageError: an unknown option, or a value that is no choice.
    """
    known = (*allowed, *others)
    for key, value in config.options.items():
        if key not in known:
            raise UsageError(
                f"dataset.options.{key}: the data set '{config.name}' has no such option"
                f"{did_you_mean(key, known)}; it has: {', '.join(known)}"
            )
        if key in allowed and str(value) not in allowed[key]:
            raise UsageError(f"dataset.options.{key}: '{value}' is not one of {', '.join(allowed[key])}")
    return {key: str(config.options.get(key, choices[0])) for key, choices in allowed.items()}


def threshold_option(config: DatasetConfig, default: float) -> float:
    """Return ``dataset.options.threshold``, by which probabilities are cut.

    Raises:
        UsageError: it does not lie between 0 and 1.
    """
    value = config.options.get("threshold", default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1:
        raise UsageError(f"dataset.options.threshold: '{value}' is no probability; write a number from 0 to below 1")
    return number


def find_root(config: DatasetConfig) -> Path:
    """Return the folder of a data set: ``dataset.root``, else the folder of its name under SHORTCUT_AUDIT_DATA.

    A table without a root lies in its own folder.

    Raises:
        UsageError: neither is given.
    """
    if config.root:
        return Path(config.root).expanduser()
    if config.table:
        return Path(config.table.file).parent
    if base := os.environ.get(ROOT_VARIABLE):
        return Path(base) / config.name
    raise UsageError(
        f"where is the data set '{config.name}'? Say --root FOLDER (dataset.root in a config), or set "
        f"{ROOT_VARIABLE} to a folder that holds '{config.name}'"
    )
