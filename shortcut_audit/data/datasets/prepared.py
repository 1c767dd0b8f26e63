"""A data set that 'audit data prepare' wrote: its manifest, and its pixels where they were cached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shortcut_audit.config import DatasetConfig
from shortcut_audit.data.attributes import attribute_columns
from shortcut_audit.data.datasets import DATASETS, refuse_options
from shortcut_audit.data.derive import parse_rule
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.data.pixel_cache import cache_folder
from shortcut_audit.data.tables import read_text_table


@DATASETS.register("prepared")
def prepared(root: Path, config: DatasetConfig) -> Manifest:
    """A folder that 'audit data prepare' wrote, with its pixel cache where it has one."""
    refuse_options(config)
    manifest = read_manifest(root)
    # The folder may have been moved since its path was written down.
    cache, again = cache_folder(root), [f"attribute.{name}" for name in _made_again(manifest, config)]
    return replace(manifest, cache=cache, frame=manifest.frame.drop(again))


def _made_again(manifest: Manifest, config: DatasetConfig) -> list[str]:
    """Return the attributes that the configuration makes anew; it may be the one that the folder was prepared by."""
    names = [name for name, text in config.attributes.items() if parse_rule(name, text).source != f"attribute.{name}"]
    if config.attributes_file:
        names += attribute_columns(read_text_table(Path(config.attributes_file)), manifest.findings)
    return [name for name in dict.fromkeys(names) if name in manifest.attributes]
