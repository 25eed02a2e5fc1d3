"""The recommender: learns from every view at once and lists titles with scores and reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import eviction
from models.adapting import Adapting
from models.alarms import Alarm, Reaction, Recovery
from models.batch import Batch, Lists, Options, new_judged, new_lists
from models.covisitation import MAX_CLOCK, N_RECENT, rescale
from models.engine_arrays import (
    dump_model,
    grow_titles,
    grow_users,
    load_model,
    make_room,
    new_model,
)
from models.feature_names import N_FEATURES
from models.interface import EngineConfig, Explanation, Segment, View
from models.kernel import run
from models.listing import NOBODY, list_for
from models.mix_watch import MixWatch
from models.names import ABSENT, Names
from models.popularity import rebuild_tops, update_tops
from models.quality_alarms import QualityAlarms
from models.quality_state import BLOCK, N_ALARMS, N_IN_BLOCK
from models.ranker import Ranker
from models.scratch import new_scratch
from models.state import (
    MAX_CREATORS,
    MAX_GENRES,
    MAX_HISTORY,
    N_GENRES,
    N_GRADIENTS,
    N_SEEN,
    N_TITLES,
    N_USERS,
    Model,
)

__all__ = ["Engine", "EngineConfig", "Explanation", "Segment", "View"]


class Engine:
    """Experts, ranker and judgement in one state that is a function of the views learned.

    Decayed popularity (`models.popularity`), sequential co-visitation (`models.covisitation`) and
    content affinity (`models.features`) describe a few hundred candidates (`models.shortlist`);
    a linear ranker that River learns (`models.ranker`) orders them. Batches are invisible: any
    split of the same views gives the same bits.

    Parameters
    ----------
    config
        See `EngineConfig`.

    Attributes
    ----------
    n_evicted_users, n_evicted_titles : int
        Users and titles forgotten to make room since it was made; no part of the state.

    Notes
    -----
    Views must come in one order for one result; times may go back within reason. Unknown users
    and titles are welcome everywhere and are remembered only by learning. An event costs 25 to
    50 µs with its list. Memory: 120 bytes a user and 4 to 8 a title in their history; 350 bytes a
    title and 24 a neighbour; 33 kB an open tie group.

    References
    ----------
    See the modules named above, each of which names its paper.

    Examples
    --------
    >>> engine = Engine(EngineConfig(k=2))
    >>> views = [View(u, t, float(n), float(n)) for n, (u, t) in enumerate(
    ...     [("ann", "a"), ("ann", "b"), ("bob", "a"), ("bob", "b"), ("cleo", "a"), ("dan", "c")])]
    >>> [int(rank) for part in engine.learn(views) for rank in part.judged.rank]
    [0, 0, 0, 1, 0, 0]
    >>> [engine.titles.name(row) for row in engine.recommend("cleo", 6.0).title[0]]
    ['b', 'c']
    """

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.users = Names(config.max_users, first_row=NOBODY + 1)
        self.titles = Names(config.max_titles)
        self.genres = Names(N_GENRES)
        self.creators = Names(config.max_titles)
        self.ranker = Ranker(config.learning_rate)
        self.model: Model = new_model(config.k, config.n_open_groups, is_served=config.is_served)
        self._scratch = new_scratch(len(self.model.titles.views), config.n_neighbors, config.k)
        self._options = Options(
            n_neighbors=config.n_neighbors,
            slow_half_life=config.slow_half_life,
            fast_half_life=config.fast_half_life,
            events_per_title=config.events_per_title,
            step_every=config.step_every,
            weak_strength=config.weak_strength,
            is_served=config.is_served,
            is_watched=config.watches,
        )
        self.n_evicted_users = self.n_evicted_titles = 0
        self.quality = QualityAlarms(config.k)
        self.mix = MixWatch(N_GENRES, config.patience)
        self._adapting = Adapting()
        self._sync_rows()

    def describe(
        self,
        content_id: str,
        *,
        year: float | None = None,
        genres: Sequence[str] = (),
        creators: Sequence[str] = (),
    ) -> None:
        """Take in what is known of a title: release year, genres, creators; replaces the former.

        At most 8 genres and 4 creators of a title count, and 256 genres in all.
        """
        row = self._title_row(content_id)
        titles = self.model.titles
        before = titles.genres[row].copy()
        titles.year[row] = np.nan if year is None else year
        titles.last_event[row] = max(titles.last_event[row], 0)  # a title that may be listed
        for table, names, known in (
            (titles.genres, genres[:MAX_GENRES], self.genres),
            (titles.creators, creators[:MAX_CREATORS], self.creators),
        ):
            rows = [r for name in dict.fromkeys(names) if (r := known.row_of(name)) != ABSENT]
            table[row] = ABSENT
            table[row, : len(rows)] = rows
        self._sync_rows()
        if titles.views[row] > 0 and not np.array_equal(before, titles.genres[row]):
            self._reorder(row, is_new=bool((before < 0).all()))

    def withdraw(self, content_id: str, *, is_withdrawn: bool = True) -> None:
        """Leave a title out of every new list, or take it back in."""
        row = self.titles.row(content_id)
        if row != ABSENT and self.model.titles.withdrawn[row] != is_withdrawn:
            self.model.titles.withdrawn[row] = is_withdrawn
            rebuild_tops(self.model.titles, self.model.tops, self.titles.n_rows)

    def forget(self, user_id: str) -> None:
        """Remove a user: name, history, open tie group and lists; one unknown is no error.

        What they taught stays, as sums over many in which nobody is named: views of titles, pairs
        of titles, weights of the ranker.
        """
        row = self.users.row(user_id)
        if row != ABSENT:
            eviction.erase_user(self.model, row)
            self._free_users([row])

    def learn(self, views: Sequence[View]) -> Iterator[Segment]:
        """Judge and learn views in order, in segments whose title rows may be named at once.

        Usually one segment; a full table of users or titles ends one early. The work of a
        segment is done when it is yielded: a caller that stops iterating stops learning.

        Raises
        ------
        ValueError
            If a time is not finite or a strength outside [0, 1]; then nothing was learned.
        """
        n = len(views)
        judged, lists = new_judged(n, self.config.k), new_lists(n, self.config.k)
        user, title = np.zeros(n, np.int32), np.zeros(n, np.int32)
        columns = self._columns(views)
        _check(*columns[:3])
        columns += self._labels(views)
        begin = 0
        for e, view in enumerate(views):
            if self._needs_room(view):
                if e > begin:
                    batch = Batch(user, title, *columns)
                    yield self._learn_rows(batch, views, Segment(begin, e, judged, lists, []))
                begin = e
                self._make_room(view)
            user[e] = self._user_row(view.user_id)
            title[e] = self._title_row(view.content_id)
        if n > begin:
            batch = Batch(user, title, *columns)
            yield self._learn_rows(batch, views, Segment(begin, n, judged, lists, []))

    def recommend(self, user_id: str, time: float) -> Lists:
        """Return one list for a user as of ``time``, known or not; changes nothing."""
        if not np.isfinite(time):
            raise ValueError(f"a list needs a finite time, not {time}")
        lists = new_lists(1, self.config.k)
        row = self.users.row(user_id)
        list_for(self.model, self._scratch, NOBODY if row == ABSENT else row, time, lists, 0)
        return lists

    def explain(self, user_id: str, time: float) -> Explanation:
        """Return a user's list as of ``time`` and what each score is made of; changes nothing.

        For a linear score ``w · f(x)`` the Shapley value of a feature, relative to the mean over
        the candidates, is ``w_f (f(x) - mean f)``: exact, and summing to the score minus the mean
        score. A user without history has a popular list, which no ranker scored: all zeros.

        References
        ----------
        Lundberg, Lee (2017), A Unified Approach to Interpreting Model Predictions, NeurIPS,
        corollary 1 (linear SHAP).
        """
        lists = self.recommend(user_id, time)
        candidates, slot = self.model.candidates, -1
        n, context = candidates.length[slot], candidates.context[slot]
        parts = np.zeros((self.config.k, N_FEATURES))
        if n == 0:
            return Explanation(lists, parts, 0.0)
        weights = self.model.weights[0] + self.model.weights[context].sum(axis=0)
        table = candidates.feature[slot, :, :n].astype(np.float64)
        values = weights[:, None] * (table - table.mean(axis=1, keepdims=True))
        place = {title: p for p, title in enumerate(candidates.title[slot, :n].tolist())}
        if self.knows(user_id):
            for p, title in enumerate(lists.title[0].tolist()):
                if title >= 0:
                    parts[p] = values[:, place[title]]
        return Explanation(lists, parts, float((weights @ table).mean()))

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays."""
        arrays = dump_model(self.model, self.users.n_rows, self.titles.n_rows)
        for prefix, part in self._parts().items():
            arrays |= {f"{prefix}.{name}": array for name, array in part.snapshot().items()}
        return arrays

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from a snapshot of an engine with the same configuration."""
        for prefix, part in self._parts().items():
            start = len(prefix) + 1
            part.restore({n[start:]: a for n, a in arrays.items() if n.startswith(f"{prefix}.")})
        empty = new_model(self.config.k, self.config.n_open_groups, is_served=self.config.is_served)
        self.model = load_model(empty, arrays)
        self._scratch = new_scratch(
            len(self.model.titles.views), self.config.n_neighbors, self.config.k
        )
        self._sync_rows()

    def _reorder(self, row: int, *, is_new: bool) -> None:
        """Bring the lists of genres up to date with a watched title's genres."""
        titles, tops = self.model.titles, self.model.tops
        if is_new and not titles.withdrawn[row]:
            update_tops(titles, tops, row)
        else:
            rebuild_tops(titles, tops, self.titles.n_rows)

    def _parts(self) -> dict[str, Any]:
        return {
            "ranker": self.ranker,
            "user_names": self.users,
            "title_names": self.titles,
            "genre_names": self.genres,
            "creator_names": self.creators,
            "quality": self.quality,
            "mix": self.mix,
            "adapting": self._adapting,
        }

    def _columns(self, views: Sequence[View]) -> tuple[NDArray[Any], ...]:
        is_served = self.config.is_served
        return (
            np.array([view.time for view in views], np.float64),
            np.array([view.group_time for view in views], np.float64),
            np.array([view.strength for view in views], np.float32),
            np.array([view.is_positive for view in views], np.bool_),
            np.array([view.is_emitted or is_served for view in views], np.bool_),
        )

    def _labels(self, views: Sequence[View]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Return the numbers of the devices and of the sources; one that is new gets the next."""
        devices, sources = [view.device for view in views], [view.source for view in views]
        return (
            self._numbers(devices, self.quality.devices),
            self._numbers(sources, self.quality.sources),
        )

    def _numbers(self, labels: list[str | None], names: Names) -> NDArray[np.int16]:
        if not self.config.watches or labels.count(None) == len(labels):
            return np.full(len(labels), ABSENT, np.int16)
        return np.array([self.quality.row_of(label, names) for label in labels], np.int16)

    def _learn_rows(self, batch: Batch, views: Sequence[View], segment: Segment) -> Segment:
        """Run the kernel over rows, pausing for room, for the ranker's steps, and for alarms.

        Blocks are looked at together when all rows are learned, for nothing that is learned
        depends on what they show: by turns, kernel and watch would push each other out of the
        processor's caches.
        """
        at, _, judged, lists, notices = segment
        state = self.quality.state
        blocks: list[NDArray[np.float64]] = []
        block_ends = range(at + BLOCK - 1 - int(state.counts[N_IN_BLOCK]), segment.end, BLOCK)
        while at < segment.end:
            stop = min(segment.end, at + _MAX_RUN)
            self._prepare(stop - at)
            at = run(
                self.model, state, self._scratch, self._options, batch, at, stop, judged, lists
            )
            if self.model.counts[N_GRADIENTS] >= self.config.step_every:
                self._step_ranker()
            n_ended = len(range(block_ends.start, at, BLOCK)) - len(blocks)
            if n_ended and self.config.watches:
                blocks.extend(self._scratch.ended[:n_ended].copy())
            if state.counts[N_ALARMS]:
                notices += ((at - 1, notice) for notice in self._react(views[at - 1]))
        if blocks:
            found = [*self._look_at_mix(views, block_ends, blocks), *notices]
            notices[:] = sorted(found, key=itemgetter(0))
        return segment

    def _look_at_mix(
        self, views: Sequence[View], ends: range, blocks: list[NDArray[np.float64]]
    ) -> Iterator[tuple[int, Alarm | Recovery]]:
        """Let the mix of the blocks be watched that ended with these events."""
        for end, block in zip(ends, blocks, strict=True):
            found = self.mix.take(block, views[end].time, self.genres.name, self.genres.n_rows)
            yield from ((end, notice) for notice in found)

    def _react(self, view: View) -> Iterator[Alarm | Reaction]:
        """Give the alarm that a view raised, and boost the fast side where one is due."""
        told = self.quality.take(self.genres, view.time)
        if told is None:
            return
        yield told[0]
        if self.config.adapts and not view.is_faulty:
            yield from self._adapting.to(
                *told, quality=self.quality.state, model=self.model, ranker=self.ranker
            )

    def _step_ranker(self) -> None:
        self.ranker.step(self.model.gradient)
        self.model.weights[:] = self.ranker.weights
        self.model.gradient[:] = 0.0
        self.model.counts[N_GRADIENTS] = 0

    def _prepare(self, n: int) -> None:
        """Make room in the pools for ``n`` events and scale weights back when it is time."""
        self.model = make_room(
            self.model,
            neighbors=n * (N_RECENT + 1) * self.config.n_neighbors,
            history=n * 2 * MAX_HISTORY,
        )
        for channels in (0, 1):
            if self.model.clock[channels] > MAX_CLOCK:
                model, by = self.model, 2.0 ** -self.model.clock[channels]
                rescale(model.titles, model.neighbors, model.rows, self.titles.n_rows, channels, by)
                model.clock[channels] = 0.0

    def _needs_room(self, view: View) -> bool:
        return (self.users.is_full and self.users.row(view.user_id) == ABSENT) or (
            self.titles.is_full and self.titles.row(view.content_id) == ABSENT
        )

    def _make_room(self, view: View) -> None:
        if self.users.is_full and self.users.row(view.user_id) == ABSENT:
            self._evict_users()
        if self.titles.is_full and self.titles.row(view.content_id) == ABSENT:
            self._evict_titles()

    def _evict_users(self) -> None:
        rows = eviction.least_recent(self.model.users.last_event, self.users.in_use())
        eviction.forget_users(self.model, rows)
        self._free_users(rows.tolist())
        self.n_evicted_users += len(rows)

    def _free_users(self, rows: list[int]) -> None:
        self.quality.forget(rows)
        self.users.remove(rows)

    def _evict_titles(self) -> None:
        rows = eviction.least_recent(self.model.titles.last_event, self.titles.in_use())
        eviction.forget_titles(self.model, rows)
        self.titles.remove(rows.tolist())
        self.n_evicted_titles += len(rows)

    def _user_row(self, user_id: str) -> int:
        row = self.users.row(user_id)
        if row == ABSENT:
            row = self.users.add(user_id)
            self._sync_rows()
        return row

    def _title_row(self, content_id: str) -> int:
        row = self.titles.row(content_id)
        if row == ABSENT:
            if self.titles.is_full:
                self._evict_titles()
            row = self.titles.add(content_id)
            self._sync_rows()
        return row

    def _sync_rows(self) -> None:
        """Let the arrays have a row for every name."""
        n_users, n_titles = self.users.n_rows, self.titles.n_rows
        model = grow_users(self.model, n_users)
        self.model = grow_titles(model, n_titles, self.creators.n_rows)
        self.model.counts[N_USERS], self.model.counts[N_TITLES] = n_users, n_titles
        if len(self._scratch.scores) < len(self.model.titles.views):
            self._scratch = new_scratch(
                len(self.model.titles.views), self.config.n_neighbors, self.config.k
            )

    @property
    def latest_time(self) -> float:
        """Latest event time learned, in epoch seconds; 0 before the first."""
        return max(float(self.model.users.last_time.max()), 0.0)

    def knows(self, user_id: str) -> bool:
        """Whether the user has a history here."""
        row = self.users.row(user_id)
        return row != ABSENT and bool(self.model.users.length[row])

    @property
    def n_seen(self) -> int:
        """Titles seen at least once."""
        return int(self.model.counts[N_SEEN])


def _check(*columns: NDArray[Any]) -> None:
    """Refuse times that are not finite and strengths outside [0, 1]."""
    time, group_time, strength = columns
    if not (np.isfinite(time).all() and np.isfinite(group_time).all()):
        raise ValueError("a view's time and group_time must be finite")
    if not ((strength >= 0.0) & (strength <= 1.0)).all():
        raise ValueError("a view's strength must be in [0, 1]")


_MAX_RUN = 256
"""Events in a kernel call: bounds the room that the pools must have beforehand."""
