"""What data quality made of the records, in all and along the log."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.formats import moment, percent
from monitoring.report.history import FATES, History
from monitoring.report.markup import Markup, element
from monitoring.report.parts import figure, paragraph, section, strip
from monitoring.report.values import Report
from monitoring.tables import OPTIONAL, absent_fields, fate_of

N_BARS = 96
_HEADING = "Data quality along the log"
_REFUSALS = ("decode", "schema", "key", "range", "late")


def inputs_section(report: Report) -> Markup:
    """Return a strip for each thing that happened to records, as shares of the records there."""
    quality, n = report.summary["quality"], report.summary["records"]
    absent = absent_fields(quality)
    found = [name for name, count in quality.items() if count and name not in (*absent, "accepted")]
    missing = [
        paragraph(f"The log has no {OPTIONAL[name]}, which is fine.", "note") for name in absent
    ]
    if not found:
        words = f"None of {n:,} records was refused or repaired."
        return section("inputs", _HEADING, paragraph(words), *missing)
    rows = [_row(name, quality, n, report.history) for name in found]
    words = (
        f"Each bar is the share of the records of its stretch of the log, which goes from"
        f" {_day(report.history, 0)} to {_day(report.history, -1)}. Heights are relative to the"
        " highest share, which stands at the right. A repaired record is accepted as well."
    )
    listed = element("ul", *rows, class_="strips")
    return section("inputs", _HEADING, figure(words, listed), *missing)


def _row(name: str, quality: Mapping[str, int], n: int, history: History) -> Markup:
    shares = shares_along(history, name, N_BARS)
    highest = float(shares.max(initial=0.0))
    label, count = fate_of(name), quality[name]
    words = f"{count:,} of {n:,} records, {percent(count / n)}; at most {percent(highest)}"
    class_ = "bad" if name in _REFUSALS else "mended"
    return element(
        "li",
        element("span", label, class_="name"),
        element("span", f"{count:,}", element("small", f" {percent(count / n)}"), class_="count"),
        strip(label, words, (shares / (highest or 1.0)).tolist(), class_),
        element("span", percent(highest), class_="most"),
    )


def shares_along(history: History, name: str, n_bars: int) -> NDArray[np.float64]:
    """Return the share of records that met a fate in each of at most `n_bars` equal stretches."""
    met = history.counts(name)
    read = np.sum([history.counts(fate) for fate in FATES], axis=0)
    if not len(met):
        return met
    n = min(n_bars, len(met))
    place = np.minimum(np.arange(len(met)) * n // len(met), n - 1)
    totals = [np.bincount(place, values, n) for values in (met, read)]
    return totals[0] / np.maximum(totals[1], 1.0)


def _day(history: History, at: int) -> str:
    times = history.times
    return moment(float(times[at])) if len(times) else "–"
