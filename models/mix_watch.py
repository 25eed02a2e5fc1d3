"""Accepted events watched for changes of who watches and of what is watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alarms import ALL, Alarm, Kind, Recovery, Severity
from models.input_sentences import LARGE, moment
from models.level_steps import add_shares, effect
from models.level_watch import DETECTOR, LevelWatch
from models.levels import IS_BACK, MOST_WAIT, RAISED, RULE, SLOWEST_RATE
from models.quality_state import BLOCK, BLOCK_GENRES

NEW_USERS, NEW_TITLES, CONCENTRATION, MIX, FIRST_GENRE = range(5)
NAMES = ("new_users", "new_titles", "concentration", "genre_mix", "genre_share")


def rules(n_genres: int) -> NDArray[Any]:
    """Return the rule of every statistic.

    The least effects: shares by .02 and by half of what they were, that of new titles, which are
    released in bursts, by .1; concentration by a third of a bit, the mix of genres by a twentieth
    of the events.
    """
    table = np.zeros(FIRST_GENRE + n_genres, RULE)
    table["block"], table["burn_in"], table["wait"] = BLOCK, 20, MOST_WAIT
    table["least"], table["ratio"], table["least_spread"] = 0.02, 0.5, 1 / BLOCK
    table["largest_z"] = 6.0
    table["only_up"][[NEW_USERS, NEW_TITLES, MIX]] = True  # a log's first users are all new
    table["least"][NEW_TITLES] = 0.1
    table["least"][CONCENTRATION], table["ratio"][CONCENTRATION] = 1 / 3, 0.0
    table["block"][MIX] = 1
    table["least"][MIX], table["ratio"][MIX] = 0.05, 0.0
    table["least_spread"][[CONCENTRATION, MIX]] = 1e-4
    return table


class MixWatch:
    """Statistics of accepted events, block by block of 64, whoever cuts the blocks.

    Shares of events by new users, of new titles, and of each genre; the mean of -log2 of the
    watched title's share in popularity (*concentration*: less when fewer titles are watched more);
    and how far the genres of a block are from the usual mix (total variation). They are watched as
    `models.levels` says. Memory: 350 bytes a genre. A block costs about 8 µs.

    Parameters
    ----------
    n_genres
        Most genres.
    patience
        Events after which a change that lasts counts as usual.
    """

    def __init__(self, n_genres: int, patience: int) -> None:
        self.patience = patience
        self.watch = LevelWatch(rules(n_genres))
        self._is_raised = self.watch.levels["is_raised"]
        self._usual = np.zeros(n_genres)
        self._n_blocks = 0
        self._open: set[int] = set()

    def take(
        self, block: NDArray[np.float64], time: float, name_of: Callable[[int], str], n_genres: int
    ) -> list[Alarm | Recovery]:
        """Take in the sums over the latest 64 events; return what they show.

        Parameters
        ----------
        block
            Events by new users, events of new titles, summed concentration, events by genre.
        time
            Event time of the last of them.
        name_of, n_genres
            Names of the genres known so far, and how many there are.
        """
        counts, added = block[BLOCK_GENRES : BLOCK_GENRES + n_genres], self.watch.added
        add_shares(added[NEW_USERS:CONCENTRATION], BLOCK, block[:CONCENTRATION])
        add_shares(added[FIRST_GENRE : FIRST_GENRE + n_genres], BLOCK, counts)
        bits = block[CONCENTRATION]
        added[CONCENTRATION] = BLOCK, bits, bits * bits / BLOCK
        total = counts.sum()
        if total > 0.0:
            moved = self._moved(counts / total)
            added[MIX] = 1.0, moved, moved * moved
        found = self.watch.look(time, patience=self.patience)
        return [notice for at, what in found for notice in self._told(at, what, time, name_of)]

    def _moved(self, shares: NDArray[np.float64]) -> float:
        """Return the share of a block that is of other genres than usual, and learn the block."""
        usual = self._usual[: len(shares)]
        moved = 0.5 * float(np.abs(shares - usual).sum())
        if not self._is_raised[MIX]:
            self._n_blocks += 1
            usual += max(1.0 / self._n_blocks, SLOWEST_RATE) * (shares - usual)
        return moved

    def _told(
        self, at: int, what: int, time: float, name_of: Callable[[int], str]
    ) -> list[Alarm | Recovery]:
        is_genre = at >= FIRST_GENRE
        scope = f"genre:{name_of(at - FIRST_GENRE)}" if is_genre else ALL
        statistic = NAMES[min(at, FIRST_GENRE)]
        if what != RAISED:
            is_told = at in self._open
            self._open.discard(at)
            return [Recovery(statistic, scope, time, what == IS_BACK)] if is_told else []
        level, rule = self.watch.levels[at], self.watch.rules[at]
        before, after = float(level["mean"]), float(level["after"])
        is_large = abs(after - before) >= LARGE * float(effect(level, rule))
        self._open.add(at)
        return [
            Alarm(
                statistic=statistic,
                scope=scope,
                kind=Kind.DATA,
                severity=Severity.DRIFT if is_large else Severity.WARNING,
                onset=float(level["onset"]),
                detected=time,
                n_events=int(level["raised_n"]) * (BLOCK if at == MIX else 1),
                before=before,
                after=after,
                detector=DETECTOR,
                what=f"{_said(at, scope, before, after)} since {moment(float(level['onset']))}",
            )
        ]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays."""
        return {
            **self.watch.snapshot(),
            "usual": self._usual.copy(),
            "blocks": np.array([self._n_blocks], np.int64),
            "open": np.array(sorted(self._open), np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken, with the same settings."""
        self.watch.restore(arrays)
        self._usual[:] = arrays["usual"]
        self._n_blocks = int(arrays["blocks"][0])
        self._open = set(arrays["open"].tolist())


def _said(at: int, scope: str, before: float, after: float) -> str:
    if at == NEW_USERS:
        return f"{after:.0%} of the events are by new users, {before:.1%} before"
    if at == NEW_TITLES:
        return f"{after:.0%} of the events are of new titles, {before:.1%} before"
    if at == CONCENTRATION:
        fewer = "fewer" if after < before else "more"
        factor = 2.0 ** min(abs(after - before), 60.0)
        return f"views are spread over {factor:.1f} times {fewer} titles"
    if at == MIX:
        return f"{after:.0%} of a block's views are of other genres than usual, {before:.0%} before"
    return f"{scope.partition(':')[2]} makes {after:.0%} of the views, {before:.1%} before"
