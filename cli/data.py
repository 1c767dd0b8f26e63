"""``audit data``: looks at a data set before anything is trained on it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .lint import lint
from .options import ConfigOptions, DataOptions, takes
from .output import emit, emit_json

if TYPE_CHECKING:
    from shortcut_audit.config import Config
    from shortcut_audit.data.manifest import Manifest

app = typer.Typer(
    no_args_is_help=True,
    help="Check a data set as downloaded, write its manifest, look for cheats in it, or render a synthetic one.\n\n"
    "Example: audit data check --dataset chexpert --root data/CheXpert-v1.0-small",
)
app.command()(lint)
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")]


@app.command()
@takes(DataOptions)
def check(
    options: DataOptions,
    *,
    decode: Annotated[
        str,
        typer.Option(metavar="all|N|none", help="Which images are opened: all, some N of them, none."),
    ] = "all",
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also say what differs from the manifest in a prepared folder, or in a run."),
    ] = None,
) -> None:
    """Open a data set, count it, read its images, and say what goes with what.

    Reads the tables, the images, masks and footprints. Leaves nothing
    (but the pictures of MedMNIST, which are written out beside their file).
    Images that cannot be read are named, and counted by label and attribute
    with the difference to all others: a corrupt file can itself be a
    shortcut. Images that occur twice are named, as are pairs that look
    alike in two splits, with how many do so by chance.
    Exit code 4 where nothing must be trained on it: a table that is not the
    one that SHA256SUMS.txt beside it lists, a patient in two splits, one
    file in two splits under two patients, an impossible label, too many
    images or masks that cannot be read; with --against a sample that is new
    or gone, or a cell or column that differs (images are not compared).

    Example: audit data check --dataset chexpert --attributes tubes.csv
    """
    from shortcut_audit.data.changes import changes_since, read_earlier
    from shortcut_audit.data.datasets import open_dataset
    from shortcut_audit.stages.data_check import check_data, chosen_rows

    from .data_changes import print_changes
    from .data_tables import as_record, print_check
    from .overview import overview, print_overview

    config = options.load()
    chosen_rows(1, decode, seed=config.seed)  # a slip is told before anything is read
    earlier = read_earlier(against) if against else None
    manifest = open_dataset(config.dataset)
    changes = changes_since(earlier, manifest, against=str(against)) if earlier else None
    seen = overview(manifest, config.dataset.blank)
    if not options.as_json:
        print_overview(seen)
        print_changes(changes)
    found = check_data(manifest, config, decode)
    if options.as_json:
        emit_json({**asdict(seen), **as_record(found), "changes": asdict(changes) if changes else None})
    else:
        print_check(found)
    found.refuse()
    if changes:
        changes.refuse()


@app.command()
@takes(DataOptions)
def prepare(
    options: DataOptions,
    *,
    out: OutFolder,
    pixels: Annotated[
        bool,
        typer.Option("--pixels", help="Also decode every image once, at image.size and image.channels."),
    ] = False,
) -> None:
    """Write the manifest of a data set: one row a film, and the data card beside it.

    The folder is then a data set itself: --dataset prepared --root DIR.
    With --pixels, training on it reads pixels instead of decoding images,
    as long as neither the images nor image.size and image.channels change.
    If it is stopped, the same command goes on.

    Reads the data set's tables, with --pixels all images.
    Leaves manifest.csv and manifest.json, with --pixels pixels_CxS.npy,
    .csv and .json. All but the last hold ids or images (mode 0600).

    Example: audit data prepare --dataset chexpert --out prepared/chexpert
    """
    from shortcut_audit.data.datasets import open_dataset
    from shortcut_audit.stages.prepare import prepare as prepare_data

    config = options.load()
    manifest = open_dataset(config.dataset)
    lost = prepare_data(manifest, out, config.image if pixels else None)
    if options.as_json:
        cached = None if lost is None else {"images": int(lost.kept.sum()), "unreadable": lost.reasons}
        _tell(out / "manifest.csv", manifest, as_json=True, pixels=cached)
        return
    _tell(out / "manifest.csv", manifest, as_json=False)
    emit(f"fingerprint: {manifest.fingerprint}")
    if lost is not None:
        shape = f"{config.image.channels} x {config.image.size} x {config.image.size}"
        emit(f"pixels of {int(lost.kept.sum())} images, {shape}; use them: {_how_to_use(config, out)}")
        if note := lost.note():
            emit(note)


@app.command()
@takes(ConfigOptions)
def synth(
    options: ConfigOptions,
    *,
    out: OutFolder,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="synthetic_cxr (chest films, the default) or synthetic_derm.")
    ] = None,
) -> None:
    """Render synthetic chest films or dermoscopic images, each also with each planted attribute switched.

    Reads nothing. What is planted, how strongly, and with which errors is
    said by dataset.options: see docs/how-to/synthetic.md.
    Leaves images, masks and footprints (PNG), manifest.csv, manifest.json.

    Example: audit data synth --dataset synthetic_derm --out derm --set dataset.options.size_link=1
    """
    from shortcut_audit.data.datasets import DATASETS, RENDERED
    from shortcut_audit.errors import UsageError

    config = options.load(dataset__options__seed=options.seed, dataset__name=dataset)
    name = config.dataset.name
    if name not in RENDERED:
        raise UsageError(f"the data set '{name}' is not rendered; expected --dataset {' or '.join(RENDERED)}")
    manifest = DATASETS.get(name)(out, config.dataset)
    _tell(out / "manifest.csv", manifest, as_json=options.as_json)


def _how_to_use(config: Config, out: Path) -> str:
    """Return the options that read these pixels; those of another size are not read."""
    asked, usual = config.image.model_dump(), type(config.image)().model_dump()
    words = [f"--set image.{name}={asked[name]}" for name in asked if asked[name] != usual[name]]
    return " ".join([f"--dataset prepared --root {out}", *words])


def _tell(path: Path, manifest: Manifest, *, as_json: bool, **more: object) -> None:
    if as_json:
        emit_json({"manifest": str(path), "images": len(manifest), "fingerprint": manifest.fingerprint, **more})
    else:
        emit(f"{path}: {len(manifest)} images; it holds ids, so keep it to yourself")
