"""Alarms brought together: which join, what the episode says, and when it ends."""

from __future__ import annotations

import math
from typing import Any

import pytest

from models.alarms import Alarm, Blame, Kind, Reaction, Recovery, Severity
from models.episodes import JOINED, MOST_REACTIONS, QUIET, Episode, Episodes


def alarm(statistic: str = "rank", scope: str = "all", **given: Any) -> Alarm:
    fields: dict[str, Any] = {
        "kind": Kind.CONCEPT, "severity": Severity.DRIFT, "onset": 90.0, "detected": 100.0,
        "n_events": 12, "before": 4.0, "after": 19.0, "detector": "cusum_fast", "what": "worse",
    }  # fmt: skip
    return Alarm(statistic, scope, **(fields | given))


DATA = alarm("genre_mix", "all", kind=Kind.DATA, severity=Severity.WARNING, onset=80.0)
FAULT = alarm("view_time", "device:tv", kind=Kind.INPUT_FAULT, onset=70.0, what="unit changed?")
HORROR = alarm(
    scope="all",
    blames=(Blame("genre:Horror", 0.7, 40, 0.21, 0.06), Blame("genre:War", 0.2, 9, 0.3, 0.2)),
)


def fed(*said: tuple[int, Alarm | Recovery | Reaction]) -> tuple[Episodes, list[Episode]]:
    """Return the episodes after notices at records, and those that were yielded."""
    episodes = Episodes()
    return episodes, [e for record, notice in said for e in episodes.take(record, notice)]


def test_the_first_alarm_opens_an_episode_that_says_what_it_said() -> None:
    episodes, (episode,) = fed((5_000, HORROR))
    assert (episode.number, episode.state, episode.kind) == (1, "opened", Kind.CONCEPT)
    assert (episode.statistic, episode.scope) == ("rank", "genre:Horror")
    assert episode.blames == [
        ("genre:Horror", 0.7, 40, 0.21, 0.06),
        ("genre:War", 0.2, 9, 0.3, 0.2),
    ]
    assert (episode.onset, episode.detected, episode.before, episode.after) == (90, 100, 4, 19)
    assert math.isnan(episode.ended)
    assert episodes.open == [episode]


def test_without_blames_the_scope_of_the_alarm_is_all_that_is_blamed() -> None:
    _, (episode,) = fed((5_000, FAULT))
    ((scope, share, n, before, after),) = episode.blames
    assert (scope, share, n) == ("device:tv", 1.0, 12)
    assert math.isnan(before)
    assert math.isnan(after)


@pytest.mark.parametrize(
    ("first", "second", "apart", "n_episodes"),
    [
        (alarm(), alarm(), 10**6, 1),  # the same statistic and scope
        (alarm(), alarm(scope="genre:War"), JOINED, 1),
        (alarm(), alarm(scope="genre:War"), JOINED + 1, 2),
        (alarm(), DATA, JOINED, 1),
        (DATA, alarm(), JOINED + 1, 2),
        (FAULT, alarm(), 10**6, 1),  # an input fault explains worse lists
        (FAULT, DATA, JOINED + 1, 2),
        (alarm(), FAULT, JOINED + 1, 2),
        (HORROR, alarm(scope="genre:Horror"), 10**6, 1),  # whom the first one blamed
        (HORROR, alarm(scope="genre:War"), 10**6, 2),
        (alarm("hit"), alarm("rank"), JOINED + 1, 2),
    ],
)
def test_alarms_of_one_change_are_one_episode(
    first: Alarm, second: Alarm, apart: int, n_episodes: int
) -> None:
    episodes, yielded = fed((5_000, first), (5_000 + apart, second))
    assert len(episodes.open) == episodes.n_opened == n_episodes
    assert [e.state for e in yielded][-1] == ("updated" if n_episodes == 1 else "opened")
    assert sum(e.n_alarms for e in episodes.open) == 2


def test_an_alarm_that_two_episodes_could_have_joins_the_newer() -> None:
    episodes, _ = fed((1_000, alarm(scope="genre:Horror")), (9_000, alarm()), (99_000, HORROR))
    assert [e.n_alarms for e in episodes.open] == [1, 2]


def test_an_alarm_is_near_to_the_latest_of_an_episode_not_to_its_first() -> None:
    said = [(5_000 + n * JOINED, alarm(scope=f"genre:{n}")) for n in range(4)]
    episodes, _ = fed(*said)
    assert [e.n_alarms for e in episodes.open] == [4]


def test_of_several_that_are_near_the_newest_is_joined() -> None:
    episodes, _ = fed(
        (1_000, DATA), (9_000, alarm("rating", kind=Kind.DATA)), (9_001, DATA), (9_002, alarm())
    )
    assert [e.n_alarms for e in episodes.open] == [2, 2]


@pytest.mark.parametrize("onset", [60.0, 95.0])
@pytest.mark.parametrize(
    ("first", "second", "leads"),
    [
        (DATA, alarm(), True),
        (DATA, FAULT, True),
        (alarm(), FAULT, True),
        (alarm(), DATA, False),
        (FAULT, alarm(), False),
        (FAULT, DATA, False),
        (alarm(), alarm(scope="genre:War"), False),
    ],
)
def test_the_gravest_kind_says_what_an_episode_is_about(
    first: Alarm, second: Alarm, leads: bool, onset: float
) -> None:
    second = second._replace(what="of the second", onset=onset)
    episodes, _ = fed((5_000, first), (5_010, second))
    (episode,) = episodes.open
    leader = second if leads else first
    assert (episode.kind, episode.statistic, episode.scope, episode.what) == (
        *(leader.kind, leader.statistic, leader.scope, leader.what),
    )
    assert episode.onset == (min(onset, first.onset) if leads else first.onset)
    assert episode.detected == first.detected
    assert (episode.first_record, episode.latest_record) == (5_000, 5_010)


def test_a_warning_becomes_a_drift_and_stays_one() -> None:
    mild = alarm(severity=Severity.WARNING)
    episodes, _ = fed((5_000, mild))
    assert episodes.open[0].severity is Severity.WARNING
    list(episodes.take(5_001, alarm()))
    list(episodes.take(5_002, mild))
    assert episodes.open[0].severity is Severity.DRIFT


def test_worse_lists_end_at_the_record_that_makes_it_quiet() -> None:
    episodes, _ = fed((5_000, alarm()), (5_700, alarm()))
    assert episodes.next_end() == 5_700 + QUIET
    assert list(episodes.end_quiet(5_699 + QUIET, 300.0)) == []
    (episode,) = episodes.end_quiet(5_700 + QUIET, 301.0)
    assert (episode.state, episode.ended) == ("closed", 301.0)
    assert episodes.open == []
    assert episodes.next_end() is None


def back(of: Alarm, detected: float = 200.0) -> Recovery:
    return Recovery(of.statistic, of.scope, detected, is_back=True)


def test_inputs_that_are_back_end_an_episode_of_inputs_at_once() -> None:
    other = FAULT._replace(scope="device:phone")
    episodes, _ = fed((5_000, FAULT), (5_000, other))
    assert episodes.next_end() is None
    assert list(episodes.end_quiet(10**7, 1.0)) == []
    assert list(episodes.take(6_000, back(FAULT))) == []
    (episode,) = episodes.take(6_100, back(other, 222.0))
    assert (episode.state, episode.ended) == ("closed", 222.0)
    assert list(episodes.take(6_200, back(FAULT))) == []


def test_while_lists_are_worse_inputs_that_are_back_end_nothing() -> None:
    episodes, _ = fed((5_000, FAULT), (6_000, alarm()))
    assert episodes.next_end() is None
    assert list(episodes.take(6_500, back(FAULT))) == []
    assert episodes.next_end() == 6_000 + QUIET
    late, _ = fed((5_000, FAULT), (6_000, alarm()))
    (episode,) = late.take(6_000 + QUIET, back(FAULT))
    assert episode.state == "closed"


def test_an_alarm_after_the_end_opens_another_with_the_next_number() -> None:
    episodes, _ = fed((5_000, FAULT), (5_100, back(FAULT)))
    (again,) = episodes.take(5_200, FAULT)
    assert (again.number, again.state) == (2, "opened")


def test_a_reaction_belongs_to_the_episode_of_its_alarm() -> None:
    episodes, _ = fed((1_000, FAULT), (9_000, HORROR), (9_000 + 3 * JOINED, DATA))
    boost = Reaction("fast_side_boosted", "rank", "genre:Horror", is_on=True, at=100.0)
    (episode,) = episodes.take(9_000, boost)
    assert episode.number == 1
    assert episode.kind is Kind.INPUT_FAULT
    apart, _ = fed((1_000, DATA), (9_000, HORROR), (9_000 + 3 * JOINED, FAULT))
    (episode,) = apart.take(9_000, boost)
    assert (episode.number, episode.state) == (2, "updated")
    assert episode.reactions == [("fast_side_boosted", "genre:Horror", 100.0, True)]
    imputed = Reaction("view_time_imputed", "view_time", "device:tv", is_on=True, at=101.0)
    (episode,) = apart.take(20_000, imputed)
    assert episode.number == 3
    assert list(apart.take(20_000, imputed._replace(scope="device:other"))) == []


def test_reactions_of_an_episode_are_bounded() -> None:
    episodes, _ = fed((5_000, FAULT))
    for n in range(3 * MOST_REACTIONS):
        reaction = Reaction("imputed", "view_time", "device:tv", is_on=n % 2 == 0, at=float(n))
        list(episodes.take(5_001 + n, reaction))
    (episode,) = episodes.open
    assert [at for _, _, at, _ in episode.reactions] == [
        float(n) for n in range(2 * MOST_REACTIONS, 3 * MOST_REACTIONS)
    ]


def test_a_snapshot_continues_as_if_uninterrupted() -> None:
    said: list[tuple[int, Alarm | Recovery | Reaction]] = [
        (1_000, DATA._replace(before=math.nan, after=math.inf)),
        (4_000, FAULT._replace(what="naïve «quotes» \u2028")),
        (4_001, Reaction("view_time_imputed", "view_time", "device:tv", is_on=True, at=9.0)),
        (12_000, HORROR),
        (12_100, back(FAULT)),
        (12_200, alarm(scope="genre:Horror")),
        (12_300, back(DATA)),
    ]
    whole, expected = Episodes(), []
    for record, notice in said:
        expected.append([repr(episode) for episode in whole.take(record, notice)])
    ends = [repr(episode) for episode in whole.end_quiet(10**6, 5.0)]
    assert ends
    for at in range(len(said) + 1):
        first, _ = fed(*said[:at])
        arrays, second = first.snapshot(), Episodes()
        second.restore(arrays)
        kept = {name: array.tobytes() for name, array in arrays.items()}
        assert repr(second.open) == repr(first.open)
        for (record, notice), yielded in zip(said[at:], expected[at:], strict=True):
            assert [repr(episode) for episode in second.take(record, notice)] == yielded
        assert second.n_opened == whole.n_opened
        assert [repr(episode) for episode in second.end_quiet(10**6, 5.0)] == ends
        assert {name: array.tobytes() for name, array in arrays.items()} == kept
