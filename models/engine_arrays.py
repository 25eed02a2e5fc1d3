"""Making, growing, saving and loading the arrays of an engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.feature_names import N_FEATURES
from models.pools import MIN_BLOCK, grown_capacity, new_pool
from models.ranking import N_CONTEXTS
from models.state import (
    N_COUNTS,
    N_POPULARITIES,
    Model,
    NamedGroup,
    Tops,
    arrays_of,
    grown,
    grown_pool,
    new_candidates,
    new_neighbors,
    new_titles,
    new_tops,
    new_users,
)

_FIRST_ROWS = 1024
_FIRST_POOL = 8192


def new_model(k: int, n_open_groups: int, *, is_served: bool) -> Model:
    """Return the arrays of an engine that has learned nothing."""
    return Model(
        users=new_users(_FIRST_ROWS, k, is_served=is_served),
        titles=new_titles(_FIRST_ROWS),
        neighbors=new_neighbors(_FIRST_POOL),
        rows=new_pool(_FIRST_POOL),
        history=np.zeros(_FIRST_POOL, np.int32),
        blocks=new_pool(_FIRST_POOL),
        tops=new_tops(1),
        candidates=new_candidates(n_open_groups, k),
        clock=np.zeros(2),
        counts=np.zeros(N_COUNTS, np.int64),
        hits=np.zeros(N_POPULARITIES, np.int64),
        weights=np.zeros((N_CONTEXTS, N_FEATURES), np.float32),
        gradient=np.zeros((N_CONTEXTS, N_FEATURES)),
    )


def _capacity(have: int, needed: int) -> int:
    return have if needed <= have else max(needed, have + have // 2)


def grow_users(model: Model, n: int) -> Model:
    """Return the model with room for ``n`` users."""
    capacity = _capacity(len(model.users.length), n)
    if capacity == len(model.users.length):
        return model
    k, is_served = model.users.group_list.shape[1], len(model.users.pending) > 1
    return model._replace(users=grown(model.users, new_users(capacity, k, is_served=is_served)))


def grow_titles(model: Model, n: int, n_creators: int) -> Model:
    """Return the model with room for ``n`` titles and so many creators."""
    capacity = _capacity(len(model.titles.views), n)
    if capacity != len(model.titles.views):
        model = model._replace(titles=grown(model.titles, new_titles(capacity)))
    have = len(model.tops.creator_length)
    if _capacity(have, n_creators) != have:
        model = model._replace(tops=_grown_tops(model.tops, _capacity(have, n_creators)))
    return model


def _grown_tops(tops: Tops, n_creators: int) -> Tops:
    return grown(tops, new_tops(n_creators))


def make_room(model: Model, *, neighbors: int, history: int) -> Model:
    """Return the model with so many unused slots at the top of each pool."""
    capacity = grown_capacity(model.rows, len(model.neighbors.title), neighbors)
    if capacity != len(model.neighbors.title):
        model = model._replace(
            neighbors=grown(model.neighbors, new_neighbors(capacity)),
            rows=grown_pool(model.rows, capacity),
        )
    capacity = grown_capacity(model.blocks, len(model.history), history)
    if capacity != len(model.history):
        larger = np.zeros(capacity, np.int32)
        larger[: len(model.history)] = model.history
        model = model._replace(history=larger, blocks=grown_pool(model.blocks, capacity))
    return model


def dump_model(model: Model, n_users: int, n_titles: int) -> dict[str, NDArray[Any]]:
    """Return the used part of every array, by name; copies."""
    n_neighbors, n_history = int(model.rows.top[0]), int(model.blocks.top[0])
    parts: dict[str, tuple[NamedGroup, int | None]] = {
        "users": (model.users, n_users),
        "titles": (model.titles, n_titles),
        "neighbors": (model.neighbors, n_neighbors),
        "tops": (model.tops, None),
        "candidates": (model.candidates, -1),  # the last slot is a query's own
    }
    arrays = {
        name: array[:used].copy()
        for prefix, (group, used) in parts.items()
        for name, array in arrays_of(prefix, group).items()
    }
    for prefix, pool, used in (
        ("rows", model.rows, n_neighbors),
        ("blocks", model.blocks, n_history),
    ):
        arrays |= {
            f"{prefix}.free": pool.free.copy(),
            f"{prefix}.top": pool.top.copy(),
            f"{prefix}.link": pool.link[: used // MIN_BLOCK].copy(),
        }
    arrays["history"] = model.history[:n_history].copy()
    for name in ("clock", "counts", "hits", "weights", "gradient"):
        arrays[name] = getattr(model, name).copy()
    return arrays


def load_model(empty: Model, arrays: dict[str, NDArray[Any]]) -> Model:
    """Return a model of the same shape as ``empty`` that holds what `dump_model` returned."""
    n_creators = len(arrays["tops.creator_length"])
    model = grow_users(empty, len(arrays["users.length"]))
    model = grow_titles(model, len(arrays["titles.views"]), n_creators)
    model = make_room(
        model, neighbors=len(arrays["neighbors.title"]), history=len(arrays["history"])
    )
    model = model._replace(tops=_grown_tops(model.tops, n_creators))
    targets = {
        name: array
        for prefix in ("users", "titles", "neighbors", "tops", "candidates", "rows", "blocks")
        for name, array in arrays_of(prefix, getattr(model, prefix)).items()
    } | {
        name: getattr(model, name)
        for name in ("history", "clock", "counts", "hits", "weights", "gradient")
    }
    for name, target in targets.items():
        target[: len(arrays[name])] = arrays[name]
    return model
