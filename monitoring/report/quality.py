"""How good lists were along the log, beside the baselines, with planted changes and episodes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from monitoring.drift_picture import KINDS, Bar, Placed, laid_out
from monitoring.formats import fraction, moment
from monitoring.report.markup import Markup, element, joined
from monitoring.report.parts import (
    NARROW,
    WIDE,
    both,
    figure,
    folded,
    key,
    paragraph,
    section,
    table,
)
from monitoring.report.plotting import Frame, path, svg, ticks, wilson
from monitoring.report.values import Numbers, Report, Windows
from monitoring.tables import label_of

MAX_POINTS = 240
N_ROWS = 20
_PLOT_PX, _LANE_PX, _AXIS_PX, _LEFT_PX, _RIGHT_PX, _TOP_PX = 250, 20, 46, 44, 12, 10
_GAP_PX, _PX_AN_INCH, _TICK_PX = 8, 96, 110
_ROOM = 1.08
_MARKS = {
    "concept": "M-5 -4L5 -4L0 5Z",
    "data": "M0 -5L5 0L0 5L-5 0Z",
    "input_fault": "M-4 -4H4V4H-4Z",
}


def quality_section(report: Report) -> Markup:
    """Return the curve with its key, and the same numbers as a table."""
    windows, k = joined_windows(report.windows, MAX_POINTS), report.summary["k"]
    if not len(windows.end):
        return section("quality", "Quality along the log", paragraph("Nothing was judged."))
    width = int(np.median(windows.judged))
    words = (
        f"recall@{k} of each {width:,} judged events: how often the watched title was in the list"
        " made just before. Bands are 95 % intervals, taking events as independent."
    )
    drawings = both(drawing(report, windows, WIDE), drawing(report, windows, NARROW))
    numbers = folded("The same as a table", _numbers(joined_windows(windows, N_ROWS), k))
    return section(
        "quality", "Quality along the log", figure(words, _key(report), drawings), numbers
    )


def joined_windows(windows: Windows, most: int) -> Windows:
    """Return at most so many windows: neighbours become one, by their judged events."""
    n = len(windows.end)
    size = -(-n // most) if n else 1
    if size <= 1:
        return windows
    starts = np.arange(0, n, size)
    judged = np.add.reduceat(windows.judged, starts)
    means = [
        np.add.reduceat(values * windows.judged, starts) / np.maximum(judged, 1)
        for values in (windows.recall, windows.popularity, windows.random)
    ]
    ends = np.append(starts[1:], n) - 1
    return Windows(windows.begin[starts], windows.end[ends], judged, *means)


def drawing(report: Report, windows: Windows, width: int) -> Markup:
    """Return the curve above the lanes of what was planted and noticed."""
    drift, first = report.drift, float(windows.begin[0])
    last = max([float(windows.end[-1]), *report.history.ends[-1:].tolist()])
    x_range, top = (first, max(last, first + 1.0)), _highest(windows) * _ROOM
    frame = Frame(_LEFT_PX, _TOP_PX, width - _RIGHT_PX, _TOP_PX + _PLOT_PX, x_range, (0.0, top))
    planted = list(drift.planted or ()) if drift else []
    episodes = list(drift.bars) if drift else []
    lanes = [_lanes(planted, frame), _lanes(episodes, frame)]
    height = frame.bottom + _LANE_PX * sum(map(len, lanes)) + _GAP_PX + _AXIS_PX
    return svg(
        f"Quality along the log: recall@{report.summary['k']}",
        _description(windows, len(planted), len(episodes)),
        *_grid(frame),
        *_shades(frame, planted, episodes),
        *_curves(frame, windows),
        *_bars(frame, lanes),
        *_axis(frame, report, height - _AXIS_PX),
        *_hints(frame, windows),
        class_="plot",
        viewBox=f"0 0 {width} {height:.0f}",
    )


def _highest(windows: Windows) -> float:
    _, high = wilson(np.nan_to_num(windows.recall), windows.judged)
    full = windows.judged >= np.median(windows.judged) / 2
    tops = [high[full], windows.popularity, windows.random]
    found = [float(np.nanmax(values)) for values in tops if not np.isnan(values).all()]
    return max([*found, 0.01])


def _description(windows: Windows, n_planted: int, n_episodes: int) -> str:
    first, last = windows.recall[0], windows.recall[-1]
    words = f"From {fraction(first)} to {fraction(last)} in {len(windows.end)} windows"
    best = math.nan if np.isnan(windows.popularity).all() else float(np.nanmean(windows.popularity))
    return (
        f"{words}; lowest {fraction(np.nanmin(windows.recall))}, highest"
        f" {fraction(np.nanmax(windows.recall))}; popularity {fraction(best)} on average."
        f" {n_planted} planted changes and {n_episodes} drift episodes are marked."
    )


def _key(report: Report) -> Markup:
    best = report.summary["best_popularity"]
    label = label_of(best or "popularity")
    entries = [
        ("ours", "driftline"),
        ("popularity", f"{label}, the best popularity"),
        ("random", "random order"),
    ]
    drift = report.drift
    if drift and drift.planted:
        entries.append(("planted", "planted change"))
    seen = {bar.kind for bar in drift.bars} if drift else set()
    entries += ((kind, f"noticed: {words}") for kind, (words, *_) in KINDS.items() if kind in seen)
    return key(*entries)


def _grid(frame: Frame) -> Iterable[Markup]:
    for value in ticks(*frame.y_range, 5):
        y = frame.y(value)
        yield element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="grid")
        text = f"{value:.3g}".removeprefix("0") or "0"
        yield element("text", text, x=frame.left - 6, y=y + 4, class_="end")


def _shades(frame: Frame, planted: Sequence[Bar], episodes: Sequence[Bar]) -> Iterable[Markup]:
    """Mark in the plot when changes were there, and when something was noticed."""
    for bar in planted:
        left, right = frame.x(bar.begin), frame.x(min(bar.end, frame.x_range[1]))
        size = {"width": max(right - left, 1.0), "height": frame.bottom - frame.top}
        yield element("rect", x=left, y=frame.top, **size, class_="planted shade")
    for bar in episodes:
        x = frame.x(bar.begin if bar.noticed is None else bar.noticed)
        ends = {"y1": frame.top, "y2": frame.bottom}
        yield element("line", x1=x, x2=x, **ends, class_=f"{bar.kind} noticed")


def _curves(frame: Frame, windows: Windows) -> Iterable[Markup]:
    xs = [frame.x(value) for value in ((windows.begin + windows.end) / 2).tolist()]
    for name, values in (
        ("random", windows.random),
        ("popularity", windows.popularity),
        ("ours", windows.recall),
    ):
        if name != "random":
            yield from _band(frame, xs, values, windows.judged, name)
        ys = [_place(frame, value) for value in values.tolist()]
        yield element("path", d=path(xs, ys), class_=f"{name} curve")
        if len(xs) == 1 and not math.isnan(ys[0]):
            yield element("circle", cx=xs[0], cy=ys[0], r=4, class_=f"{name} dot")


def _band(
    frame: Frame, xs: list[float], values: Numbers, judged: Numbers, name: str
) -> Iterable[Markup]:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return
    low, high = wilson(values[known], judged[known])
    along = [xs[i] for i in known]
    if len(along) == 1:
        along, low, high = [along[0] - 2, along[0] + 2], low.repeat(2), high.repeat(2)
    ys = [frame.y(value) for value in (*high.tolist(), *low[::-1].tolist())]
    yield element("path", d=path(along + along[::-1], ys, is_closed=True), class_=f"{name} band")


def _place(frame: Frame, value: float) -> float:
    return value if math.isnan(value) else frame.y(value)


def _lanes(bars: Sequence[Bar], frame: Frame) -> list[list[Placed]]:
    span = frame.x_range[1] - frame.x_range[0]
    inch = span / (frame.right - frame.left) * _PX_AN_INCH
    return laid_out(bars, frame.x_range, inch)


def _bars(frame: Frame, lanes: Sequence[Sequence[Sequence[Placed]]]) -> Iterable[Markup]:
    y = frame.bottom + _LANE_PX / 2 + 4
    for group, rows in zip(("planted", "noticed"), lanes, strict=True):
        for row in rows:
            for bar, text, text_at in row:
                yield _bar(frame, bar, y, text, text_at)
            y += _LANE_PX
        if rows and group == "planted" and lanes[1]:
            edge = y - _LANE_PX / 2
            yield element("line", x1=frame.left, x2=frame.right, y1=edge, y2=edge, class_="grid")


def _bar(frame: Frame, bar: Bar, y: float, text: str, text_at: float) -> Markup:
    kind = bar.kind or "planted"
    left, right = frame.x(bar.begin), frame.x(min(bar.end, frame.x_range[1]))
    mark = frame.x(bar.begin if bar.noticed is None else bar.noticed)
    size = {"width": max(right - left, 2.0), "height": _LANE_PX - 6}
    shape = _MARKS.get(kind)
    place = f"translate({mark:.1f} {y:.1f})"
    # The layout escapes dollars, which begin a formula where it was made for.
    words = text.replace("\\$", "$")
    return element(
        "g",
        element("title", bar.label),
        element("rect", x=left, y=y - _LANE_PX / 2 + 3, **size, class_=f"{kind} lane"),
        element("path", d=shape, transform=place, class_=f"{kind} mark") if shape else None,
        element("text", words, x=frame.x(text_at), y=y + 4, class_="small") if words else None,
    )


def _axis(frame: Frame, report: Report, y: float) -> Iterable[Markup]:
    """Draw records, and below them when they were, by the clock of the log."""
    history = report.history
    times = np.concatenate([history.times[:1], history.times])
    ends = np.concatenate([[history.begin], history.ends])
    yield element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="axis")
    n = max(2, int((frame.right - frame.left) / _TICK_PX))
    for value in ticks(*frame.x_range, n):
        x = frame.x(value)
        is_last = x > frame.right - _TICK_PX / 3
        class_ = "end" if is_last else "middle" if x > frame.left + _TICK_PX / 3 else None
        yield element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="axis")
        yield element("text", f"{value:,.0f}", x=x, y=y + 18, class_=class_)
        at = float(np.interp(value, ends, times)) if len(times) else math.nan
        yield element("text", moment(at)[:10], x=x, y=y + 33, class_=f"small {class_ or ''}")


def _hints(frame: Frame, windows: Windows) -> Iterable[Markup]:
    """Say the numbers of a window where a pointer rests on it."""
    low, high = wilson(np.nan_to_num(windows.recall), windows.judged)
    for n in range(len(windows.end)):
        left, right = frame.x(windows.begin[n]), frame.x(windows.end[n])
        text = (
            f"records {windows.begin[n]:,.0f} to {windows.end[n]:,.0f}:"
            f" {fraction(windows.recall[n])} ({fraction(low[n])} to {fraction(high[n])}),"
            f" popularity {fraction(windows.popularity[n])}"
        )
        size = {"width": max(right - left, 0.5), "height": frame.bottom - frame.top}
        yield element("rect", element("title", text), x=left, y=frame.top, **size, class_="hint")


def _numbers(windows: Windows, k: int) -> Markup:
    low, high = wilson(np.nan_to_num(windows.recall), windows.judged)
    rows = [
        (
            f"{windows.end[n]:,.0f}",
            f"{windows.judged[n]:,.0f}",
            fraction(windows.recall[n]),
            f"{fraction(low[n])}–{fraction(high[n])}",
            fraction(windows.popularity[n]),
            fraction(windows.random[n]),
        )
        for n in range(len(windows.end))
    ]
    headers = ("up to record", "judged", f"recall@{k}", "95 % interval", "popularity", "random")
    return joined(table(headers, rows, f"recall@{k} along the log"))
