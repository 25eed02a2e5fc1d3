"""Where the time went: by stage, and along the log."""

from __future__ import annotations

import numpy as np

from monitoring.formats import duration, mebibytes, percent
from monitoring.report.history import FATES
from monitoring.report.markup import Markup
from monitoring.report.parts import figure, paragraph, section, share_bar, strip, table
from monitoring.report.values import Report

STAGES = {
    "decode": "Decode",
    "learn": "Check, recommend, judge, learn",
    "recommend": "Name titles and reasons",
}
REST = "Read, write, and all else"
N_BARS = 96


def speed_section(report: Report) -> Markup:
    """Return the stages as a table, and the speed along the log as a strip."""
    summary, history = report.summary, report.history
    n = int(history.ends[-1] - history.begin) if len(history.ends) else 0
    elapsed_s = summary["elapsed_s"]
    words = (
        f"{n:,} records in {duration(elapsed_s)}: {summary['events_per_s']:,.0f} a second, one"
        f" process, peak memory {mebibytes(summary['peak_rss_bytes'])}."
    )
    if not n:
        return section("speed", "Speed", paragraph(words))
    stages = {label: float(history.seconds(name).sum()) for name, label in STAGES.items()}
    stages[REST] = max(elapsed_s - sum(stages.values()), 0.0)
    rows = [
        (
            label,
            share_bar(label, seconds / max(elapsed_s, 1e-9), "ours"),
            percent(seconds / max(elapsed_s, 1e-9)),
            f"{1e6 * seconds / n:.1f}",
            f"{n / seconds:,.0f}" if seconds > 0 else "–",
        )
        for label, seconds in stages.items()
        if seconds > 0
    ]
    headers = ("stage", "", "share", "µs an event", "events/s alone")
    return section(
        "speed",
        "Speed",
        paragraph(words),
        table(headers, rows, "Time by stage"),
        _along(report),
    )


def _along(report: Report) -> Markup:
    history = report.history
    seconds = np.sum([history.seconds(stage) for stage in STAGES], axis=0)
    read = np.sum([history.counts(fate) for fate in FATES], axis=0)
    n = min(N_BARS, len(read))
    place = np.minimum(np.arange(len(read)) * n // len(read), n - 1)
    rates = np.bincount(place, read, n) / np.maximum(np.bincount(place, seconds, n), 1e-9)
    highest, usual = float(rates.max()), float(np.median(rates))
    words = f"median {usual:,.0f}, at most {highest:,.0f}"
    drawn = strip(
        "Events a second along the log", words, (rates / (highest or 1)).tolist(), "tall ours"
    )
    return figure(
        f"Events a second along the log, without reading and writing: {words}. The first stretch"
        " loads the engine.",
        drawn,
    )
