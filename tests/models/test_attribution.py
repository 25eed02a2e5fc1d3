"""Who is behind a fall of quality, in worlds where it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from models.attribution import Part, attribute, start_anew
from models.quality_state import (
    ALL_EVENTS,
    FIRST_DEVICE,
    FIRST_GENRE,
    HIT,
    KNOWN_USERS,
    N_LATEST,
    RANK,
    RANK_FAST,
)
from tests.models.quality_streams import Event, Told, Visitors, Watched

APART = [[n % 6] for n in range(12)]
OVERLAPPING = [[0], [0, 1], [0, 2], [1], [2], [3], [1, 2], [3, 4], [4], [5], [5, 1], [2, 5]]
SEEDS = range(5)
WARM, AFTER = 6_000, 1_500


def deeper(events: Iterable[Event], bits: float, when: Callable[[Event], bool]) -> list[Event]:
    """Return events with titles deeper in the shortlist by so many bits where ``when`` says so."""
    return [
        e._replace(depth=0 if not e.depth or e.depth << int(bits) > 384 else e.depth << int(bits))
        if when(e)
        else e
        for e in events
    ]


def first_alarm(
    seed: int, genres: list[list[int]], when: Callable[[Event], bool]
) -> tuple[Told, list[tuple[str, float]]]:
    """Return who was named first when events became worse by 3 bits where ``when`` says so."""
    told, people = Told(genres), Visitors(len(genres), seed=seed)
    assert told.feed(people.events(WARM)) == []
    for event in deeper(people.events(AFTER), 3.0, when):
        for _, alarm in told.feed([event]):
            return told, [(blame.scope, blame.share) for blame in alarm.blames]
    raise AssertionError("no alarm")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("genres", [APART, OVERLAPPING], ids=["apart", "overlapping"])
@pytest.mark.parametrize("genre", [0, 2, 3])
def test_the_genre_that_drifted_is_named_first(
    genre: int, genres: list[list[int]], seed: int
) -> None:
    _, blames = first_alarm(seed, genres, lambda event: genre in genres[event.title])
    assert blames[0][0] == f"genre:g{genre}"
    assert blames[0][1] > 0.5
    assert sum(share for _, share in blames) <= 1.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_genre_that_only_shares_titles_with_the_drifted_one_is_not_named(seed: int) -> None:
    _, blames = first_alarm(seed, OVERLAPPING, lambda event: 0 in OVERLAPPING[event.title])
    assert not {"genre:g1", "genre:g2"} & {scope for scope, _ in blames}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_of_everything_is_everybodys(seed: int) -> None:
    _, blames = first_alarm(seed, OVERLAPPING, lambda _: True)
    assert blames == [("all", 1.0)]


def test_of_everything_the_few_who_come_first_are_not_blamed() -> None:
    """18 events show it, 14 of them of people with the same device."""
    watched, device = Watched([[]]), FIRST_DEVICE
    watched.quality.n[[ALL_EVENTS, device]] = 10_000, 3_000
    latest(watched, [2.0] * 18, [[0, device]] * 14 + [[0]] * 4)
    assert [part.scope for part in attribute(watched.quality, 10_000, ALL_EVENTS)] == [ALL_EVENTS]
    first, *_ = attribute(watched.quality, 10_000, device)
    assert first.scope == device


@pytest.mark.parametrize("seed", SEEDS)
def test_a_device_that_drifted_is_named_first(seed: int) -> None:
    _, blames = first_alarm(seed, OVERLAPPING, lambda event: event.device == 1)
    assert blames[0][0] == "device:phone"


@pytest.mark.parametrize("seed", SEEDS)
def test_new_users_that_are_harder_to_foretell_are_named_first(seed: int) -> None:
    _, blames = first_alarm(seed, OVERLAPPING, lambda event: event.is_new)
    assert blames[0][0] == "user:new"


def latest(watched: Watched, excess: Iterable[float], scopes: list[list[int]]) -> None:
    """Let the latest judged events be these, as the kernel would have noted them."""
    quality = watched.quality
    for amount, of_event in zip(excess, scopes, strict=True):
        slot = int(quality.n[ALL_EVENTS]) % N_LATEST
        quality.latest_residual[slot] = -amount
        quality.latest_scopes[slot] = -1
        quality.latest_scopes[slot, : len(of_event)] = of_event
        quality.n[of_event] += 1


def test_shares_add_up_without_counting_an_event_twice() -> None:
    """Of two overlapping genres and one apart, worked out by hand."""
    watched, (a, b, c) = Watched([[]]), range(FIRST_GENRE, FIRST_GENRE + 3)
    watched.quality.n[[ALL_EVENTS, a, b, c]] = 10_000, 1_000, 1_000, 1_000
    scopes = [[0, a]] * 20 + [[0, a, b]] * 20 + [[0, c]] * 10 + [[0]] * 100
    latest(watched, [4.0] * 40 + [2.0] * 10 + [0.0] * 100, scopes)
    found = attribute(watched.quality, 10_000, a)
    assert [part[:3] for part in found] == [
        (a, pytest.approx(160 / 180), 40),
        (c, pytest.approx(20 / 180), 10),
    ]


def test_a_genre_that_is_always_hard_to_foretell_is_not_blamed() -> None:
    watched, (a, b) = Watched([[]]), range(FIRST_GENRE, FIRST_GENRE + 2)
    watched.quality.n[[ALL_EVENTS, a, b]] = 10_000, 1_000, 1_000
    watched.quality.mean[RANK, b] = -3.0
    usual = [3.0] * 20 + [-0.6] * 100  # all other events together are as they always were
    latest(watched, [2.0] * 20 + usual, [[0, a]] * 20 + [[0, b]] * 20 + [[0]] * 100)
    assert [part.scope for part in attribute(watched.quality, 10_000, a)] == [a]


def test_attributing_changes_nothing_and_looks_no_further_than_what_is_kept() -> None:
    watched, people = Watched(APART), Visitors(12)
    watched.feed(people.events(N_LATEST + 2_000))
    before = [array.tobytes() for array in watched.quality]
    parts = attribute(watched.quality, 0, ALL_EVENTS)
    assert [array.tobytes() for array in watched.quality] == before
    assert sum(part.n_events for part in parts if part.scope == ALL_EVENTS) in (0, N_LATEST)


def test_where_too_little_is_known_the_scope_that_raised_the_alarm_is_named() -> None:
    watched, people = Watched(APART), Visitors(12)
    watched.feed(people.events(2_000))
    n = int(watched.quality.n[ALL_EVENTS])
    (part,) = attribute(watched.quality, n - 2, FIRST_GENRE + 3)
    assert part == Part(FIRST_GENRE + 3, 1.0, part.n_events, part.before, part.after)
    assert part.n_events <= 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("genre", [None, 3])
def test_a_change_that_lasts_is_one_alarm(genre: int | None, seed: int) -> None:
    """One more in 4,000 events is borne: how far it went is known from few events."""
    told, people = Told(APART), Visitors(12, seed=seed)
    events = people.events(WARM)
    told.feed(events)
    changed = deeper(people.events(4_000), 3.0, lambda e: genre is None or e.title % 6 == genre)
    found = told.feed(changed)
    assert 1 <= len(found) <= 2
    assert found[0][0] - WARM < 150


@pytest.mark.parametrize("seed", SEEDS)
def test_lists_that_become_better_raise_no_alarm(seed: int) -> None:
    told, people = Told(APART), Visitors(12, seed=seed)
    told.feed(people.events(WARM))
    assert told.feed(people.events(2_000, worse=-2.5)) == []


def test_after_a_change_of_everything_the_new_level_is_usual_at_once() -> None:
    told, people = Told(APART), Visitors(12)
    told.feed(people.events(WARM))
    quality, before = told.watched.quality, told.watched.quality.bucket_mean.copy()
    while not told.feed(deeper(people.events(1), 3.0, lambda _: True)):
        pass
    fall = before[RANK] - quality.bucket_mean[RANK]
    assert (fall[[1, 3, 5, 8]] > 1.5).all()
    assert fall[0] == pytest.approx(fall[12])
    assert not quality.evidence.any()
    assert (quality.suspect == -1).all()
    assert (quality.onset_n == quality.n[ALL_EVENTS]).all()
    assert quality.before[RANK_FAST] == pytest.approx(quality.level[RANK])


def test_after_a_change_of_a_scope_others_move_as_far_as_they_share_its_events() -> None:
    told, people = Told(OVERLAPPING), Visitors(12)
    told.feed(people.events(WARM))
    quality, own, other, apart = told.watched.quality, FIRST_GENRE, FIRST_GENRE + 1, FIRST_GENRE + 4
    kept = quality.mean[RANK].copy()
    while not told.feed(deeper(people.events(1), 3.0, lambda e: 0 in OVERLAPPING[e.title])):
        pass
    moved = quality.mean[RANK] - kept
    assert moved[own] < -1.5
    assert moved[ALL_EVENTS] == pytest.approx(moved[own] * 3 / 12, rel=0.2)
    assert moved[other] == pytest.approx(moved[own] / 4, rel=0.2)
    assert moved[apart] == pytest.approx(0.0, abs=0.05)
    assert not quality.evidence.any()
    assert (quality.suspect == -1).all()
    assert (quality.onset_n == quality.n[ALL_EVENTS]).all()
    assert (quality.before[RANK_FAST] == quality.level[RANK]).all()


def test_two_alarms_of_one_event_move_the_usual_level_once() -> None:
    """Both detectors of those who are known, who are most of all, at the same event."""
    moved = []
    for detectors in ([RANK_FAST], [RANK_FAST, RANK_FAST + 1]):
        told, people = Told(APART), Visitors(12)
        told.feed(people.events(WARM))
        quality = told.watched.quality
        told.watched.feed(deeper(people.events(8), 3.0, lambda _: True))
        for detector in detectors:
            at = detector, KNOWN_USERS
            quality.onset_n[at] = quality.n[ALL_EVENTS] - 8
            quality.evidence[at], quality.n_since[at] = 1e3, 8
        before = quality.bucket_mean[RANK].copy()
        found = told.feed([Event(10**6, 0, 0)])
        assert [alarm.detector for _, alarm in found] == ["cusum_fast"]
        moved.append(quality.bucket_mean[RANK, 12] - before[12])
    assert moved[0] == moved[1] < -1.0


def test_a_hit_rate_stays_one_however_it_is_moved() -> None:
    told, people = Told(APART), Visitors(12)
    told.feed(people.events(WARM))
    quality = told.watched.quality
    quality.level[HIT, KNOWN_USERS] = 1e-12
    quality.latest_hit[:] = 1
    start_anew(quality, int(quality.n[ALL_EVENTS]) - 100, KNOWN_USERS, 1.0)
    assert quality.level[HIT].max() == 1.0
    assert np.isfinite(quality.level).all()
