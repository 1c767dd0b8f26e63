"""The page of a comparison of ways to fine-tune, and its numbers as a table: what ``audit finetune --arms`` leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from shortcut_audit.audit.arms.result import LONG, ArmNumber, ArmsResult, NumberName, Reach
from shortcut_audit.provenance import sha256_file, write_atomic
from shortcut_audit.report.blocks import bullets, definitions, folded, nothing, paragraph, table
from shortcut_audit.report.learning_chart import Series, SeriesPoint, learning_chart
from shortcut_audit.report.markup import anchor, join, tag
from shortcut_audit.report.numbers import count, estimate, in_words, number
from shortcut_audit.report.render import Part, render_page
from shortcut_audit.report.sections.reproduce import origin_of
from shortcut_audit.report.tables import csv_text
from shortcut_audit.report.vocabulary import plain

ARM_WORDS = {
    "full": "all learns",
    "frozen": "encoder frozen",
    "adapters": "adapters",
    "encoder": "encoder transferred",
    "scratch": "from scratch",
    LONG: "scratch, same compute",
}
ARM_MEANINGS = {
    "full": "starts from the whole pre-trained segmenter",
    "frozen": "the same; the encoder's weights and batch statistics stay",
    "adapters": "the same, with small residual modules behind the encoder's stages that learn",
    "encoder": "starts from the pre-trained encoder; the decoder is new",
    "scratch": "starts from random weights",
    LONG: "from scratch, for the steps of pre-training and fine-tuning together",
}
NUMBER_WORDS: dict[NumberName, str] = {
    "dice": "Dice",
    "iou": "IoU",
    "painted_empty": "Films without it in which something is painted",
    "dice_less_scratch": "Dice, less scratch",
    "iou_less_scratch": "IoU, less scratch",
    "dice_less_same_compute": "Dice, less scratch with the same compute",
    "iou_less_same_compute": "IoU, less scratch with the same compute",
}
PLAIN_NUMBERS: tuple[NumberName, ...] = ("dice", "iou", "painted_empty")
HOW = (
    "Overlap is counted in test films whose drawn mask is not empty, each film for itself, at the working size and a "
    "probability above 0.5. Where the drawn mask is empty no overlap is defined; the share of such films in which "
    "anything is painted stands beside it. Intervals are over patients. Every arm had the same films, order, flips, "
    "loss and steps; learning rate and checkpoint were chosen on validation films, which keep all their masks: with "
    "few labels that is more than one would have."
)
MISLEAD = (
    "A difference from scratch on one seed holds for that training, not for the way of training. Seconds hold for the "
    "machine that was used and whatever else it was doing. What pre-training inherited from its teacher, a shortcut "
    "included, is not seen here: audit the segmenter (audit evaluate)."
)


def write_arms_report(result: ArmsResult, path: Path) -> list[Path]:
    """Write ``arms.json`` to ``path``, and beside it ``arms.csv`` and ``arms.html``; return the three."""
    write_atomic(path, result.model_dump_json(by_alias=True, indent=1) + "\n")
    rows = (list(one.model_dump().values()) for one in result.numbers)
    write_atomic(path.with_suffix(".csv"), csv_text(list(ArmNumber.model_fields), rows))
    write_atomic(path.with_suffix(".html"), arms_page(result, source_sha256=sha256_file(path)))
    return [path, path.with_suffix(".csv"), path.with_suffix(".html")]


def arms_page(result: ArmsResult, *, source_sha256: str) -> str:
    """Return the comparison as one HTML page."""
    parts = [
        Part("curves", "Overlap by share of the labels", _curves(result)),
        Part("differences", "Against training from scratch", _differences(result)),
        Part("time", "Steps and seconds to a given Dice", _time(result)),
        Part("choice", "Learning rates and trainings", _choice(result)),
        Part("method", "Method", _method(result)),
        Part("reproduce", "How to reproduce", origin_of(result.provenance)),
    ]
    about = [
        f"{count(result.test_images)} test images of {count(result.test_patients)} patients",
        f"pre-trained segmenter {result.pretrained[:12]}",
    ]
    return render_page(result, parts, about=about, source="arms.json", source_sha256=source_sha256)


def _curves(result: ArmsResult) -> Markup:
    structures = list(dict.fromkeys(one.structure for one in result.numbers))
    charts = [_chart(result.numbers, structure) for structure in structures]
    shown = [one for one in result.numbers if one.name in PLAIN_NUMBERS]
    return join([tag("div", *charts, class_="panels"), folded("All numbers", _numbers("Overlap", shown))])


def _chart(numbers: Sequence[ArmNumber], structure: str) -> Markup:
    of = [one for one in numbers if one.structure == structure and one.name == "dice"]
    series = []
    for arm in dict.fromkeys(one.arm for one in of):
        points = [
            SeriesPoint(share=one.fraction, value=one.value, low=one.low, high=one.high)
            for one in sorted(of, key=lambda one: one.fraction)
            if one.arm == arm and one.value is not None and one.low is not None and one.high is not None
        ]
        series.append(Series(name=ARM_WORDS[arm], points=tuple(points)))
    title = f"Dice of {plain(structure)}"
    if not any(one.points for one in series):
        return tag("figure", tag("figcaption", tag("b", title)), nothing(in_words(of[0])))
    told = "; ".join(f"{ARM_WORDS[one.arm]}, {_share(one.fraction)}: {in_words(one)}" for one in of)
    chart = learning_chart(series, name=anchor("dice", structure), title=title, description=f"{told}.")
    return tag("figure", tag("figcaption", tag("b", title), f", {count(of[0].n)} test films"), chart)


def _numbers(caption: str, found: Sequence[ArmNumber]) -> Markup:
    head = ("Arm", "Structure", "Labels", "Number", "Value", "Films", "Patients", "Left out", "Seeds", "SD of seeds")
    rows = (
        [
            ARM_WORDS[one.arm], plain(one.structure), _share(one.fraction), NUMBER_WORDS[one.name], estimate(one),
            count(one.n), count(one.n_patients), count(one.left_out), len(one.seeds),
            "one seed" if one.seed_sd is None else number(one.seed_sd),
        ]
        for one in found
    )  # fmt: skip
    return table(caption, head, rows)


def _differences(result: ArmsResult) -> Markup:
    found = [one for one in result.numbers if one.name not in PLAIN_NUMBERS]
    if not found:
        return nothing("No arm from scratch was trained beside another one, so there is nothing to compare with.")
    words = "Differences of the same films; above 0 the arm is better than the one from scratch."
    dice = [one for one in found if one.name.startswith("dice")]
    rest = [one for one in found if not one.name.startswith("dice")]
    return join(
        [paragraph(words), _numbers("Difference of Dice", dice), folded("IoU", _numbers("Difference of IoU", rest))]
    )


def _time(result: ArmsResult) -> Markup:
    words = paragraph(
        "The first check at which the mean validation Dice over structures reached the level; seconds are of training."
    )
    rows = (
        [ARM_WORDS[one.arm], _share(one.fraction), str(one.seed), number(one.level), *_reached(one)]
        for one in result.reaches
    )
    return join([words, table("First reached", ("Arm", "Labels", "Seed", "Dice", "Steps", "Seconds"), rows)])


def _reached(one: Reach) -> tuple[object, object]:
    if one.step is None or one.seconds is None:
        return tag("span", one.reason, class_="missing"), ""
    return count(one.step), f"{one.seconds:.1f}"


def _choice(result: ArmsResult) -> Markup:
    rates = (
        [ARM_WORDS[one.arm], f"{one.learning_rate:g}", "not defined" if one.dice is None else number(one.dice),
         "taken" if one.taken else ""]
        for one in result.rates
    )  # fmt: skip
    trained = (
        [
            ARM_WORDS[one.arm], _share(one.fraction), str(one.seed), f"{one.learning_rate:g}", count(one.steps),
            count(one.images), count(one.patients), count(one.learnt), f"{one.seconds:.1f}",
            "not defined" if one.best is None else number(one.best), one.chosen,
        ]
        for one in result.trainings
    )  # fmt: skip
    steps = result.pretraining_steps
    return join([
        paragraph(
            "Chosen once for each arm by the best validation Dice. The longer training from scratch takes the rate of "
            f"the shorter one, and adds the {count(steps or 0)} steps of pre-training; the classifier and its "
            "explanation are not counted."
        ),
        table("Learning rates", ("Arm", "Learning rate", "Validation Dice", ""), rates),
        folded("All trainings", table(
            "Trainings",
            ("Arm", "Labels", "Seed", "Learning rate", "Steps", "Images", "Patients", "Weights that learn", "Seconds",
             "Validation Dice", "Kept"),
            trained,
        )),
    ])  # fmt: skip


def _method(result: ArmsResult) -> Markup:
    arms = dict.fromkeys(one.arm for one in result.trainings)
    meanings = definitions((ARM_WORDS[arm], ARM_MEANINGS[arm]) for arm in arms)
    return join([meanings, paragraph(HOW), paragraph(MISLEAD), bullets(result.notes) if result.notes else ""])


def _share(fraction: float) -> str:
    return f"{100 * fraction:g} %"
