"""Accepted events of a call: what is learned in one go, which lists are kept, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.engine import Segment
from models.engine import View as Learnable
from models.exposure import Exposure
from models.outcomes import Outcomes


class Run(NamedTuple):
    """Accepted events in order, with their positions, and whom to forget after the last."""

    at: list[int]
    learnable: list[Learnable]
    forget: str | None = None


def marked_last(runs: Sequence[Run]) -> list[Run]:
    """Mark the last view of each user as emitted, if the user was not forgotten after it."""
    last: dict[str, int] = {}
    for run in runs:
        last.update(zip((view.user_id for view in run.learnable), run.at, strict=True))
        if run.forget is not None:
            last.pop(run.forget, None)
    return [run._replace(learnable=list(_marked(run, last))) for run in runs]


def _marked(run: Run, last: Mapping[str, int]) -> Iterator[Learnable]:
    for at, view in zip(run.at, run.learnable, strict=True):
        yield view._replace(is_emitted=last.get(view.user_id) == at)


def outcomes_of(segment: Segment, run: Run) -> Outcomes:
    """Return how a segment of a run was judged, for evaluation."""
    rows = slice(segment.begin, segment.end)
    judged = segment.judged
    return Outcomes(
        skip=judged.skip[rows],
        rank=judged.rank[rows],
        segment_bits=judged.segment[rows],
        popularity_rank=judged.popularity_rank[rows],
        random_n=judged.n_candidates[rows],
        lists=judged.listed[rows],
        event_time=np.array([view.time for view in run.learnable[rows]], np.float64),
        exposure=Exposure(
            list_views=judged.listed_views[rows],
            target_views=judged.views[rows],
            n_views=judged.n_views[rows],
        ),
    )
