"""Pieces that sections share: headings, keys, tables, and drawings in a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitoring.report.markup import Content, Markup, element, joined
from monitoring.report.plotting import svg

NARROW, WIDE = 358, 880
"""Widths of a drawing with text, in pixels: a phone's, and a screen's or a page's."""


def section(name: str, heading: str, *content: Content) -> Markup:
    """Return a section with a heading that links can lead to."""
    title = element("h2", heading, id=f"{name}-heading")
    return element("section", title, *content, id=name, aria_labelledby=f"{name}-heading")


def paragraph(text: Content, class_: str | None = None) -> Markup:
    """Return a paragraph."""
    return element("p", text, class_=class_)


def both(wide: Markup, narrow: Markup) -> Markup:
    """Return a drawing for a screen and one for a phone, of which one is shown."""
    return joined(
        element("div", wide, class_="wide"),
        element("div", narrow, class_="narrow"),
    )


def figure(caption: Content, *content: Content) -> Markup:
    """Return drawings with a caption."""
    return element("figure", *content, element("figcaption", caption))


def key(*entries: tuple[str, str]) -> Markup:
    """Return what the classes of a drawing stand for: pairs of a class and words."""
    items = (
        element("li", element("span", class_=f"swatch {class_}", aria_hidden="true"), words)
        for class_, words in entries
    )
    return element("ul", *items, class_="key")


def table(headers: Sequence[Content], rows: Iterable[Sequence[Content]], caption: str) -> Markup:
    """Return a table that scrolls by itself where it is too wide; its first column names rows."""
    head = element("tr", *(element("th", header, scope="col") for header in headers))
    body = (
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_=None if _is_prose(cell) else "n") for cell in row[1:]),
        )
        for row in rows
    )
    whole = element(
        "table", element("caption", caption), element("thead", head), element("tbody", *body)
    )
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")


def folded(summary: str, *content: Content) -> Markup:
    """Return what is there for those who open it."""
    return element("details", element("summary", summary), *content)


def strip(name: str, description: str, heights: Sequence[float], class_: str) -> Markup:
    """Return bars side by side as wide as there is room, their heights from 0 to 1."""
    n = max(len(heights), 1)
    bars = (
        element(
            "rect",
            x=f"{100 * i / n:.2f}%",
            y=f"{100 * (1 - height):.1f}%",
            width=f"{100 / n:.2f}%",
            height=f"{100 * height:.1f}%",
        )
        for i, height in enumerate(heights)
        if height > 0
    )
    return svg(name, description, *bars, class_=f"strip {class_}")


def share_bar(name: str, share: float, class_: str) -> Markup:
    """Return one bar from the left, from 0 to 1 of the width."""
    bar = element("rect", x="0", y="0", width=f"{100 * share:.2f}%", height="100%")
    return svg(name, f"{100 * share:.1f} % of the width", bar, class_=f"bar {class_}")


def _is_prose(cell: Content) -> bool:
    """Whether a cell reads as text, to be aligned to the left."""
    text = str(cell)
    return isinstance(cell, Markup) or len(text) > len("1997-09-20 03:05")
