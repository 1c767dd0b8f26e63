"""The commands that compute: demo, train, explain, pretrain, finetune. Each is one call of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import RunOptions, StageOptions, takes
from .verdict import show

OWN = "This command"
NO_LINK = 0.5
"""P(tube) in both classes, and of the tube's side, where there is no association to learn."""
RunFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", rich_help_panel=OWN, help="Run folder to take models and masks from; else the newest."),
]


@takes(RunOptions)
def demo(
    options: RunOptions,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", rich_help_panel=OWN, help="One minute; promises only the classifier's FAIL.")
    ] = False,
    no_shortcut: Annotated[
        bool,
        typer.Option("--no-shortcut", rich_help_panel=OWN, help="Train where tube and pneumothorax are independent."),
    ] = False,
    severity_link: Annotated[
        float | None,
        typer.Option(metavar="LOG-ODDS", rich_help_panel=OWN,
                     help="In the test films only: log-odds of a tube per SD of log size of the pneumothorax."),
    ] = None,
) -> None:  # fmt: skip
    """The whole story on built-in synthetic chest X-rays with a planted chest tube.

    Reads nothing: it renders films, each with and without the tube.
    Trains, explains, pre-trains, fine-tunes, audits: about four minutes.
    Leaves a run folder with report.html; ends with 0 whatever the verdicts.

    Example: audit demo --quick
    """
    from shortcut_audit import pipeline

    config = options.load(
        "demo_quick" if quick else "demo",
        dataset__options__tube_given_finding=NO_LINK if no_shortcut else None,
        dataset__options__tube_given_none=NO_LINK if no_shortcut else None,
        dataset__options__ipsilateral=NO_LINK if no_shortcut else None,
        dataset__options__severity_link=severity_link,
    )
    show(pipeline.demo(config, out=options.out, new=options.new), as_json=options.as_json)


@takes(StageOptions)
def train(
    options: StageOptions,
    *,
    supervision: Annotated[
        Literal["label", "mask", "both"],
        typer.Option(rich_help_panel=OWN, help="label: a classifier. mask: a segmenter on drawn masks. both: both."),
    ] = "label",
) -> None:
    """Train a classifier, a segmenter on drawn masks, or both on the same films.

    Reads a data set (--dataset, --root) or your own table (--config).
    Leaves weights (safetensors) with a readable card beside them.

    Example: audit train --dataset chexpert --root data/CheXpert-v1.0-small
    """
    from shortcut_audit import pipeline

    show(pipeline.train(options.load(), out=options.out, new=options.new, supervision=supervision),
         as_json=options.as_json)  # fmt: skip


Models = Annotated[
    list[Path] | None,
    typer.Option("--classifier", metavar="FILE", rich_help_panel=OWN,
                 help="Take this model. Repeatable: the mean absolute attribution of all is stored."),
]  # fmt: skip

Processes = Annotated[
    int,
    typer.Option("--processes", min=1, rich_help_panel=OWN,
                 help="Explain in so many processes, each on a GPU of its own where there are several."),
]  # fmt: skip


@takes(StageOptions)
def explain(
    options: StageOptions, *, run: RunFolder = None, classifier: Models = None, processes: Processes = 1
) -> None:
    """Explain a classifier over a data set and store the pseudo-masks.

    Reads a data set and the classifier of a run, or model files; of a segmenter its score is explained.
    Leaves masks.h5: a heat map and a pseudo-mask for each film and finding.

    Example: audit explain --dataset chexpert --run runs/20261120-1032-chexpert
    """
    from shortcut_audit import pipeline

    show(pipeline.explain(options.load(), out=options.out, new=options.new, run=run, models=classifier or (),
                          processes=processes), as_json=options.as_json)  # fmt: skip


@takes(StageOptions)
def pretrain(
    options: StageOptions,
    *,
    classifier: Models = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=OWN,
                     help="Take these masks ('audit masks import'); nothing is explained."),
    ] = None,
    processes: Processes = 1,
) -> None:  # fmt: skip
    """Train a classifier (or take some), explain it, and pre-train a segmenter on the pseudo-masks.

    Reads a data set with image labels; needs no drawn mask.
    Leaves classifier, masks.h5 and segmenter in a run folder.

    Example: audit pretrain --dataset chexpert
    """
    from shortcut_audit import pipeline

    show(pipeline.pretrain(options.load(), out=options.out, new=options.new, classifiers=classifier or (), masks=masks,
                           processes=processes), as_json=options.as_json)  # fmt: skip


@takes(StageOptions)
def finetune(
    options: StageOptions,
    *,
    run: RunFolder = None,
    arms: Annotated[
        str | None,
        typer.Option(metavar="NAMES", rich_help_panel=OWN,
                     help="Compare ways to fine-tune: all, or some of full,frozen,adapters,encoder,scratch."),
    ] = None,
    fractions: Annotated[
        str | None,
        typer.Option(metavar="SHARES", rich_help_panel=OWN, help="With --arms: shares of the labels, as 0.01,0.1,1."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="NUMBERS", rich_help_panel=OWN, help="With --arms: seeds, as 0,1,2.")
    ] = None,
) -> None:  # fmt: skip
    """Fine-tune a pre-trained segmenter on drawn masks, beside the same network from scratch.

    Reads a data set with drawn masks and a pre-trained segmenter.
    Leaves both segmenters; with --arms a comparison of ways to fine-tune on shares of the labels.

    Example: audit finetune --run runs/20261120-1032-synthetic --arms all --fractions 0.01,0.1,1
    """
    from shortcut_audit import pipeline
    from shortcut_audit.config.finetune import ARMS
    from shortcut_audit.errors import UsageError

    names = list(ARMS) if arms == "all" else _listed(arms)
    config = options.load(
        finetune__arms=names, finetune__fractions=_listed(fractions), finetune__seeds=_listed(seeds)
    )  # fmt: skip
    if (fractions or seeds) and not config.finetune.arms:
        raise UsageError("--fractions and --seeds go with --arms; add --arms all, or name some arms")
    outcome = pipeline.finetune(config, out=options.out, new=options.new, run=run)
    show(outcome, as_json=options.as_json)


def _listed(text: str | None) -> list[str] | None:
    """Return the parts of a text between commas; None where nothing was typed."""
    return None if text is None else [part.strip() for part in text.split(",")]
