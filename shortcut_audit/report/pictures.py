"""Pictures of the gallery: embedded, layered, and only as many as the page can carry."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Literal

from markupsafe import Markup

from shortcut_audit.audit.result.examples import Example, Layer
from shortcut_audit.report.markup import tag
from shortcut_audit.report.vocabulary import feature, plain

Kind = Literal["image", "image_with", "image_without", "heatmap", "finding", "footprint", "predicted"]
MIB = 1 << 20
_EMBEDDED = re.compile(r"data:image/(?:png|webp|jpeg);base64,[A-Za-z0-9+/]+={0,2}", re.ASCII)


def layer(example: Example, kind: Kind) -> Layer | None:
    """Return a layer of an example, None if it has none of that kind."""
    return next((one for one in example.layers if one.kind == kind), None)


def picture(found: Layer, text: str, **attributes: str | bool) -> Markup:
    """Return a layer as an image, or words in its place where it is not an embedded picture.

    Nothing but PNG, WebP and JPEG inside the page is shown: a report never loads anything.
    """
    if not _EMBEDDED.fullmatch(found.uri):
        return tag("span", "picture left out: not an embedded PNG, WebP or JPEG", class_="missing")
    return tag("img", src=found.uri, alt=text, loading="lazy", **attributes)


def within_budget(examples: Sequence[Example], kinds: Sequence[Kind], budget: int) -> list[Example]:
    """Return the first examples whose layers of these kinds take at most ``budget`` bytes together."""
    shown, size = [], 0
    for example in examples:
        size += sum(len(one.uri) for one in example.layers if one.kind in kinds)
        if size > budget:
            break
        shown.append(example)
    return shown


def left_out(examples: Sequence[Example], shown: Sequence[Example]) -> str:
    """Return how many examples the page could not carry, as a sentence, or nothing."""
    missing = len(examples) - len(shown)
    return f" {missing} more are in audit.json only, to keep this page small." if missing else ""


def about(example: Example, composites: Collection[str]) -> str:
    """Return what is known of a case: is the finding there, and the attribute, or what a composite suggests."""
    presence = {"1": "present", "0": "absent"}
    finding = f"{plain(example.finding)} {presence[str(example.label)]}"
    if example.attribute in composites:
        presence = {"1": "speaks for it", "0": "speaks against it"}
    attribute = feature(example.attribute, composites)
    return f"{finding}, {attribute} {presence.get(example.value, example.value)}"
