"""P2: batches are invisible, and a snapshot may be taken and restored at any event."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine import Engine, EngineConfig, View
from tests.models.samples import SMALL, START_S, TINY
from tests.models.verbs import differing, feed

CONFIGS = st.sampled_from(
    [
        replace(SMALL, step_every=2, n_open_groups=2),
        replace(SMALL, protocol="served"),
        replace(SMALL, slow_half_life=0.7, fast_half_life=0.3, events_per_title=0.0),
        replace(TINY, max_users=3, max_titles=5),
        replace(TINY, max_users=2, max_titles=4, protocol="served"),
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> list[View]:
    """Draw views with tie groups, late times, repeats, weak signals and emissions."""
    steps = st.sampled_from([0.0, 0.0, 1.0, 90.0, 7_000.0, -500.0])
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 5),
                st.integers(0, 9),
                steps,
                st.sampled_from([1.0, 0.3]),
                st.booleans(),
                st.booleans(),
            ),
            min_size=1,
            max_size=50,
        )
    )
    time, views = START_S, []
    for user, title, step, strength, is_positive, is_emitted in rows:
        time += max(step, 0.0)
        at = time + min(step, 0.0)
        views.append(View(f"{user}", f"{title}", at, at, strength, is_positive, is_emitted))
    return views


@settings(max_examples=200)
@given(views=streams(), config=CONFIGS, cuts=st.sets(st.integers(0, 50), max_size=12))
def test_batch_boundaries_change_nothing(
    views: list[View], config: EngineConfig, cuts: set[int]
) -> None:
    whole, parts = Engine(config), Engine(config)
    ends = sorted(min(cut, len(views)) for cut in cuts)
    assert feed(whole, views) == feed(parts, views, ends)
    assert differing(whole, parts) == []


@settings(max_examples=150)
@given(views=streams(), config=CONFIGS, at=st.integers(0, 50))
def test_restored_at_any_event_it_continues_as_if_uninterrupted(
    views: list[View], config: EngineConfig, at: int
) -> None:
    uninterrupted, first, second = Engine(config), Engine(config), Engine(config)
    outcomes = feed(uninterrupted, views)
    assert feed(first, views[:at]) == outcomes[:at]
    second.restore(first.snapshot())
    assert feed(second, views[at:]) == outcomes[at:]
    assert differing(second, uninterrupted) == []
