"""HTML and SVG whose text is always escaped: titles, users and scopes come from logs of strangers.

>>> element("td", "<b>", class_="n", x=1.25)
'<td class="n" x="1.25">&lt;b&gt;</td>'
>>> element("p", element("b", "a"), None, " & b")
'<p><b>a</b> &amp; b</p>'
"""

from __future__ import annotations

from html import escape

from monitoring.formats import printable

VOID = frozenset({"br", "col", "input", "link", "meta"})
"""Elements that HTML never closes."""


class Markup(str):
    """Text that is HTML already; any other text is escaped wherever it is put."""

    __slots__ = ()


Content = str | int | float | None


def element(name: str, *children: Content, **attributes: Content) -> Markup:
    """Return an element.

    Parameters
    ----------
    name
        Of the element.
    children
        Markup as it is, other text escaped and without characters that steer; None is nothing.
    attributes
        ``class_`` is ``class``, ``data_x`` is ``data-x``; None leaves one out.
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(value, is_quoted=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{named}>")
    return Markup(f"<{name}{named}>{joined(*children)}</{name}>")


def joined(*children: Content) -> Markup:
    """Return children one after the other."""
    return Markup("".join(_text(child, is_quoted=False) for child in children if child is not None))


def _text(value: Content, *, is_quoted: bool) -> str:
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(printable(str(value)), quote=is_quoted)
