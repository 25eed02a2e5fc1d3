"""Names of the ranker's features, in the order of the rows of a feature table."""

from __future__ import annotations

FEATURES = (
    "forward",
    "backward",
    "fast",
    "last_step",
    "views",
    "popularity_30d",
    "popularity_7d",
    "popularity_2d",
    "popularity_12h",
    "popularity_3h",
    "popularity_45min",
    "age",
    "idle",
    "genre_lift",
    "year_distance",
    "creator_matches",
    "forward_peak",
    "last_step_peak",
    "popularity_12h_peak",
    "popularity_2d_peak",
)
N_FEATURES = len(FEATURES)
(
    VIEWS,
    POPULARITY,
    AGE,
    IDLE,
    GENRE_LIFT,
    YEAR_DISTANCE,
    CREATOR_MATCHES,
    FORWARD_PEAK,
    LAST_PEAK,
    POPULARITY_12H_PEAK,
    POPULARITY_2D_PEAK,
) = (4, 5, *range(11, N_FEATURES))
