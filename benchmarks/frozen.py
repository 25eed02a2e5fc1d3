"""What an engine that learns no more hits after a change, beside the same world without it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.changes import Change
from models.engine import Engine, EngineConfig, View
from models.outcomes import Skip
from models.viewing import Views, views
from models.world import World
from streams.planting import Planting


class Frozen(NamedTuple):
    """How much of its scope a change touches, and how much worse old knowledge is in it.

    Attributes
    ----------
    share
        Of the scope in the events judged after the change.
    changed, unchanged
        Recall in the scope after the change, and over the same time in the world without it.
    """

    share: float
    changed: float
    unchanged: float

    @property
    def kept(self) -> float:
        """Which part of the recall a frozen engine keeps."""
        return self.changed / self.unchanged


def frozen_recall(planting: Planting, n_after: int) -> Frozen:
    """Let an engine learn until the only change of a world, and judge it on events after it."""
    world = planting.world()
    (change,) = world.changes
    n = planting.ruler.n_events
    log = np.concatenate(list(views(world, n)))
    calm = np.concatenate(list(views(World(world.settings), n)))
    engine = _described(world)
    _recall(engine, log[log["event_time"] < change.begin], 1.0)
    learned = engine.snapshot()
    recalls, shares = [], []
    for one in (log, calm):
        after = one[one["event_time"] >= change.begin][:n_after]
        in_scope = _in_scope(world, change, after)
        engine = _described(world)
        engine.restore(learned)
        recalls.append(_recall(engine, after, 0.0, in_scope))
        shares.append(float(in_scope.mean()))
    return Frozen(shares[0], *recalls)


def _described(world: World) -> Engine:
    engine = Engine(EngineConfig(watches=False))
    for title, genres in enumerate(world.titles.genres.tolist()):
        engine.describe(str(title), genres=[str(genre) for genre in genres if genre >= 0])
    return engine


def _recall(
    engine: Engine, log: Views, strength: float, in_scope: NDArray[np.bool_] | None = None
) -> float:
    """Take views with a strength, none of which is learned at 0, and return recall in a scope."""
    columns = log[["user", "title", "event_time"]].tolist()
    taken = [View(str(u), str(t), time, time, strength=strength) for u, t, time in columns]
    judged = [segment.judged for segment in engine.learn(taken)]
    is_counted = np.concatenate([one.skip for one in judged]) == Skip.JUDGED
    if in_scope is not None:
        is_counted &= in_scope
    rank = np.concatenate([one.rank for one in judged])
    return float((rank[is_counted] > 0).mean())


def _in_scope(world: World, change: Change, log: Views) -> NDArray[np.bool_]:
    in_scope = world.titles.in_genre(log["title"], change.genre)
    if change.device is not None:
        in_scope &= world.people.device[log["user"]] == change.device
    return in_scope
