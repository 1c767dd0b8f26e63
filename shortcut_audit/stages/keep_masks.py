"""What ``audit masks`` does: look at a store, check it, bring masks in and out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shortcut_audit.config import Config
from shortcut_audit.data.datasets import open_dataset
from shortcut_audit.data.manifest import Manifest, read_manifest
from shortcut_audit.errors import InputError, UsageError
from shortcut_audit.masks.bring import Brought, import_masks
from shortcut_audit.masks.exports import Exported, export_store
from shortcut_audit.masks.planes import copy_parts
from shortcut_audit.masks.store import NAME, MaskStore, is_whole
from shortcut_audit.masks.summary import Summary, summarise
from shortcut_audit.masks.verify import Verified, verify_store
from shortcut_audit.provenance import copy_private, sha256_file
from shortcut_audit.stages.study import Study, findings_asked


def store_path(path: Path) -> Path:
    """Return the store that a path means: the file, or ``masks.h5`` in a run folder."""
    return path / NAME if path.is_dir() else path


def info(path: Path) -> Summary:
    """Return a store in numbers."""
    return summarise(MaskStore(store_path(path)))


def verify(path: Path, manifest: Path | None) -> Verified:
    """Recompute all checksums of a store; hold it against the manifest in a folder."""
    known = None if manifest is None else read_manifest(manifest.parent if manifest.is_file() else manifest)
    return verify_store(store_path(path), known)


def export(path: Path, kind: str, out: Path, config: Config | None) -> Exported:
    """Export a store, with the films of a data set where one is named."""
    store = MaskStore(store_path(path))
    manifest = None if config is None else open_dataset(config.dataset)
    if manifest is not None:
        _check_films(store, manifest)
    return export_store(store, kind, out, manifest)


def _check_films(store: MaskStore, manifest: Manifest) -> None:
    if missing := sorted(set(store.pairs.sample_ids) - set(manifest.ids)):
        raise InputError(
            f"{store.path}: {len(missing)} of its samples are not in '{manifest.card.name}', as '{missing[0]}'; "
            "name the data set that it was made from"
        )


def bring(source: Path, kind: str, out: Path, config: Config, *, names: Sequence[str], skip_unmatched: bool) -> Brought:
    """Import masks made elsewhere for the films of a data set, at the working size of the configuration."""
    pairs = [name.partition("=") for name in names]
    if wrong := [name for name, (_, sign, ours) in zip(names, pairs, strict=True) if not sign or not ours]:
        raise UsageError(f"--name '{wrong[0]}' is not THEIRS=FINDING, as in --name Pneumothorax=pneumothorax")
    manifest = open_dataset(config.dataset)
    return import_masks(
        source, kind, manifest=manifest, findings=findings_asked(config, manifest), size=config.image.size,
        folder=out, names={theirs: ours for theirs, _, ours in pairs}, skip_unmatched=skip_unmatched,
    )  # fmt: skip


def take_masks(study: Study, store: MaskStore) -> None:
    """Copy a mask store into a run whose films, findings and working size it fits.

    Raises:
        UsageError: it was made from other films, for other findings or at another size.
    """
    size, header = study.config.image.size, store.header
    if header.manifest != study.manifest.fingerprint:
        raise UsageError(
            f"{store.path} was made from other films than those of '{study.manifest.card.name}'; name the data set "
            "it was made from, or import the masks again"
        )
    if store.pairs.findings != study.findings:
        raise UsageError(
            f"{store.path} is about {', '.join(store.pairs.findings)}; this run is about {', '.join(study.findings)}; "
            "set classifier.findings"
        )
    if (header.height, header.width) != (size, size):
        raise UsageError(
            f"{store.path} holds masks of {header.height} x {header.width} px, this run works at {size}; "
            f"set image.size={header.height}"
        )
    target = study.run.path(NAME)

    def work() -> None:
        copy_private(store.path, target)
        if store.parts:
            copy_parts(store.path, target, store.parts)

    study.run.stage(
        "masks", inputs={"masks": sha256_file(store.path)}, outputs=[NAME], work=work,
        whole=lambda: is_whole(target),
    )  # fmt: skip
