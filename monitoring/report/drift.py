"""The drift episodes of a run in words, held against the truth where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitoring.drift_tables import described, scored
from monitoring.report.markup import Markup, element, joined
from monitoring.report.parts import paragraph, section
from monitoring.report.values import Drift, Report

_HEADING = "Drift"
_NAMES = ("When", "What was done", "Planted")


def drift_section(report: Report) -> Markup:
    """Return a card an episode, and what was planted."""
    drift = report.drift
    if drift is None:
        return section("drift", _HEADING, paragraph("Drift was not watched (drift.detect is off)."))
    return section(
        "drift",
        _HEADING,
        *(paragraph(sentence) for sentence in _sentences(drift)),
        element("ol", *map(_card, drift.episodes), class_="cards") if drift.episodes else None,
    )


def _sentences(drift: Drift) -> list[str]:
    n, shown = drift.n_episodes, len(drift.episodes)
    words = f"{n} episode{'s' if n != 1 else ''}" if n else "No episode"
    latest = f"; the latest {shown} are shown" if n > shown else ""
    sentences = [
        f"{words}{latest}. The drawing above has marks where they were noticed."
        if n
        else f"{words}."
    ]
    if drift.scores is not None:
        sentences += scored(drift.missed, drift.scores)
    elif drift.planted:
        sentences.append(f"{len(drift.planted)} changes were planted.")
    elif drift.planted is not None:
        sentences.append("Nothing was planted into this log.")
    return sentences


def _card(episode: Mapping[str, Any]) -> Markup:
    state, what, *others = described(episode)
    name, is_open = state.split("\n")
    kind, *lines = what.split("\n")
    heading = element(
        "h3",
        element("span", class_=f"swatch {episode['kind']}", aria_hidden="true"),
        kind[:1].upper() + kind[1:],
        element("span", f" {name}, {is_open}", class_="muted"),
    )
    facts = (
        joined(element("dt", fact), element("dd", *_broken(words)))
        for fact, words in zip(_NAMES, others, strict=False)
    )
    return element("li", heading, *(paragraph(line) for line in lines), element("dl", *facts))


def _broken(words: str) -> list[Markup]:
    return [element("span", line, class_="line") for line in words.split("\n")]
