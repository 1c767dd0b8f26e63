"""What the AUROC is made of, and what it would be where the attribute is more or less common."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from shortcut_audit.audit.result.numbers import Curve, Metric
from shortcut_audit.audit.result.result import AuditResult
from shortcut_audit.report.blocks import about, folded, nothing, paragraph, table
from shortcut_audit.report.line_chart import Mark, line_chart
from shortcut_audit.report.lookup import Subject, metric
from shortcut_audit.report.markup import anchors, join, tag
from shortcut_audit.report.numbers import count, estimate, missing, number, sample_size
from shortcut_audit.report.sections import section
from shortcut_audit.report.vocabulary import group_label, metric_label, plain

PAIRS = ("pair:1:0", "pair:1:1", "pair:0:0", "pair:0:1")
RATES = {"p(a|y=0)": "the negatives", "p(a|y=1)": "the positives"}
PARTS_HEAD = ("Pairs", "Share of all pairs", "AUROC of these pairs", "Share times AUROC")
HEAD = ("Number", "Value", "n")
CURVE_HEAD = ("Share with the attribute", "AUROC")


@section("projection", title="At other sites", order=37)
def projection(result: AuditResult) -> Markup:
    """The AUROC taken apart by the attribute, and projected to sites with other rates of it."""
    curves = [curve for curve in result.curves if curve.name == "projected_auroc" and _is_model(result, curve)]
    if not curves:
        return nothing("The AUROC was not taken apart in this audit: no attribute was asked about.")
    ids = anchors(("projection", *_subject(curve)) for curve in curves)
    figures = [_figure(result, curve, name) for curve, name in zip(curves, ids, strict=True)]
    return join([_words(), tag("div", *figures, class_="panels")])


def _words() -> Markup:
    return join([
        paragraph(
            "The line is a projection: the AUROC of these images if the same share of images with and without the "
            "finding had the attribute, so that it tells nothing about the finding. It takes the scores to be "
            "independent of the site given label and attribute; another scanner or other patients are not in it. "
            "To measure another site, audit its images."
        ),
        paragraph(
            "The band holds for the whole line at once, so it is wider than an interval for one share alone. "
            "The dot is at the share among images without the finding, the square at the share among those with it. "
            "Dashed: the AUROC as measured."
        ),
    ])  # fmt: skip


def _subject(curve: Curve) -> Subject:
    return Subject(curve.model, curve.finding, curve.attribute)


def _is_model(result: AuditResult, curve: Curve) -> bool:
    known = metric(result, _subject(curve), "auroc_known")
    return known is None or known.role == "model"


def _figure(result: AuditResult, curve: Curve, name: str) -> Markup:
    heading = tag("figcaption", tag("b", curve.model), " ", about(curve.finding, curve.attribute))
    chart = _chart(result, curve, name) if curve.points else paragraph(missing(curve.reason), class_="missing")
    title = f"{curve.model}: what the AUROC is made of, {about(curve.finding, curve.attribute)}"
    return tag(
        "figure", heading, chart, table(title, HEAD, _numbers(result, curve)),
        folded("The parts of the AUROC", table(f"{title}: parts", PARTS_HEAD, _parts(result, curve))),
        folded("The points of the line", table(f"{title}: line", CURVE_HEAD, _points(curve))) if curve.points else "",
    )  # fmt: skip


def _chart(result: AuditResult, curve: Curve, name: str) -> Markup:
    known = metric(result, _subject(curve), "auroc_known")
    first, last = curve.points[0], curve.points[-1]
    return line_chart(
        curve.points, name=name, title=f"{curve.model}: AUROC projected to other rates of {plain(curve.attribute)}",
        description=f"From {number(first.value)} where no image has {plain(curve.attribute)} to {number(last.value)} "
        "where all have it.",
        x_label=curve.x_name, marks=list(_marks(result, curve)), reference=known.value if known else None,
    )  # fmt: skip


def _marks(result: AuditResult, curve: Curve) -> Iterator[Mark]:
    """Yield g(q, q) at the two rates of the test set: the AUROC less its inflation."""
    subject = _subject(curve)
    known = metric(result, subject, "auroc_known")
    for inflation in result.find("association_inflation", **subject._asdict()):
        label = (inflation.q or "")[-2:-1]
        rate = metric(result, subject, "attribute_rate", f"label:{label}")
        if known and rate and known.value is not None and inflation.value is not None and rate.value is not None:
            yield Mark(x=rate.value, value=known.value - inflation.value, marker="dot" if label == "0" else "square")


def _numbers(result: AuditResult, curve: Curve) -> Iterator[list[object]]:
    subject = _subject(curve)
    for name in ("auroc_known", "attribute_rate", "association_inflation", "auroc_at_training_rates",
                 "shortcut_inflation"):  # fmt: skip
        for found in result.find(name, **subject._asdict()):
            yield [_label(found), estimate(found), sample_size(found)]


def _label(found: Metric) -> Markup:
    where = f"at the rate of {RATES[found.q]}" if found.q else group_label(found.group)
    return join([tag("span", metric_label(found.name), class_="name"), tag("span", where, class_="about")])


def _parts(result: AuditResult, curve: Curve) -> Iterator[list[object]]:
    for pair in PAIRS:
        names = ("pair_weight", "auroc_pair", "pair_contribution")
        yield [group_label(pair), *(estimate(metric(result, _subject(curve), name, pair)) for name in names)]


def _points(curve: Curve) -> Iterator[list[object]]:
    level = f"{100 * curve.confidence:g} % CI"
    for point in curve.points:
        words = f"{number(point.value)} ({level} {number(point.low)} to {number(point.high)})"
        yield [f"{point.x:.2f}", words]
    yield ["Images, patients", f"{count(curve.n)}, {count(curve.n_patients)}; {curve.method}"]
