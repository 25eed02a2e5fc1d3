"""What every model promises: one check a promise (P1, P2 and P6 of the design).

A check takes ``make``, which returns a new model with the same configuration each time, and
fails by AssertionError. `CHECKS` names them all; `tests.models.verbs.Model` says what a model
must have.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.engine import View
from models.viewing import views as world_views
from models.world import World, WorldSettings
from tests.models.samples import arrivals, sample_views
from tests.models.verbs import LATER, Make, content, differing, feed, state, titles_of

ROOT = Path(__file__).parents[2]
NUMBERS = [f"{n}" for n in range(150)]
USERS = ["user 0", "user 1", "user 2", "never seen", ""]


def predicting_is_pure(make: Make) -> None:
    model = make()
    for views in ([], sample_views(60), sample_views(200, seed=1)):
        feed(model, views)
        before, n_titles = state(model), len(model.titles)
        for user_id in USERS:
            first = content(model, user_id)
            model.explain(user_id, LATER)
            assert content(model, user_id) == first
        assert [k for k, value in state(model).items() if value != before[k]] == []
        assert len(model.titles) == n_titles


def predicting_leaves_no_trace_in_learning(make: Make) -> None:
    views, asked, silent = sample_views(150), make(), make()
    for at in range(0, len(views), 10):
        for user_id in USERS:
            asked.explain(user_id, LATER)
        assert feed(asked, views[at : at + 10]) == feed(silent, views[at : at + 10])
    assert differing(asked, silent) == []


def usable_before_learning(make: Make) -> None:
    model = make()
    assert titles_of(model, "anybody") == []
    model.explain("anybody", LATER)
    other = make()
    other.restore(model.snapshot())
    assert feed(other, sample_views(20)) == feed(model, sample_views(20))


def same_input_gives_the_same_bytes(make: Make) -> None:
    one, other = make(), make()
    assert feed(one, sample_views(200)) == feed(other, sample_views(200))
    assert differing(one, other) == []
    assert [content(one, user) for user in USERS] == [content(other, user) for user in USERS]


def digest(make: Make) -> str:
    """Return a digest of a model's state and lists after a stream."""
    model, total = make(), sha256()
    for parts in feed(model, sample_views(200), cuts=[50, 51, 120]):
        total.update(b"".join(parts))
    for name, value in sorted(state(model).items()):
        total.update(repr((name, value)).encode())
    return total.hexdigest()


def hash_seed_does_not_matter(make: Make) -> None:
    """``make`` must be a function of a module, because two further processes import it."""
    call = f"from {__name__} import print_digest; print_digest({make.__module__!r}, "
    command = [sys.executable, "-c", f"{call}{make.__name__!r})"]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )
        for seed in ("1", "2")
    ]  # fmt: skip
    printed = {process.communicate(timeout=300)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert len(printed) == 1


def print_digest(module: str, factory: str) -> None:
    """Print the digest of a model that a function of a module makes."""
    sys.stdout.write(digest(getattr(import_module(module), factory)))


def inputs_are_not_aliased(make: Make) -> None:
    model, views = make(), sample_views(80)
    feed(model, views)
    saved = model.snapshot()
    other = make()
    other.restore(saved)
    kept = {name: array.tobytes() for name, array in saved.items()}
    feed(other, sample_views(40, seed=2))
    feed(model, sample_views(40, seed=2))
    assert {name: array.tobytes() for name, array in saved.items()} == kept
    assert views == sample_views(80)
    before = state(model)
    for array in (*model.recommend("user 0", LATER), *model.snapshot().values()):
        _overwrite(array)
    for segment in model.learn([]):
        raise AssertionError(segment)
    assert state(model) == before


def _overwrite(array: NDArray[Any]) -> None:
    if array.flags.writeable:
        array[...] = 1


def restored_continues_as_if_uninterrupted(make: Make) -> None:
    views = sample_views(120) + arrivals(60)
    uninterrupted = make()
    outcomes = feed(uninterrupted, views)
    for at in (0, 1, 2, 37, 64, 119, 121, 160, len(views)):
        first, second = make(), make()
        feed(first, views[:at])
        second.restore(first.snapshot())
        assert differing(first, second) == []
        assert feed(second, views[at:]) == outcomes[at:]
        assert differing(second, uninterrupted) == []
        assert content(second, "user 1") == content(uninterrupted, "user 1")


def restoring_replaces_what_was_learned(make: Make) -> None:
    source, target = make(), make()
    feed(source, sample_views(50))
    feed(target, sample_views(70, n_users=20, n_titles=40, seed=3))
    target.restore(source.snapshot())
    views = sample_views(50, seed=4)
    assert feed(target, views) == feed(source, views)
    assert differing(target, source) == []


def batch_boundaries_change_nothing(make: Make) -> None:
    views = sample_views(150, n_titles=40) + arrivals(100)
    whole = make()
    outcomes = feed(whole, views)
    for cuts in (range(1, len(views)), [3], range(7, len(views), 7), [120, 120, 121, 200]):
        parts = make()
        assert feed(parts, views, cuts) == outcomes
        assert differing(parts, whole) == []


def memory_is_bounded(make: Make) -> None:
    """The limits of ``make`` must be below 100 users and titles."""
    model = make()
    sizes = []
    views = arrivals(2_000)
    for at in range(0, len(views), 200):
        feed(model, views[at : at + 200])
        sizes.append(sum(array.nbytes for array in model.snapshot().values()))
    assert max(sizes[2:]) < 1.2 * sizes[1]


def lists_are_novel_distinct_and_full(make: Make) -> None:
    model, views = make(), sample_views(120, n_titles=40)
    feed(model, views)
    watched = {user: {v.content_id for v in views if v.user_id == user} for user in USERS}
    catalogue = {view.content_id for view in views}
    k = len(model.recommend("user 0", LATER).title[0])
    for user_id in USERS:
        titles = titles_of(model, user_id)
        assert len(set(titles)) == len(titles) == min(k, len(catalogue - watched[user_id]))
        assert not set(titles) & watched[user_id]
        assert set(titles) <= catalogue


def unseen_users_share_a_list(make: Make) -> None:
    model = make()
    feed(model, sample_views(100))
    assert content(model, "never seen") == content(model, "nor this one")
    assert titles_of(model, "never seen") != []


def explanations_add_up(make: Make) -> None:
    model = make()
    feed(model, sample_views(200, n_titles=40))
    for user_id in USERS[:3]:
        lists, contributions, base = model.explain(user_id, LATER)
        shown = lists.title[0] >= 0
        total = contributions.sum(axis=1) + base
        assert total[shown] == pytest.approx(lists.score[0][shown].astype(float), abs=1e-4)
        assert content(model, user_id) == [array.tobytes() for array in lists]
        assert np.abs(contributions[shown]).max() > 0.0


NOT_VALID: list[dict[str, Any]] = [
    {field: value}
    for field in ("time", "group_time", "strength")
    for value in (np.nan, np.inf, -np.inf)
] + [{"strength": 1.5}, {"strength": -0.1}]


def nonsense_is_refused_before_anything_is_learned(make: Make) -> None:
    model = make()
    feed(model, sample_views(30))
    before = state(model)
    for ask in (model.recommend, model.explain):
        for time in (np.nan, np.inf):
            with pytest.raises(ValueError, match="finite"):
                ask("user 0", time)
    good = View("newcomer", "new title", LATER, LATER, device="new device", source="new source")
    for fields in NOT_VALID:
        with pytest.raises(ValueError, match=r"finite|strength"):
            feed(model, [good, View("another", "other", LATER, LATER)._replace(**fields), good])
        assert state(model) == before


def better_than_popular_and_random(make: Make) -> None:
    """By what people of a world with tastes, series and trends watch next."""
    world = World(WorldSettings(n_users=150, n_titles=240, days=20, seed=3))
    views = [_view(row, world) for chunk in world_views(world, 4_000) for row in chunk]
    model = make()
    feed(model, views[:3_000])
    popularity = Counter(view.content_id for view in views[:3_000])
    watched = {user: {v.content_id for v in views[:3_000] if v.user_id == user} for user in NUMBERS}
    hits, by_popularity, by_chance, k = 0, 0, 0.0, 10
    for view in views[3_000:]:
        mine = watched[view.user_id]
        if mine and view.content_id not in mine:
            novel = [title for title, _ in popularity.most_common() if title not in mine]
            hits += view.content_id in titles_of(model, view.user_id, view.time)
            by_popularity += view.content_id in novel[:k]
            by_chance += k / len(novel)
        feed(model, [view])
        mine.add(view.content_id)
        popularity[view.content_id] += 1
    assert hits > 1.5 * by_popularity
    assert by_popularity > by_chance


def _view(row: Any, world: World) -> View:
    title = int(world.titles.number[row["title"]])
    time = float(row["event_time"])
    return View(f"{row['user']}", f"{title}", time, time)


CHECKS: dict[str, Callable[[Make], None]] = {
    check.__name__: check
    for check in (
        predicting_is_pure,
        predicting_leaves_no_trace_in_learning,
        usable_before_learning,
        same_input_gives_the_same_bytes,
        hash_seed_does_not_matter,
        inputs_are_not_aliased,
        restored_continues_as_if_uninterrupted,
        restoring_replaces_what_was_learned,
        batch_boundaries_change_nothing,
        memory_is_bounded,
        lists_are_novel_distinct_and_full,
        unseen_users_share_a_list,
        explanations_add_up,
        nonsense_is_refused_before_anything_is_learned,
        better_than_popular_and_random,
    )
}
