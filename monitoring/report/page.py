"""The whole page."""

from __future__ import annotations

from monitoring.formats import fraction, moment, percent, times
from monitoring.report.comparisons import comparisons_section
from monitoring.report.drift import drift_section
from monitoring.report.inputs import inputs_section
from monitoring.report.markup import Markup, element, joined
from monitoring.report.model import model_section
from monitoring.report.parts import folded, paragraph, table
from monitoring.report.people import people_section
from monitoring.report.quality import quality_section
from monitoring.report.speed import speed_section
from monitoring.report.style import STYLE
from monitoring.report.values import Report
from monitoring.tables import best_decayed, label_of

SECTIONS = (
    quality_section,
    comparisons_section,
    drift_section,
    inputs_section,
    people_section,
    model_section,
    speed_section,
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for the page: nothing."""
_REFUSED = ("decode", "schema", "key", "range", "late")


def html(report: Report) -> bytes:
    """Return the page: one file that needs nothing else."""
    title = f"driftline: {', '.join(report.logs)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name_="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        _header(report),
        element("main", *(make(report) for make in SECTIONS)),
        _footer(report),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n".encode()


def _header(report: Report) -> Markup:
    clock, end = report.history.times, "" if not report.is_interrupted else " (stopped early)"
    span = f"{moment(clock[0])} to {moment(clock[-1])} UTC" if len(clock) else "no events"
    facts = element("p", ", ".join(report.logs), element("br"), f"{span}{end}", class_="muted")
    tiles = (
        element("div", element("dt", name), element("dd", value, element("small", more)))
        for name, value, more in _tiles(report)
    )
    return element(
        "header",
        element("h1", "What driftline made of this log"),
        facts,
        paragraph(_verdict(report), "verdict"),
        element("dl", *tiles, class_="tiles"),
    )


def _verdict(report: Report) -> str:
    """Say in two sentences how good the lists were."""
    summary = report.summary
    recall, best = f"recall@{summary['k']}", best_decayed(summary)
    if best is None or summary[recall] is None:
        return "Nothing was judged: a user's first views only teach."
    other = summary["baselines"][best][recall]
    ratio = f", {times(summary[recall], other)} as often" if other else ""
    return (
        f"{percent(summary[recall])} of the titles that people went on to watch were in the list of"
        f" {summary['k']} made just before{ratio} as in a list of what is popular"
        f" ({label_of(best).removeprefix('popularity ')} half-life: {percent(other or 0.0)})."
    )


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    summary = report.summary
    recall = f"recall@{summary['k']}"
    error = summary[f"{recall}_se"]
    quality, n = summary["quality"], summary["records"]
    refused = sum(quality.get(name, 0) for name in _REFUSED)
    found = [
        (recall, fraction(summary[recall]), "" if error is None else f" ± {fraction(error)}"),
        ("judged", f"{summary['judged']:,}", f" of {n:,} records"),
        ("refused", f"{refused:,}", f" {percent(refused / n)}" if n else ""),
    ]
    if report.drift is not None:
        n_open = summary["drift"]["open"]
        still = f" {n_open} still open" if n_open else ""
        found.append(("drift episodes", f"{report.drift.n_episodes:,}", still))
    return [*found, ("speed", f"{summary['events_per_s']:,.0f}", " events/s")]


def _footer(report: Report) -> Markup:
    rows = [(name, _plain(value)) for name, value in report.settings.items()]
    settings = table(("setting", "value"), rows, "Settings that results depend on")
    made = f"driftline {report.version}, settings {report.fingerprint[:12]}"
    return element(
        "footer",
        folded("Settings", settings),
        paragraph(f"{made}. This file names users and titles of the log."),
    )


def _plain(value: object) -> Markup:
    return joined(element("code", "" if value is None else str(value)))
