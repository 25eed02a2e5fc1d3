"""Numbers, times and foreign text as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = "–"
_RARE = 1e-5
_FREQUENT = 0.1
_MANY = 10
_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0


def fraction(value: float | None) -> str:
    """Write a value between 0 and 1 in five characters.

    >>> fraction(0.19341), fraction(1.0), fraction(None)
    ('.1934', '1.000', '–')
    """
    if value is None or math.isnan(value):
        return _NOTHING
    text = f"{value:.4f}"
    return text[1:] if text.startswith("0") else text[:5]


def percent(share: float) -> str:
    """Write a share in per cent, with digits enough to tell a rare thing from none.

    >>> percent(0.43), percent(0.0213), percent(0.00004), percent(0.0), percent(1e-9)
    ('43 %', '2.1 %', '0.004 %', '0 %', '< 0.001 %')
    """
    if 0 < share < _RARE:
        return f"< {100 * _RARE:.2g} %"
    return f"{100 * share:.0f} %" if share >= _FREQUENT else f"{100 * share:.2g} %"


def times(ours: float | None, other: float | None) -> str:
    """Write how many times another value a value is; nothing where there is no telling.

    >>> times(0.35, 0.075), times(0.25, 0.0024), times(0.3, 0.0), times(None, 0.1)
    ('4.7 times', '104 times', '–', '–')
    """
    if ours is None or not other:
        return _NOTHING
    ratio = ours / other
    return f"{ratio:,.0f} times" if ratio >= _MANY else f"{ratio:.2g} times"


def moment(epoch_s: float) -> str:
    """Write epoch seconds as a UTC date and time of day; nothing for what is no time.

    >>> moment(874724710), moment(float("nan"))
    ('1997-09-20 03:05', '–')
    """
    try:
        return f"{_EPOCH + timedelta(seconds=epoch_s):%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError):
        return _NOTHING


def duration(seconds: float) -> str:
    """Write a duration as a clock shows it.

    >>> duration(7.4), duration(754), duration(7384)
    ('0:07', '12:34', '2:03:04')
    """
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def elapsed(seconds: float) -> str:
    """Write a length of time in the largest unit that it fills.

    >>> elapsed(12), elapsed(754), elapsed(11_000), elapsed(200_000), elapsed(float("nan"))
    ('12 s', '13 min', '3.1 h', '2.3 d', '–')
    """
    if math.isnan(seconds):
        return _NOTHING
    if abs(seconds) < _MINUTE_S:
        return f"{seconds:.0f} s"
    if abs(seconds) < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    size, unit = (_HOUR_S, "h") if abs(seconds) < _DAY_S else (_DAY_S, "d")
    return f"{seconds / size:.1f} {unit}"


def mebibytes(n_bytes: int) -> str:
    """Write a size in binary megabytes.

    >>> mebibytes(326_107_136)
    '311 MiB'
    """
    return f"{n_bytes / 2**20:,.0f} MiB"


def printable(text: str) -> str:
    r"""Replace what would steer a terminal: titles and ids come from logs of strangers.

    >>> printable("Amélie\x1b[2J")
    'Amélie�[2J'
    """
    return "".join(char if char.isprintable() else "�" for char in text)
