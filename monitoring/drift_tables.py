"""Drift episodes for people, from plain values.

An episode has the fields of a drift record, and ``detected_line``, the record of the log that
raised its first alarm, None if it has no line. ``match``, where truth is known, is the planted
change that it tells of, with ``delay`` in events, or None if there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from monitoring.formats import elapsed, moment, percent, printable

KINDS = {
    "concept": "lists became worse",
    "data": "inputs changed",
    "input_fault": "input fault",
}
_N_NAMED = 5
_N_SCOPES = 3


def print_summary(console: Console, drift: Mapping[str, Any]) -> None:
    """Print what drift a run saw, in a sentence.

    Parameters
    ----------
    console
        Where to.
    drift
        ``episodes``, ``open``, and the ``latest`` episodes in the order in which they opened.
    """
    n = drift["episodes"]
    if not n:
        console.print("Drift: none.\n")
        return
    named = [_named(episode) for episode in drift["latest"][-_N_NAMED:]]
    more = f" and {n - len(named)} before" if n > len(named) else ""
    console.print(f"Drift: {n} episode{'s' if n > 1 else ''}: {'; '.join(named)}{more}.\n")


def _named(episode: Mapping[str, Any]) -> str:
    scope = printable(episode["scopes"][0]["scope"])
    over = "" if episode["state"] == "closed" else ", still open"
    what = f"{KINDS[episode['kind']]} ({_where(episode, scope)})"
    return f"{what} since {moment(episode['onset'])}{over}"


def _where(episode: Mapping[str, Any], scope: str) -> str:
    return scope if episode["kind"] == "concept" else f"{episode['statistic']}, {scope}"


def print_episodes(console: Console, episodes: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of episodes; those with ``match`` get what was planted beside them."""
    if not episodes:
        console.print("No drift.")
        return
    has_truth = "match" in episodes[0]
    headers = ["", "what", "when (UTC)", "what was done", *(["planted"] if has_truth else [])]
    table = Table(*headers, box=None, expand=True, padding=(0, 1, 1, 0), show_edge=False)
    for column, ratio in zip(table.columns[1:], (8, 6, 6, 5), strict=False):
        column.ratio, column.overflow = ratio, "fold"
    for episode in episodes:
        table.add_row(*described(episode))
    console.print(table)


def described(episode: Mapping[str, Any]) -> list[str]:
    """Return an episode in words, in lines: its state, what, when, what was done, the truth."""
    cells = [_state(episode), _what(episode), _when(episode), _done(episode)]
    return [*cells, _planted(episode["match"])] if "match" in episode else cells


def print_matching(
    console: Console, missed: Sequence[Mapping[str, Any]], scores: Mapping[str, Any]
) -> None:
    """Print which planted changes no episode tells of, and how the episodes score.

    Parameters
    ----------
    console
        Where to.
    missed
        Planted changes: ``kind``, ``scope``, ``begin_line``.
    scores
        ``changes``, ``detected``, ``episodes``, ``false`` and ``median_delay``.
    """
    for sentence in scored(missed, scores):
        console.print(sentence)


def scored(missed: Sequence[Mapping[str, Any]], scores: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `print_matching` prints, line by line."""
    for change in missed:
        scope, line = printable(change["scope"]), change["begin_line"]
        yield f"missed: {change['kind']}, {scope}, from line {line:,}"
    delay = scores["median_delay"]
    after = "" if delay is None else f", after {delay:,.0f} records (median)"
    yield (
        f"{scores['detected']} of {scores['changes']} planted changes found{after};"
        f" {scores['false']} of {scores['episodes']} episodes tell of none."
    )


def _state(episode: Mapping[str, Any]) -> str:
    state = "closed" if episode["state"] == "closed" else "open"
    return f"{printable(episode['episode'])}\n{state}"


def _what(episode: Mapping[str, Any]) -> str:
    lines = [f"{KINDS[episode['kind']]} ({episode['severity']})", printable(episode["what"])]
    scopes = episode["scopes"]
    if len(scopes) > 1:
        named = (f"{printable(s['scope'])} {percent(s['share'])}" for s in scopes[:_N_SCOPES])
        lines.append(f"mostly {', '.join(named)}")
    level = f"{episode['before']:.3g} → {episode['after']:.3g}"
    lines.append(f"{printable(episode['statistic'])} {level}, {printable(episode['detector'])}")
    return "\n".join(lines)


def _when(episode: Mapping[str, Any]) -> str:
    line = episode.get("detected_line")
    at = "" if line is None else f", line {line:,}"
    delay = elapsed(episode["detected"] - episode["onset"])
    ended = episode.get("ended")
    lines = [f"{moment(episode['onset'])} onset", f"{delay} later noticed{at}"]
    if ended is not None:
        lines.append(f"{moment(ended)} over")
    return "\n".join(lines)


def _done(episode: Mapping[str, Any]) -> str:
    return "\n".join(_reactions(episode.get("reactions", ()))) or "nothing"


def _reactions(reactions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each thing that was done in words, one that ended with its end."""
    begun: dict[tuple[str, str], list[str]] = {}
    for reaction in reactions:
        words = reaction["name"].replace("_", " ")
        at = moment(reaction["event_time"])[5:]
        key = reaction["name"], reaction["scope"]
        if reaction["is_on"]:
            begun.setdefault(key, []).append(f"{words} ({reaction['scope']}) {at}")
        elif begun.get(key):
            begun[key][-1] += f" to {at}"
    for told in begun.values():
        latest = printable(told[-1])
        yield latest if len(told) == 1 else f"{latest}, {len(told)} times in all"


def _planted(match: Mapping[str, Any] | None) -> str:
    if match is None:
        return "nothing: false"
    after = match["delay"]
    again = f"{after:,} records after it" if match["is_first"] else "told of before"
    return f"{match['kind']}, {printable(match['scope'])}: {again}"
