"""What the ranker has learned to look at."""

from __future__ import annotations

import math

from monitoring.report.markup import Markup, element
from monitoring.report.parts import paragraph, section, table
from monitoring.report.plotting import svg
from monitoring.report.values import Report
from monitoring.report.words import words_of

_ABOUT = (
    "A title's score is a weighted sum of these, and its odds of being watched are e to its score."
    " The factor is what the weight makes of the odds, all else equal. Features overlap, so a"
    " weight says what is added beside the others; corrections by length of history and time since"
    " the last view come on top."
)


def model_section(report: Report) -> Markup:
    """Return the weights, largest effect first."""
    heading = "What the model weighs"
    weights = {name: weight for name, weight in report.weights.items() if weight}
    if not weights:
        return section("model", heading, paragraph("The ranker has learned nothing yet."))
    effects = {name: weight * words_of(name).step.size for name, weight in weights.items()}
    most = max(map(abs, effects.values()))
    ordered = sorted(effects, key=lambda name: -abs(effects[name]))
    rows = [
        (
            words_of(name).label,
            _bar(words_of(name).label, effects[name], most),
            f"× {math.exp(effects[name]):.2f}",
            words_of(name).step.words,
            element("span", words_of(name).meaning, " ", element("code", name)),
            f"{weights[name]:+.3f}".replace("-", "−"),
        )
        for name in ordered
    ]
    headers = ("feature", "less – more", "odds", "for", "what it is", "weight")
    return section(
        "model", heading, paragraph(_ABOUT), table(headers, rows, "Weights of the ranker")
    )


def _bar(label: str, effect: float, most: float) -> Markup:
    """Return a bar from the middle: to the right for what speaks for a title."""
    length = 49 * abs(effect) / most
    left = 50 if effect > 0 else 50 - length
    side = "for" if effect > 0 else "against"
    return svg(
        label,
        f"speaks {side} a title, {length / 49:.2f} of the largest effect",
        element("line", x1="50%", x2="50%", y1="0", y2="100%", class_="axis"),
        element("rect", x=f"{left:.2f}%", y="20%", width=f"{length:.2f}%", height="60%"),
        class_=f"bar {side}",
    )
