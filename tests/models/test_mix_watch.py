"""Changes of who watches and of what is watched are told by name, and nothing else is."""

import numpy as np
import pytest

from models.alarms import Alarm, Kind, Recovery
from models.mix_watch import MIX, MixWatch
from models.quality_state import BLOCK, BLOCK_GENRES

GENRES = ("drama", "comedy", "horror", "news")
SHARES = np.array([0.5, 0.4, 0.2, 0.05])
BITS = 6.0


def block(rng, *, new_users=0.05, new_titles=0.02, bits=BITS, shares=SHARES):
    """Return the sums of one block of a world with these shares."""
    return np.array(
        [
            rng.binomial(BLOCK, new_users),
            rng.binomial(BLOCK, new_titles),
            rng.normal(bits, 0.2) * BLOCK,
            *rng.binomial(BLOCK, shares),
            *[0] * 60,
        ],
        np.float64,
    )


def feed(watch, n, rng, **world):
    found = []
    for at in range(n):
        found += watch.take(block(rng, **world), float(at), GENRES.__getitem__, len(GENRES))
    return found


def calm():
    watch, rng = MixWatch(64, patience=BLOCK * 10_000), np.random.default_rng(3)
    assert feed(watch, 3_000, rng) == []
    return watch, rng


@pytest.mark.parametrize(
    ("world", "statistic", "scope", "words"),
    [
        ({"new_users": 0.3}, "new_users", "all", "of the events are by new users"),
        ({"new_titles": 0.2}, "new_titles", "all", "of the events are of new titles"),
        ({"bits": BITS - 1}, "concentration", "all", "times fewer titles"),
        (
            {"shares": SHARES + np.array([0, 0, 0.3, 0])},
            "genre_share",
            "genre:horror",
            "horror makes 5",
        ),
    ],
)
def test_a_change_is_told_by_name_and_ends(world, statistic, scope, words):
    watch, rng = calm()
    alarms = feed(watch, 40, rng, **world)
    named = [a for a in alarms if (a.statistic, a.scope) == (statistic, scope)]
    assert len(named) == 1
    assert named[0].kind is Kind.DATA
    assert words in named[0].what
    assert {a.statistic for a in alarms} <= {statistic, "genre_mix"}
    ends = feed(watch, 40, rng)
    assert Recovery(statistic, scope, ends[0].detected, is_back=True) in [
        e._replace(detected=ends[0].detected) for e in ends
    ]


def test_another_mix_of_genres_is_told_once_for_all():
    watch, rng = calm()
    alarms = feed(watch, 40, rng, shares=SHARES[::-1])
    assert "genre_mix" in {alarm.statistic for alarm in alarms}
    assert {a.scope for a in alarms} >= {"genre:drama", "genre:news"}


def test_fewer_new_users_are_what_every_log_sees():
    watch, rng = calm()
    feed(watch, 3_000, rng, new_users=0.3)
    assert [n for n in feed(watch, 40, rng, new_users=0.0) if isinstance(n, Alarm)] == []


def test_a_new_genre_is_told_after_it_has_been_watched_for():
    watch, rng = calm()
    alarms = feed(watch, 40, rng, shares=SHARES + np.array([0, 0, 0, 0.2]))
    assert ("genre_share", "genre:news") in {(a.statistic, a.scope) for a in alarms}


def test_events_without_genres_have_no_mix():
    watch, rng = MixWatch(64, patience=10_000), np.random.default_rng(3)
    assert feed(watch, 200, rng, shares=np.zeros(4)) == []
    assert watch.watch.levels["n_blocks"][MIX] == 0


def test_restored_it_continues_as_if_uninterrupted():
    rng = np.random.default_rng(8)
    worlds = [{}] * 200 + [{"new_users": 0.4}] * 30 + [{"shares": SHARES[::-1]}] * 30
    blocks = [block(rng, **world) for world in worlds]
    whole, first, second = (MixWatch(64, patience=10_000) for _ in range(3))

    def take(watch, begin, end):
        return [
            n
            for at in range(begin, end)
            for n in watch.take(blocks[at], float(at), GENRES.__getitem__, len(GENRES))
        ]

    expected = take(whole, 0, 260)
    found = take(first, 0, 215)
    second.restore(first.snapshot())
    assert found + take(second, 215, 260) == expected
    assert len(expected) > 2
    assert len(blocks[0]) == BLOCK_GENRES + 64
