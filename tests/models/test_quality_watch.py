"""Sums of evidence against the equations, River, and what they promise about people."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from river.drift import PageHinkley

from models.batch import Batch, new_judged
from models.outcomes import Segment
from models.quality_state import (
    ALL_EVENTS,
    BLOCK_CONCENTRATION,
    BLOCK_GENRES,
    BLOCK_NEW_TITLES,
    BLOCK_NEW_USERS,
    FIRST_DEVICE,
    FIRST_GENRE,
    FIRST_SOURCE,
    MAX_SCOPES,
    N_DETECTORS,
    N_IN_BLOCK,
    N_LATEST,
    RANK,
    RANK_FAST,
    new_quality_watch,
)
from models.quality_watch import (
    ALLOWANCE,
    BURN_IN_ALL,
    NEVER_SEEN_BIT,
    NEW_USER_BIT,
    THRESHOLD_ALL,
    THRESHOLD_SCOPE,
    USER_SHARE,
    scopes_of,
    sum_block,
    watch_quality,
)
from models.state import HALF_LIVES_S, MAX_GENRES, POPULARITY_NAMES, new_titles
from tests.models.quality_oracle import QualityOracle, Scope
from tests.models.quality_streams import Event, Raised, Visitors, Watched

GENRES = [[0], [1], [0, 1], [2], [2, 0], [], [3], [1, 3], [0, 1, 2, 3], [0]]
PLAIN: list[list[int]] = [[]]


def check_scope(watched: Watched, number: int, scope: Scope) -> None:
    """Fail unless the kernel knows of a scope what the oracle knows."""
    quality = watched.quality
    assert quality.n[number] == quality.age[number] == scope.n
    for s in (0, 1):
        assert quality.mean[s, number] == pytest.approx(scope.mean[s].mean, abs=1e-9)
        assert quality.variance[s, number] == pytest.approx(scope.variance[s].mean, rel=1e-9)
        assert quality.level[s, number] == pytest.approx(scope.level[s].mean, abs=1e-9)
    for detector, own in enumerate(scope.sums):
        at = detector, number
        assert quality.evidence[at] == pytest.approx(own.total, abs=1e-7)
        assert quality.n_since[at] == len(own.values)
        assert quality.sum_since[at] == pytest.approx(sum(own.values), abs=1e-7)
        assert (quality.onset[at], quality.onset_n[at]) == (own.onset, own.onset_n)
        assert quality.before[at] == pytest.approx(own.before, abs=1e-9)
        known = dict(zip(quality.suspect[at].tolist(), quality.amount[at].tolist(), strict=True))
        known.pop(-1, None)
        assert known == pytest.approx({int(user): amount for user, amount in own.brought}, abs=1e-7)


def check_alarms(found: list[Raised], expected: list[Raised]) -> None:
    assert [alarm[:3] for alarm in found] == [alarm[:3] for alarm in expected]
    for mine, yours in zip(found, expected, strict=True):
        assert mine[3:] == pytest.approx(yours[3:], abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_every_sum_is_that_of_the_equations_after_every_event(seed: int) -> None:
    people = Visitors(len(GENRES), seed=seed)
    events = people.events(2_500) + people.events(400, worse=3.0) + people.events(300)
    events += people.events(400, worse=4.0, among=[3, 4, 8])
    watched, oracle = Watched(GENRES), QualityOracle(GENRES)
    detectors: set[int] = set()
    for event in events:
        found = watched.take(event)
        check_alarms(found, oracle.take(event))
        detectors |= {alarm.detector for alarm in found}
        for number in oracle._scopes(event):
            check_scope(watched, number, oracle.scopes[number])
    assert detectors == set(range(N_DETECTORS))
    n_remembered = (watched.quality.suspect >= 0).sum(axis=2)
    assert n_remembered.max() == 8


def test_without_a_cap_it_is_the_page_hinkley_test_of_river() -> None:
    """River subtracts the running mean of what it is given: it gets numbers that deviate by z."""
    allowance, threshold = float(ALLOWANCE[RANK_FAST]), float(THRESHOLD_ALL[RANK_FAST])
    river = PageHinkley(min_instances=0, delta=allowance, threshold=threshold, alpha=1.0, mode="up")
    watched, rng, mean, n_given, alarms, expected = Watched(PLAIN), random.Random(5), 0.0, 0, [], []
    for number in range(6_000):
        worse = 1.0 if number % 2_000 > 1_600 else 0.0
        depth = max(round(2.0 ** rng.gauss(4.0 + worse, 1.0)), 1)
        quality = watched.quality
        residual = -math.log2(1 + depth) - quality.bucket_mean[RANK, 5]
        z = residual - quality.mean[RANK, ALL_EVENTS]
        z /= math.sqrt(quality.variance[RANK, ALL_EVENTS])
        found = watched.take(Event(user=number, title=0, depth=depth))
        if quality.n[ALL_EVENTS] <= BURN_IN_ALL:
            continue
        alarms += [a.event for a in found if (a.detector, a.scope) == (RANK_FAST, ALL_EVENTS)]
        if n_given == 0:
            n_given, mean = 1, 0.0
            river.update(0.0)  # the first number deviates by nothing, whatever it is
        n_given += 1
        given = mean - z * n_given / (n_given - 1)
        mean += (given - mean) / n_given
        river.update(given)
        if river.drift_detected:
            expected.append(number)
            n_given = 0
    assert alarms == expected
    assert len(alarms) >= 3


def visits(n: int, *, user: int | None, first: int = 10**6) -> list[Event]:
    """Return events that nobody foretold, of one user or of one each."""
    return [Event(first + i if user is None else user, 0, 0) for i in range(n)]


@pytest.mark.parametrize("others_between", [0, 3])
def test_one_odd_visitor_raises_no_alarm_and_as_many_people_do(others_between: int) -> None:
    for user, is_alarmed in ((7, False), (None, True)):
        people, watched = Visitors(1), Watched(PLAIN)
        assert watched.feed(people.events(3_000)) == []
        odd = visits(300, user=user)
        mixed = [e for event in odd for e in (event, *people.events(others_between))]
        assert bool(watched.feed(mixed)) == is_alarmed


@pytest.mark.parametrize("detector", range(N_DETECTORS))
def test_nobody_brings_more_than_a_share_of_the_threshold(detector: int) -> None:
    watched = Watched([[0], [1]])
    for event in Visitors(2).events(3_000):
        watched.take(event._replace(user=event.user + 100, device=-1, source=-1))
    at = detector, FIRST_GENRE
    for _ in range(200):
        watched.quality.n[FIRST_GENRE] = 1_000  # below half of all
        watched.take(Event(7, 0, 0, device=-1))
        place = watched.quality.suspect[at] == 7
        most = USER_SHARE[detector] * THRESHOLD_SCOPE[detector]
        assert watched.quality.amount[at][place].max() <= most + 1e-9
    assert watched.quality.amount[at][place].max() == pytest.approx(most)


def test_what_may_be_brought_never_lowers_a_sum() -> None:
    """Someone who has brought the share of a higher threshold brings nothing under a lower."""
    watched = Watched([[0]])
    watched.feed(Event(n, 0, 20 + n % 9) for n in range(1_500))
    at = RANK_FAST, FIRST_GENRE
    watched.feed(visits(60, user=7))
    quality = watched.quality
    brought = quality.amount[at].max()
    assert brought == pytest.approx(USER_SHARE[RANK_FAST] * THRESHOLD_ALL[RANK_FAST])
    quality.n[FIRST_GENRE] = 500  # no longer most of the events
    evidence = quality.evidence[at]
    watched.feed(visits(1, user=7))
    assert quality.evidence[at] == evidence
    assert quality.amount[at].max() == brought


@pytest.mark.parametrize("seed", range(6))
def test_a_change_of_many_is_found_soon_and_dated_well(seed: int) -> None:
    people, watched = Visitors(1, seed=seed), Watched(PLAIN)
    assert watched.feed(people.events(6_000)) == []
    first = watched.feed(people.events(400, worse=3.0))[0]
    assert 0 <= first.event - 6_000 <= 60
    assert abs(first.onset - 6_000) <= 40
    assert first.n_since == first.event - first.onset
    assert first.after < first.before - 1.5


def test_nothing_is_said_before_enough_was_seen_and_an_onset_is_never_the_epoch() -> None:
    watched, people = Watched(PLAIN), Visitors(1)
    watched.feed(people.events(BURN_IN_ALL - 300))
    found = watched.feed(people.events(200, worse=6.0))
    assert ALL_EVENTS not in {alarm.scope for alarm in found}
    fresh, again = Watched(PLAIN), Visitors(1)
    while fresh.quality.n[ALL_EVENTS] < BURN_IN_ALL:
        fresh.feed(again.events(1))
    n_before = fresh.n_fed
    everything = [a for a in fresh.feed(visits(60, user=None)) if a.scope == ALL_EVENTS]
    assert everything[0].onset == n_before - 1
    assert everything[0].onset_n == BURN_IN_ALL
    assert everything[0].before < -1.0


def test_an_event_may_raise_all_sums_that_it_belongs_to() -> None:
    genres = [[*range(MAX_GENRES)]]
    watched = Watched(genres)
    watched.feed(Event(n, 0, 20 + n % 9, device=0, source=0) for n in range(1_500))
    scopes = [ALL_EVENTS, 2, FIRST_DEVICE, FIRST_SOURCE, *range(FIRST_GENRE, FIRST_GENRE + 8)]
    watched.quality.evidence[:, scopes] = 1e3
    watched.quality.n_since[:, scopes] = 1
    found = watched.take(Event(10**6, 0, 0, device=0, source=0))
    assert [alarm[1:3] for alarm in found] == [(d, s) for s in scopes for d in range(N_DETECTORS)]
    assert len(scopes) == MAX_SCOPES


def test_scopes_of_an_event_are_its_own() -> None:
    titles = new_titles(2)
    titles.genres[1, :2] = 5, 200
    batch = Watched([[]])._batch(Event(0, 1, 1, device=15, source=3))
    scopes = np.zeros(MAX_SCOPES, np.int16)
    scopes_of(titles, batch, 0, 0, scopes)
    expected = [0, 2, FIRST_DEVICE + 15, FIRST_SOURCE + 3, FIRST_GENRE + 5, FIRST_GENRE + 200]
    assert scopes.tolist() == [*expected, *[-1] * (MAX_SCOPES - 6)]
    plain = Watched([[]])._batch(Event(0, 0, 1))
    scopes_of(titles, plain, 0, NEW_USER_BIT | NEVER_SEEN_BIT, scopes)
    assert scopes.tolist() == [0, 1, *[-1] * (MAX_SCOPES - 2)]
    assert (NEW_USER_BIT, NEVER_SEEN_BIT) == (Segment.COLD_USER, Segment.NEVER_SEEN)


def test_a_title_that_was_not_listed_is_one_deeper_than_the_shortlist() -> None:
    for depth, n_listed, bits in ((0, 383, math.log2(385)), (1, 383, 1.0), (0, 0, 1.0)):
        quality, titles = new_quality_watch(), new_titles(1)
        judged = new_judged(1, 10)
        judged.depth[0] = depth
        watch_quality(quality, titles, Watched([[]])._batch(Event(0, 0, 0)), 0, judged, 0, n_listed)
        assert quality.bucket_mean[RANK, 0] == pytest.approx(-bits)


def test_the_latest_events_are_kept_by_number() -> None:
    watched, people = Watched(GENRES), Visitors(len(GENRES))
    kept: list[tuple[float, bool, list[int]]] = []
    for event in people.events(N_LATEST + 700):
        usual, bucket = watched.quality.mean[RANK, ALL_EVENTS], int(math.log2(1 + event.n_events))
        residual = -math.log2(1 + (event.depth or 385)) - watched.quality.bucket_mean[RANK, bucket]
        n = watched.quality.n[ALL_EVENTS]
        watched.take(event)
        if watched.quality.n[ALL_EVENTS] > n:
            genres = [FIRST_GENRE + genre for genre in GENRES[event.title]]
            kept.append((residual - usual, 0 < event.depth <= 10, genres))
    quality = watched.quality
    for n in range(len(kept) - N_LATEST, len(kept)):
        excess, is_hit, genres = kept[n]
        assert quality.latest_residual[n % N_LATEST] == pytest.approx(excess, abs=1e-4)
        assert bool(quality.latest_hit[n % N_LATEST]) == is_hit
        scopes = quality.latest_scopes[n % N_LATEST]
        assert scopes[4 : 4 + len(genres)].tolist() == genres


def test_a_block_sums_what_is_new_and_how_views_are_spread() -> None:
    quality, titles = new_quality_watch(), new_titles(3)
    titles.genres[0, :2] = 4, 9
    titles.genres[1, 0] = 9
    half_life = HALF_LIVES_S[POPULARITY_NAMES.index("12h")]
    rng, time = random.Random(3), 1.6e9
    views: list[tuple[float, int]] = []
    bits, genres = 0.0, np.zeros(256)
    for n in range(40):
        time += rng.choice([0.0, 60.0, 20_000.0])
        title = rng.randrange(3)
        weight = sum(2.0 ** ((t - time) / half_life) for t, _ in views)
        own = sum(2.0 ** ((t - time) / half_life) for t, seen in views if seen == title)
        bits -= math.log2(1e-4 + min(own / max(weight, 1.0), 1.0))
        for genre in ([4, 9], [9], [])[title]:
            genres[genre] += 1.0 / len(([4, 9], [9], [])[title])
        batch = Watched([[]])._batch(Event(0, title, 0))._replace(time=np.array([time]))
        segment = NEVER_SEEN_BIT if n % 5 == 0 else NEW_USER_BIT
        sum_block(quality, titles, batch, 0, segment, n % 4)
        titles.popularity[title, 3] = own + 1.0
        titles.popularity_time[title] = time
        views.append((time, title))
    block = quality.block
    assert block[BLOCK_NEW_USERS] == 10
    assert block[BLOCK_NEW_TITLES] == 8
    assert block[BLOCK_CONCENTRATION] == pytest.approx(bits, rel=1e-5)
    assert block[BLOCK_GENRES:] == pytest.approx(genres)
    assert quality.counts[N_IN_BLOCK] == 40


def test_a_batch_is_not_touched() -> None:
    watched = Watched(GENRES)
    batch: Batch = watched._batch(Event(3, 4, 5, device=1))
    kept = [array.copy() for array in batch]
    watch_quality(watched.quality, watched.titles, batch, 0, new_judged(1, 10), 5, 100)
    assert all((mine == yours).all() for mine, yours in zip(kept, batch, strict=True))
