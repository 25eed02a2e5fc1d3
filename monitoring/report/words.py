"""What the ranker looks at, in words.

A weight w multiplies a title's odds by e^(w s) when its feature grows by s. Most features are
logarithms of base two, so that a doubling is a growth by one.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A change of a feature in words, and its size."""

    words: str
    size: float


DOUBLING, EACH = Step("each doubling", 1.0), Step("each", 1.0)
BEST = Step("the best against none", 4.0)  # these features go from 0 to 4


class Words(NamedTuple):
    """A feature's name for people, what it measures, and what a step of it is."""

    label: str
    meaning: str
    step: Step = DOUBLING


_POPULARITY = {
    "30d": "30 days",
    "7d": "7 days",
    "2d": "2 days",
    "12h": "12 hours",
    "3h": "3 hours",
    "45min": "45 minutes",
}
FEATURES = {
    "forward": Words("watched next", "how often people went on to it from what this user watched"),
    "backward": Words("watched before", "how often people watched it before what this user did"),
    "fast": Words("watched together lately", "both of these, with faster forgetting"),
    "last_step": Words("the very next", "how often it came within three titles of the latest ones"),
    "views": Words("views in all", "how often it was ever watched"),
    **{
        f"popularity_{name}": Words(
            f"popular, {words}", f"how often it was watched lately: half as much after {words}"
        )
        for name, words in _POPULARITY.items()
    },
    "age": Words("age", "hours since it was first watched by anybody"),
    "idle": Words("idle", "minutes since it was last watched by anybody"),
    "genre_lift": Words("genres", "how much more than others this user watches its genres"),
    "year_distance": Words("other years", "how far its year is from those that this user watches"),
    "creator_matches": Words("creators", "how many of the user's last ten share a creator", EACH),
    "forward_peak": Words("best watched next", "“watched next” beside the best candidate", BEST),
    "last_step_peak": Words("best very next", "“the very next” beside the best one", BEST),
    "popularity_12h_peak": Words("hit of the day", "12-hour popularity beside the best", BEST),
    "popularity_2d_peak": Words("hit of the week", "2-day popularity beside the best", BEST),
}


def words_of(feature: str) -> Words:
    """Return the words of a feature; one that has none stands for itself."""
    return FEATURES.get(feature) or Words(feature.replace("_", " "), "")
