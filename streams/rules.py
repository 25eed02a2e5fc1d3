"""Two small languages: which views count as positive, and what a run must reach.

A *positive rule* compares one field of a view::

    rating >= 4          watch_ratio >= 0.5          event_type == 'click'
    event_type in click,like

An *assertion* compares one number of the summary: ``recall@10>=0.19``.
"""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Literal, NoReturn

import msgspec

from streams.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Comparison = Literal[">=", "<=", "==", "!=", ">", "<"]
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_NUMBER_FIELDS = ("rating", "watch_ratio")
_FIELDS = (*_NUMBER_FIELDS, "event_type")
_TOKEN = re.compile(r"\s*(>=|<=|==|!=|>|<|'[^']*'|\"[^\"]*\"|[^\s,<>=!'\"]+|,|\S)")
_WORD = re.compile(r"[^\s,<>=!'\"]+")
_ASSERTION = re.compile(r"\s*([^\s<>=!]+)\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*")


class PositiveRule(msgspec.Struct, frozen=True):
    """Which views count as a success of a list that showed their title.

    Attributes
    ----------
    field
        ``rating``, ``watch_ratio`` or ``event_type``.
    comparison
        How the view's number compares with ``bound``; unused for event types.
    bound
        The number on the right; unused for event types.
    event_types
        The event types that count; empty for the two numbers.

    Examples
    --------
    >>> rule = parse_positive("rating >= 4")
    >>> rule.matches(rating=4.0, watched_share=None, event_type=None)
    True
    >>> rule.matches(rating=None, watched_share=1.0, event_type="click")
    False
    """

    field: str
    comparison: Comparison = ">="
    bound: float = 0.0
    event_types: tuple[str, ...] = ()

    def matches(
        self, rating: float | None, watched_share: float | None, event_type: str | None
    ) -> bool:
        """Whether a view with these values is positive; a missing value never is."""
        if self.field == "event_type":
            return event_type in self.event_types
        value = rating if self.field == "rating" else watched_share
        return value is not None and _COMPARE[self.comparison](value, self.bound)


def parse_positive(text: str) -> PositiveRule:
    """Read a positive rule.

    Raises
    ------
    SettingsError
        The text is no rule; the sentence names the position, counted from 1.

    Examples
    --------
    >>> parse_positive("event_type in click,like").event_types
    ('click', 'like')
    >>> parse_positive("rating > four")
    Traceback (most recent call last):
        ...
    streams.errors.SettingsError: expected a number at position 10 of 'rating > four', found 'four'
    """
    tokens = _Tokens(text)
    field = tokens.take("one of " + ", ".join(_FIELDS), _FIELDS)
    rule = _event_types(tokens) if field == "event_type" else _number(field, tokens)
    tokens.end()
    return rule


class Assertion(msgspec.Struct, frozen=True):
    """What a number of the summary must satisfy for a run to succeed."""

    name: str
    comparison: Comparison
    value: float

    def holds(self, measured: float) -> bool:
        """Whether the measured number satisfies the assertion; NaN satisfies none."""
        return not math.isnan(measured) and _COMPARE[self.comparison](measured, self.value)


def parse_assertion(text: str) -> Assertion:
    """Read an assertion such as ``recall@10>=0.19``.

    Raises
    ------
    SettingsError
        The text is no assertion.

    Examples
    --------
    >>> parse_assertion("recall@10>=0.19")
    Assertion(name='recall@10', comparison='>=', value=0.19)
    """
    found = _ASSERTION.fullmatch(text)
    value = None if found is None else _finite(found[3])
    if found is None or value is None:
        raise SettingsError(
            f"expected NAME, a comparison and a number, as recall@10>=0.19, found {text!r}"
        )
    return msgspec.convert(
        {"name": found[1], "comparison": found[2], "value": value}, type=Assertion
    )


def _number(field: str, tokens: _Tokens) -> PositiveRule:
    comparison = tokens.take("a comparison (" + ", ".join(_COMPARE) + ")", tuple(_COMPARE))
    bound = _finite(tokens.peek())
    if bound is None:
        tokens.refuse("a number")
    tokens.advance()
    return msgspec.convert(
        {"field": field, "comparison": comparison, "bound": bound}, type=PositiveRule
    )


def _event_types(tokens: _Tokens) -> PositiveRule:
    comparison = tokens.take("'==' or 'in'", ("==", "in"))
    names = [tokens.word()]
    while comparison == "in" and tokens.peek() == ",":
        tokens.advance()
        names.append(tokens.word())
    return PositiveRule("event_type", event_types=tuple(names))


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class _Tokens:
    """The words of a rule, taken from the left, with their positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = list(_TOKEN.finditer(text))
        self.tokens = [match[1] for match in found]
        self.starts = [match.start(1) for match in found] + [len(text)]
        self.next = 0

    def peek(self) -> str:
        """Give the next word, empty at the end."""
        return self.tokens[self.next] if self.next < len(self.tokens) else ""

    def advance(self) -> None:
        self.next += 1

    def take(self, expected: str, allowed: tuple[str, ...]) -> str:
        """Take the next word, which must be one of ``allowed``."""
        word = self.peek()
        if word not in allowed:
            self.refuse(expected)
        self.advance()
        return word

    def word(self) -> str:
        """Take an event type, with or without quotes."""
        word = self.peek()
        quoted = word[:1] in ("'", '"') and len(word) > len("''")
        if not quoted and not _WORD.fullmatch(word):
            self.refuse("an event type")
        self.advance()
        return word[1:-1] if quoted else word

    def end(self) -> None:
        if self.peek():
            self.refuse("the end")

    def refuse(self, expected: str) -> NoReturn:
        """Say what was expected where."""
        found = repr(self.peek()) if self.peek() else "the end"
        position = self.starts[self.next] + 1
        raise SettingsError(
            f"expected {expected} at position {position} of {self.text!r}, found {found}"
        )
