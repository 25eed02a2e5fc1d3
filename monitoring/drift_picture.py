"""Quality over time, with what was planted, what was noticed, and what was told of it as bars.

Colours are those that Okabe and Ito (2008, Color Universal Design) chose for colour-blind people;
kinds differ in their marks as well, and planted changes in hatching, so it reads in grey too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitoring.formats import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = (("#0072B2", "-"), ("#009E73", "-"), ("#000000", "-"), ("#56B4E9", "-"))
BASELINE, PLANTED = "#767676", "#E69F00"
KINDS = {
    "concept": ("lists became worse", "#D55E00", "v"),
    "data": ("inputs changed", "#56B4E9", "o"),
    "input_fault": ("input fault", "#CC79A7", "s"),
}
SUFFIXES = ("png", "svg")
DAY_S = 86_400.0
MOST_NAMED = 12
"""Rows of bars with names; beyond that names are left out and bars share fewer rows."""
_CHAR_IN, _ROW_IN, _MARK_IN, _MARGIN_IN = 0.061, 0.21, 0.1, 0.9
_NO_CURVES_IN = 1.0
_LONGEST, _DPI = 40, 120


class Curve(NamedTuple):
    """Recall by window, and that of popularity; ``at`` are the middles of the windows."""

    label: str
    at: NDArray[np.float64]
    recall: NDArray[np.float64]
    popularity: NDArray[np.float64]


class Bar(NamedTuple):
    """An episode from onset to end, or a planted change; ``end`` is infinite if it lasts.

    ``noticed`` is the place of the first alarm, and ``kind`` one of `KINDS`; None if planted.
    """

    label: str
    begin: float
    end: float
    noticed: float | None = None
    kind: str | None = None


class Picture(NamedTuple):
    """What is drawn.

    Attributes
    ----------
    curves
        The first brings the popularity; there may be none.
    planted, episodes
        In any order.
    k
        Length of a list.
    is_time
        Whether places are epoch seconds; else numbers of events.
    title
        Above it all; may be empty.
    """

    curves: Sequence[Curve]
    planted: Sequence[Bar]
    episodes: Sequence[Bar]
    k: int = 10
    is_time: bool = True
    title: str = ""


class Placed(NamedTuple):
    """A bar in a row, and where its name stands."""

    bar: Bar
    text: str
    text_at: float


def write_picture(picture: Picture, path: Path, size_in: tuple[float, float] = (10, 4)) -> None:
    """Draw to a PNG or an SVG, by the name of the file; the same picture gives the same bytes.

    Parameters
    ----------
    picture
        What to draw.
    path
        Where to.
    size_in
        Width, and height without the rows of bars, in inches.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 (slow to import, and needed here only)
    from matplotlib.figure import Figure  # noqa: PLC0415

    picture = _in_days(picture) if picture.is_time else picture
    first, last = _span(picture)
    limits = first, last + 0.01 * (last - first)
    inch = (limits[1] - limits[0]) / (size_in[0] - _MARGIN_IN)
    planted, episodes = (laid_out(bars, limits, inch) for bars in picture[1:3])
    rows = [*planted, *episodes]
    above = size_in[1] if picture.curves else _NO_CURVES_IN
    below = _ROW_IN * len(rows) + 0.02
    suffix = path.suffix.lower().removeprefix(".")
    # The hash salt and no date: no random names in an SVG, and nothing of today.
    with mpl.rc_context({"svg.hashsalt": "driftline", "font.size": 9, "axes.titlesize": 10}):
        # Without pyplot there is no window, and no state that outlives the call.
        figure = Figure(figsize=(size_in[0], above + below), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True, height_ratios=[above, below])
        _draw_quality(upper, picture, limits)
        _draw_rows(lower, rows, len(planted), limits)
        _draw_frame(figure, upper, lower, picture)
        metadata = {"Date": None} if suffix == "svg" else {}
        figure.savefig(path, format=suffix, metadata=metadata, dpi=_DPI)


def laid_out(bars: Iterable[Bar], limits: tuple[float, float], inch: float) -> list[list[Placed]]:
    """Put bars into as few rows as their names allow, so that nothing overlaps.

    Parameters
    ----------
    bars
        In any order.
    limits
        Of the axis.
    inch
        Of paper, in units of the axis.
    """
    ordered = sorted(bars, key=lambda bar: bar.begin)
    rows = _packed(ordered, limits, inch, is_named=True)
    return rows if len(rows) <= MOST_NAMED else _packed(ordered, limits, inch, is_named=False)


def _packed(
    bars: Sequence[Bar], limits: tuple[float, float], inch: float, *, is_named: bool
) -> list[list[Placed]]:
    rows: list[list[Placed]] = []
    reached: list[float] = []
    for bar in bars:
        text = _shortened(bar.label) if is_named else ""
        mark = bar.begin if bar.noticed is None else bar.noticed
        width = len(text) * _CHAR_IN * inch
        text_at = min(mark + _MARK_IN * inch, limits[1] - width)
        # A name that would stand on its mark goes before it.
        if text and text_at < mark + _MARK_IN * inch:
            text_at = max(mark - _MARK_IN * inch - width, limits[0])
        begin = min(bar.begin, text_at)
        end = max(min(bar.end, limits[1]), text_at + width, mark + _MARK_IN * inch)
        free = [n for n, at in enumerate(reached) if at <= begin]
        if not free and not is_named and len(rows) >= MOST_NAMED:
            free = [int(np.argmin(reached))]
        if not free:
            rows.append([])
            reached.append(limits[0])
            free = [len(rows) - 1]
        rows[free[0]].append(Placed(bar, text, text_at))
        reached[free[0]] = end
    return rows


def _in_days(picture: Picture) -> Picture:
    """Return a picture whose places are days since 1970, which is how dates are drawn."""

    def moved(bar: Bar) -> Bar:
        noticed = None if bar.noticed is None else bar.noticed / DAY_S
        return bar._replace(begin=bar.begin / DAY_S, end=bar.end / DAY_S, noticed=noticed)

    return picture._replace(
        curves=[curve._replace(at=curve.at / DAY_S) for curve in picture.curves],
        planted=[moved(bar) for bar in picture.planted],
        episodes=[moved(bar) for bar in picture.episodes],
    )


def _shortened(label: str) -> str:
    plain = printable(label).replace("$", "\\$")
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"


def _span(picture: Picture) -> tuple[float, float]:
    """Return the places of the first and the last thing there is to see."""
    places = [place for curve in picture.curves for place in curve.at.tolist()]
    for bar in (*picture.planted, *picture.episodes):
        places += [bar.begin, bar.end]
    finite = [place for place in places if np.isfinite(place)]
    first, last = min(finite, default=0.0), max(finite, default=1.0)
    return first, last if last > first else first + 1.0


def _draw_quality(axes: Axes, picture: Picture, limits: tuple[float, float]) -> None:
    for n, bar in enumerate(picture.planted):
        end = min(bar.end, limits[1])
        label = "planted change" if n == 0 else None
        axes.axvspan(bar.begin, end, color=PLANTED, alpha=0.13, lw=0, label=label)
        axes.axvline(bar.begin, color=PLANTED, lw=1.2)
    for bar in picture.episodes:
        if bar.noticed is not None:
            axes.axvline(bar.noticed, color=KINDS[bar.kind or "data"][1], lw=0.9, ls=(0, (4, 2)))
    for n, curve in enumerate(picture.curves):
        color, style = OURS[n % len(OURS)]
        if n == 0:
            known = ~np.isnan(curve.popularity)
            at, popularity = curve.at[known], curve.popularity[known]
            axes.plot(at, popularity, color=BASELINE, lw=1.2, ls="--", label="popularity")
        axes.plot(curve.at, curve.recall, color=color, ls=style, lw=1.6, label=curve.label)
    if not picture.curves:
        axes.set_yticks([])
        return
    axes.set_ylabel(f"recall@{picture.k}")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", lw=0.4, color="#dddddd")
    axes.set_axisbelow(True)


def _draw_rows(
    axes: Axes, rows: Sequence[Sequence[Placed]], n_planted: int, limits: tuple[float, float]
) -> None:
    shown: set[str] = set()
    for y, row in enumerate(rows):
        for bar, text, text_at in row:
            _draw_bar(axes, bar, y, limits, shown)
            axes.text(text_at, y, text, va="center_baseline", fontsize=7.5, color="#111111")
    axes.set_xlim(*limits)
    axes.set_ylim(max(len(rows), 1) - 0.45, -0.55)
    groups = [("planted", 0, n_planted), ("episodes", n_planted, len(rows))]
    named = [((begin + end - 1) / 2, name) for name, begin, end in groups if end > begin]
    axes.set_yticks([y for y, _ in named], [name for _, name in named])
    if 0 < n_planted < len(rows):
        axes.axhline(n_planted - 0.5, color="#bbbbbb", lw=0.6)


def _draw_bar(axes: Axes, bar: Bar, y: int, limits: tuple[float, float], shown: set[str]) -> None:
    words, color, mark = KINDS[bar.kind] if bar.kind else ("", PLANTED, "")
    width = min(bar.end, limits[1]) - bar.begin
    axes.barh(y, width, left=bar.begin, height=0.8, color=color, alpha=0.3, lw=0)
    at = bar.begin if bar.noticed is None else bar.noticed
    label = words if words and words not in shown else None
    axes.plot(at, y, color=color, marker=mark, ms=6, mew=0.8, ls="", label=label, clip_on=False)
    shown.add(words)


def _draw_frame(figure: Figure, upper: Axes, lower: Axes, picture: Picture) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 (as above)
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 (as above)

    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    lower.spines["left"].set_visible(False)
    lower.tick_params(axis="y", length=0)
    if picture.is_time:
        locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]  # partial types
        lower.xaxis.set_major_locator(locator)
        form = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # likewise
        lower.xaxis.set_major_formatter(form)
    else:
        lower.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        lower.set_xlabel("accepted events")
    if picture.title:
        upper.set_title(picture.title, loc="left")
    drawn = [axes.get_legend_handles_labels() for axes in (upper, lower)]
    handles = [handle for handles, _ in drawn for handle in handles]
    labels = [label for _, labels in drawn for label in labels]
    if handles:
        figure.legend(handles, labels, loc="outside lower left", ncols=5, frameon=False)
