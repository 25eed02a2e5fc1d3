"""One list for one user: draw candidates, describe them, score them, order them.

Nothing here changes state: only scratch memory and the candidate slot that the caller names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models import features
from models.batch import Lists
from models.compiled import compiled
from models.covisitation import N_RECENT
from models.history import recent_titles
from models.popularity import first_novel, popularity_key, scan_top
from models.ranking import best_candidates, gap_context, history_context, score_candidates
from models.reasons import explain_list
from models.scratch import Scratch
from models.shortlist import (
    begin_query,
    clear_scores,
    draw_candidates,
    fill_unseen,
    profile_taste,
    score_covisits,
    select_covisited,
)
from models.state import N_POPULARITIES, N_TITLES, TOP_SIZE, Model

LOWEST_SCORE = -1e30
"""Instead of the logarithm of a popularity of zero."""
NOBODY = 0
"""The row of a user without history: never learned, listed for whoever is unknown."""


@compiled
def make_list(
    model: Model, scratch: Scratch, user: int, time: float, slot: int, best: NDArray[np.int32]
) -> int:
    """Write the positions of the best candidates in ``slot`` to ``best``; return how many."""
    users, titles, candidates = model.users, model.titles, model.candidates
    query = begin_query(users, model.history, scratch, user)
    draw_popular(model, scratch, slot, query)
    n_recent = recent_titles(users, model.history, user, scratch.recent)
    scratch.n_recent[0] = n_recent
    n_touched = score_covisits(
        titles, model.neighbors, model.clock, scratch.recent, min(n_recent, N_RECENT), scratch
    )
    n_strong = select_covisited(scratch, n_touched, query)
    mean_year = profile_taste(titles, model.tops, scratch.recent, n_recent, scratch)
    drawn = candidates.title[slot]
    n = draw_candidates(titles, model.tops, drawn, scratch, query, n_strong)
    if n < len(best):
        n = fill_unseen(titles, drawn, n, scratch, query, model.counts[N_TITLES])
    candidates.length[slot] = n
    candidates.context[slot, 0] = history_context(users.length[user])
    candidates.context[slot, 1] = gap_context(time - users.last_time[user])
    features.describe_covisits(candidates, slot, n, scratch)
    features.describe_popularity(titles, candidates, slot, n, time, scratch.values)
    features.describe_content(titles, candidates, slot, n, scratch, mean_year)
    clear_scores(scratch, n_touched)
    table, score = candidates.feature[slot], candidates.score[slot]
    score_candidates(table, n, candidates.context[slot], model.weights, score)
    return best_candidates(candidates.title[slot], score, n, best)


@compiled
def draw_popular(model: Model, scratch: Scratch, slot: int, query: int) -> None:
    """Find the novel titles of each popularity and keep its own list of k as a baseline."""
    titles, tops, kept = model.titles, model.tops, model.candidates.popular[slot]
    k = kept.shape[1]
    for h in range(N_POPULARITIES):
        found, length = scratch.popular[h], tops.length[h]
        n = first_novel(tops.title[h, :length], scratch.excluded, query, found)
        if n < k and length == TOP_SIZE:
            n = scan_top(titles, model.counts[N_TITLES], scratch.excluded, query, h, found)
        scratch.n_popular[h] = n
        for p in range(k):
            kept[h, p] = found[p] if p < n else -1


@compiled
def list_for(model: Model, scratch: Scratch, user: int, time: float, lists: Lists, at: int) -> None:
    """Write a user's list with scores and reasons into row ``at``.

    A user without history gets the popularity whose own lists have hit most often so far.
    """
    candidates, slot = model.candidates, len(model.candidates.length) - 1
    k = lists.title.shape[1]
    best = np.empty(k, np.int32)
    n = make_list(model, scratch, user, time, slot, best)
    if model.users.length[user] == 0:
        _list_popular(model, slot, lists, at)
        return
    for p in range(n):
        lists.title[at, p] = candidates.title[slot, best[p]]
        lists.score[at, p] = candidates.score[slot, best[p]]
    explain_list(model, scratch, lists, at, scratch.n_recent[0])


@compiled
def _list_popular(model: Model, slot: int, lists: Lists, at: int) -> None:
    """Write the best popularity's list; a score is the key, log2 of the discounted views."""
    h = int(np.argmax(model.hits))
    p = 0
    for title in model.candidates.popular[slot, h]:
        if title >= 0:
            lists.title[at, p] = title
            lists.score[at, p] = max(popularity_key(model.titles, title, h), LOWEST_SCORE)
            p += 1
    for q in range(model.candidates.length[slot]):
        title = model.candidates.title[slot, q]
        if p < lists.title.shape[1] and model.titles.views[title] == 0:
            lists.title[at, p] = title
            p += 1
