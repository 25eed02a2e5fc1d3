"""Parts of the judged events side by side: ours with its interval, and the baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from monitoring.formats import fraction, times
from monitoring.report.markup import Content, Markup, element, joined
from monitoring.report.parts import folded, key, paragraph, section, table
from monitoring.report.plotting import Z95, svg
from monitoring.report.values import Report
from monitoring.tables import ALL_TIME, best_decayed, label_of

PARTS = {
    "all": "All judged events",
    "first": "First half",
    "second": "Second half",
    "user:new": "New users (under 5 events)",
    "user:known": "Known users",
    "title:new": "New titles (under 10 views)",
    "title:known": "Known titles",
    "title:head": "Titles in great demand",
    "title:tail": "All other titles",
}
METRICS = ("recall", "ndcg", "mrr")

Scores = Mapping[str, Any]


def parts_of(summary: Mapping[str, Any]) -> dict[str, Scores]:
    """Return the scores of each part that has any, under the names of `PARTS`."""
    found: dict[str, Scores] = {"all": summary, **summary["halves"], **summary["segments"]}
    return {name: found[name] for name in PARTS if found.get(name, {}).get("judged")}


def comparisons_section(report: Report) -> Markup:
    """Return a row for each part, and tables of all metrics and baselines."""
    summary, heading = report.summary, "For whom, and beside what"
    parts, best = parts_of(summary), best_decayed(summary)
    if not parts or best is None:
        return section("segments", heading, paragraph("Nothing was judged."))
    recall = f"recall@{summary['k']}"
    reach = max(_reach(scores, recall, best) for scores in parts.values()) or 1.0
    rows = [
        (
            PARTS[name],
            _with_error(scores, recall),
            _dots(PARTS[name], scores, recall, best, reach),
            fraction(scores["baselines"][best][recall]),
            times(scores[recall], scores["baselines"][best][recall]),
            f"{scores['judged']:,}",
        )
        for name, scores in parts.items()
    ]
    headers = (
        "",
        f"{recall} ± error",
        f"0 to {fraction(reach)}",
        label_of(best),
        "ours is",
        "judged",
    )
    return section(
        "segments",
        heading,
        key(("ours", "driftline with its 95 % interval"), ("popularity", label_of(best))),
        table(headers, rows, f"{recall} by part of the judged events"),
        paragraph(
            "± is one standard error, taking events as independent; those of one user are not.",
            "note",
        ),
        folded("All metrics and all baselines", _baselines(summary)),
        paragraph(_exposure(summary), "note"),
    )


def _reach(scores: Scores, recall: str, best: str) -> float:
    error = scores[f"{recall}_se"] or 0.0
    return max((scores[recall] or 0.0) + Z95 * error, scores["baselines"][best][recall] or 0.0)


def _dots(name: str, scores: Scores, recall: str, best: str, reach: float) -> Markup:
    ours, error = scores[recall] or 0.0, scores[f"{recall}_se"] or 0.0
    base = scores["baselines"][best][recall] or 0.0
    low, high = max(ours - Z95 * error, 0.0), min(ours + Z95 * error, reach)

    def at(value: float) -> str:
        return f"{2 + 96 * value / reach:.2f}%"

    words = (
        f"{fraction(ours)}, from {fraction(low)} to {fraction(high)}; popularity {fraction(base)}"
    )
    return svg(
        name,
        words,
        element("line", x1=at(0), x2=at(reach), y1="50%", y2="50%", class_="grid"),
        element("line", x1=at(low), x2=at(high), y1="50%", y2="50%", class_="ours range"),
        element("line", x1=at(base), x2=at(base), y1="15%", y2="85%", class_="popularity tick"),
        element("circle", cx=at(ours), cy="50%", r=4, class_="ours dot"),
        class_="dots",
    )


def _with_error(scores: Scores, metric: str) -> str:
    error = scores.get(f"{metric}_se")
    value = fraction(scores[metric])
    return value if error is None else f"{value} ± {fraction(error)}"


def _baselines(summary: Mapping[str, Any]) -> Markup:
    names = [f"{metric}@{summary['k']}" for metric in METRICS]
    ranked = {"driftline": summary, **summary["baselines"]}
    rows: Iterable[tuple[Content, ...]] = (
        (label_of(name), *(_with_error(scores, metric) for metric in names))
        for name, scores in ranked.items()
    )
    popularity = label_of(ALL_TIME)
    caption = f"Over all judged events; {popularity} forgets nothing, others by their half-life"
    return joined(table(("", *names), rows, caption))


def _exposure(summary: Mapping[str, Any]) -> str:
    words = [f"{summary['titles_listed']:,} titles were listed"]
    if summary.get("catalog_coverage") is not None:
        words.append(f"{100 * summary['catalog_coverage']:.0f} % of those seen")
    if summary.get("popularity_bias") is not None:
        bias = summary["popularity_bias"]
        words.append(f"a listed title has {bias:.2g} times the views of a watched one")
    cold, repeats = summary["cold"], summary["repeats"]
    return f"{', '.join(words)}. Not judged: {cold:,} first views of users and {repeats:,} repeats."
