"""Parts that several sections are built from: tables, status chips, folded parts, definitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from shortcut_audit.audit.result.judgement import Status
from shortcut_audit.report.markup import join, tag
from shortcut_audit.report.vocabulary import STATUS_WORDS, plain


def paragraph(*children: object, class_: str | None = None) -> Markup:
    """Return a paragraph."""
    return tag("p", *children, class_=class_)


def nothing(reason: str) -> Markup:
    """Return what a section shows that has nothing to show: why."""
    return paragraph(reason, class_="nothing")


def chip(status: Status) -> Markup:
    """Return a status as symbol and word."""
    symbol, word = STATUS_WORDS[status]
    return tag("span", tag("span", symbol, aria_hidden="true"), " ", word, class_=f"chip {status}")


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    ids: Sequence[str] | None = None,
    class_: str | None = None,
) -> Markup:
    """Return a table in a box that scrolls sideways by itself.

    Args:
        caption: what the table shows; read out first, and the name of the scrolling box.
        head: names of the columns.
        rows: cells, text (escaped) or markup; the first one of a row names it.
        ids: one id a row, for links to it.
        class_: of the table.
    """
    names = ids or []
    body = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest),
            id=names[place] if names else None)
        for place, (first, *rest) in enumerate(rows)
    ]  # fmt: skip
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
            tag("tbody", *body),
            class_=class_,
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def folded(summary: str, *children: object) -> Markup:
    """Return a part that opens on demand, and always in print."""
    return tag("details", tag("summary", summary), *children)


def definitions(pairs: Iterable[tuple[object, object]], *, class_: str = "facts") -> Markup:
    """Return names with their meaning."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in pairs), class_=class_)


def bullets(items: Iterable[object]) -> Markup:
    """Return a list."""
    return tag("ul", *(tag("li", item) for item in items))


def about(*names: str) -> str:
    """Return finding and attribute in words; a blank one is left out."""
    return " · ".join(plain(name) for name in names if name)


def names(model: str, finding: str, attribute: str) -> Markup:
    """Return what a row is about: the model, and beneath it finding and attribute."""
    return join([tag("span", model, class_="name"), tag("span", about(finding, attribute), class_="about")])
