"""The path of events through the engine, compiled: recommend, judge, learn.

`run` takes events in order and stops after the event whose gradient completes a ranker step, that
makes a clock due for scaling back, or that raises an alarm: what follows from it takes effect from
the next event on, and never depends on a batch's end. It stops too when there is no room for the
sums of another block of inputs.
"""

from __future__ import annotations

import numpy as np

from models.batch import Batch, Judged, Lists, Options
from models.compiled import compiled, uncounted
from models.covisitation import MAX_CLOCK, N_RECENT, apply_increments, increments
from models.history import append_consumed, find_consumed, recent_titles
from models.listing import draw_popular, list_for, make_list
from models.popularity import add_view, update_creators, update_tops
from models.quality_state import BLOCK, N_ALARMS, N_IN_BLOCK, QualityWatch
from models.quality_watch import sum_block, watch_quality
from models.ranking import add_gradient
from models.reasons import NEW_VIEWS
from models.scratch import N_ENDED, Scratch
from models.shortlist import begin_query
from models.state import (
    MAX_GENRES,
    N_EVENTS,
    N_GRADIENTS,
    N_GROUPS,
    N_POPULARITIES,
    N_SEEN,
    N_VIEWS,
    Model,
)

JUDGED, COLD, REPEAT, NOT_POSITIVE = 0, 1, 2, 3
NEW_USER, NEW_TITLE, HEAD_TITLE, NEVER_SEEN = 1, 2, 4, 8
NEW_USER_EVENTS = 5
HEAD_FACTOR = 3.0
LEARNED = np.float32(-1e30)
"""Score of a candidate that its tie group has watched by now: no rival of the next one."""


@compiled
def open_group(model: Model, scratch: Scratch, options: Options, user: int, time: float) -> None:
    """Make a tie group's list and candidates before anything of it is learned.

    Candidates live in a ring of slots. A group whose slot was taken meanwhile keeps its list, but
    its later events teach the ranker nothing.
    """
    users, candidates = model.users, model.candidates
    slot = model.counts[N_GROUPS] % (len(candidates.length) - 1)
    model.counts[N_GROUPS] += 1
    previous = candidates.user[slot]
    if previous >= 0 and users.group_slot[previous] == slot:
        users.group_slot[previous] = -1
    candidates.user[slot] = user
    users.group_slot[user] = slot
    k = users.group_list.shape[1]
    best = np.empty(k, np.int32)
    n = make_list(model, scratch, user, time, slot, best)
    for p in range(k):
        if options.is_served:
            users.group_list[user, p] = users.pending[user, p]
        else:
            users.group_list[user, p] = candidates.title[slot, best[p]] if p < n else -1


@compiled
def judge(model: Model, scratch: Scratch, batch: Batch, e: int, out: Judged) -> None:
    """Compare the group's list, and each popularity's, with what was watched."""
    users, titles = model.users, model.titles
    user, title = batch.user[e], batch.title[e]
    views, n_seen = titles.views[title], model.counts[N_SEEN]
    out.views[e], out.n_views[e] = views, model.counts[N_VIEWS]
    out.segment[e] = (
        NEW_USER * (users.n_events[user] < NEW_USER_EVENTS)
        + NEW_TITLE * (views < NEW_VIEWS)
        + HEAD_TITLE * (views * n_seen >= HEAD_FACTOR * model.counts[N_VIEWS])
        + NEVER_SEEN * (views == 0)
    )
    if users.is_cold[user]:
        out.skip[e] = COLD
        return
    for p in range(users.group_list.shape[1]):
        listed = users.group_list[user, p]
        out.listed[e, p] = listed
        if listed >= 0:
            out.listed_views[e, p] = titles.views[listed]
            if listed == title:
                out.rank[e] = p + 1
    if find_consumed(users, model.history, user, title) >= 0:
        out.skip[e], out.rank[e] = REPEAT, 0
    elif not batch.is_positive[e]:
        out.skip[e], out.rank[e] = NOT_POSITIVE, 0
    else:
        out.skip[e] = JUDGED
        if views > 0:
            out.n_candidates[e] = max(n_seen - users.length[user], 1)
        _judge_popular(model, scratch, user, title, e, out)


@compiled
def _judge_popular(
    model: Model, scratch: Scratch, user: int, title: int, e: int, out: Judged
) -> None:
    """Find the title in the lists that each popularity made for the group.

    A group whose slot was taken meanwhile has them made anew, as of this event.
    """
    slot = model.users.group_slot[user]
    if slot < 0:
        slot = len(model.candidates.length) - 1
        query = begin_query(model.users, model.history, scratch, user)
        draw_popular(model, scratch, slot, query)
    popular = model.candidates.popular[slot]
    for h in range(N_POPULARITIES):
        for p in range(popular.shape[1]):
            if popular[h, p] == title:
                out.popularity_rank[e, h] = p + 1
                model.hits[h] += 1


@compiled
def learn_ranking(model: Model, scratch: Scratch, user: int, title: int, strength: float) -> int:
    """Add the gradient of a watched title; return its rank in the shortlist.

    0 if it is absent, -1 if the group's shortlist is gone.
    """
    candidates = model.candidates
    slot = model.users.group_slot[user]
    if slot < 0:
        return -1
    n, titles, score = candidates.length[slot], candidates.title[slot], candidates.score[slot]
    target = -1
    for p in range(n):
        if titles[p] == title:
            target = p
    if target < 0:
        return 0
    rank = 1
    for p in range(n):
        rank += score[p] > score[target]
    add_gradient(
        candidates.feature[slot],
        n,
        candidates.context[slot],
        score,
        target,
        strength,
        model.gradient,
        scratch.values[0],
    )
    score[target] = LEARNED
    model.counts[N_GRADIENTS] += 1
    return rank


@compiled
def learn_covisits(
    model: Model, scratch: Scratch, n_neighbors: int, user: int, title: int, strength: float
) -> None:
    """Add the pairs of a novel title with the user's recent titles."""
    recent = scratch.recent[:N_RECENT]
    n_recent = recent_titles(model.users, model.history, user, recent)
    rows, columns, weights = scratch.rows, scratch.columns, scratch.increments
    n = increments(recent[:n_recent], title, model.clock, strength, rows, columns, weights)
    apply_increments(
        model.titles, model.neighbors, model.rows, n_neighbors, rows, columns, weights, n
    )


@compiled
def learn_popularity(model: Model, title: int, time: float, strength: float) -> None:
    """Count a view in the popularities, the lists of the most popular, and the genres."""
    titles, tops = model.titles, model.tops
    model.counts[N_SEEN] += titles.views[title] == 0
    model.counts[N_VIEWS] += 1
    add_view(titles, title, time, strength)
    if titles.withdrawn[title] == 0:
        update_tops(titles, tops, title)
        update_creators(titles, tops, title)
    for genre in titles.genres[title, :MAX_GENRES]:
        if genre >= 0:
            tops.genre_mass[genre] += 1.0


@compiled
def tick(model: Model, options: Options, user: int, title: int) -> None:
    """Count the event and let the co-visitation clocks advance.

    A half-life is a number of events, but at least so many for each title seen: in a larger
    catalogue a title waits longer for its next view.
    """
    counts = model.counts
    model.users.last_event[user] = counts[N_EVENTS]
    model.titles.last_event[title] = counts[N_EVENTS]
    counts[N_EVENTS] += 1
    slow = max(options.slow_half_life, options.events_per_title * counts[N_SEEN])
    model.clock[0] += 1.0 / slow
    model.clock[1] += options.slow_half_life / (slow * options.fast_half_life)


@compiled
def learn(model: Model, scratch: Scratch, options: Options, batch: Batch, e: int) -> None:
    """Let one event change everything but the ranker."""
    users = model.users
    user, title, time = batch.user[e], batch.title[e], batch.time[e]
    strength = np.float64(batch.strength[e])
    if not batch.is_positive[e]:
        strength *= options.weak_strength
    if batch.strength[e] > 0.0:  # else it teaches nobody but its user
        if find_consumed(users, model.history, user, title) < 0:
            learn_covisits(model, scratch, options.n_neighbors, user, title, strength)
        learn_popularity(model, title, time, strength)
    append_consumed(users, model.history, model.blocks, user, title)
    users.last_time[user] = max(users.last_time[user], time)
    users.n_events[user] += 1
    tick(model, options, user, title)


@uncounted
def watch(model: Model, quality: QualityWatch, batch: Batch, e: int, judged: Judged) -> None:
    """Let the detectors see an event that was judged and is not learned yet."""
    users, titles, user = model.users, model.titles, batch.user[e]
    segment, n_events = judged.segment[e], users.n_events[user]
    sum_block(quality, titles, batch, e, segment, n_events)
    quality.counts[N_ALARMS] = 0
    if judged.depth[e] >= 0 and segment & NEVER_SEEN == 0 and batch.strength[e] > 0.0:
        n_listed = model.candidates.length[users.group_slot[user]]
        watch_quality(quality, titles, batch, e, judged, n_events, n_listed)


@compiled
def run(
    model: Model,
    quality: QualityWatch,
    scratch: Scratch,
    options: Options,
    batch: Batch,
    begin: int,
    end: int,
    judged: Judged,
    lists: Lists,
) -> int:
    """Handle the events from ``begin`` to ``end`` at most; return where it stopped.

    The sums of each 64 events that end on the way are left in ``scratch.ended``, in order.
    """
    users, n_ended = model.users, 0
    for e in range(begin, end):
        user = batch.user[e]
        if batch.group_time[e] != users.group_time[user]:
            users.group_time[user] = batch.group_time[e]
            users.group_slot[user] = -1
            users.is_cold[user] = users.n_events[user] == 0
            if not users.is_cold[user]:
                open_group(model, scratch, options, user, batch.time[e])
        judge(model, scratch, batch, e, judged)
        if judged.skip[e] == JUDGED:
            judged.depth[e] = learn_ranking(
                model, scratch, user, batch.title[e], np.float64(batch.strength[e])
            )
        if options.is_watched:
            watch(model, quality, batch, e, judged)
            if quality.counts[N_IN_BLOCK] == BLOCK:
                scratch.ended[n_ended] = quality.block
                quality.block[:], quality.counts[N_IN_BLOCK] = 0.0, 0
                n_ended += 1
        learn(model, scratch, options, batch, e)
        if batch.is_emitted[e]:
            list_for(model, scratch, user, batch.time[e], lists, e)
            if options.is_served:
                users.pending[user] = lists.title[e]
        if (
            model.counts[N_GRADIENTS] >= options.step_every
            or model.clock.max() > MAX_CLOCK
            or quality.counts[N_ALARMS] > 0
            or n_ended == N_ENDED
        ):
            return e + 1
    return end
