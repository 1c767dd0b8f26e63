"""Reads a page the way a browser would, without any code of the report."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Elements, texts and tables of an HTML page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {"style": "", "script": ""}
        self.rows: dict[str, list[list[str]]] = {}
        self._path: list[str] = []
        self._section = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag in {"td", "th"}:
            self.rows[self._section][-1].append("")
        if tag not in VOID:
            self._path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._path.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        here = self._path[-1] if self._path else ""
        if here in self.raw:
            self.raw[here] += data
            return
        self.texts.append(data)
        if {"td", "th"} & set(self._path):
            self.rows[self._section][-1][-1] += data

    @property
    def text(self) -> str:
        """All visible text."""
        return "".join(self.texts).replace("\u00a0", " ")

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """Elements and the names of their attributes, without any text."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element ``tag`` whose attributes equal ``wanted``."""
        pairs = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [a for name, a in self.elements if name == tag and pairs.items() <= a.items()]
