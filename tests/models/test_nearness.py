import numpy as np
import pytest

from models import mix_watch, raw_statistics
from models.input_watch import InputWatch
from models.level_watch import LevelWatch
from models.levels import RAISED, RULE
from models.mix_watch import MixWatch
from models.names import Names
from models.nearness import (
    MOST_SCOPES,
    STATISTICS,
    input_nearness,
    level_nearness,
    mix_nearness,
    quality_nearness,
    scope_recalls,
)
from models.quality_alarms import QualityAlarms
from models.quality_state import (
    ALL_EVENTS,
    EVIDENCE,
    FIRST_GENRE,
    HIT,
    HIT_SLOW,
    LEVEL,
    RANK_FAST,
    RANK_SLOW,
    N,
    new_quality_watch,
)
from models.quality_watch import BURN_IN_SCOPE, THRESHOLD_ALL, THRESHOLD_SCOPE


def level_rules(*, only_up):
    rules = np.zeros(1, RULE)
    rules["block"], rules["burn_in"], rules["wait"] = 64, 32, 8
    rules["least"], rules["least_spread"], rules["largest_z"] = 0.1, 0.01, 6.0
    rules["only_up"] = only_up
    return rules


def nearness_of(shares, *, only_up=False):
    """Give how near a level is after each block of a stream, and when it raised an alarm."""
    watch, found, raised = LevelWatch(level_rules(only_up=only_up)), [], []
    for block, share in enumerate(shares):
        watch.added[0] = 64, 64 * share, 64 * share
        if (0, RAISED) in watch.look(time=float(block), patience=10_000):
            raised.append(block)
        found.append(float(level_nearness(watch)[0]))
    return found, raised


def test_a_level_comes_nearer_until_its_alarm_and_stays_while_it_lasts():
    found, (raised,) = nearness_of([0.2] * 100 + [0.8] * 50 + [0.2] * 20)
    assert max(found[:100]) == 0
    assert found[99] < found[100] < found[101] < found[raised - 1] < 1
    assert set(found[raised:150]) == {1.0}
    assert found[-1] < 1


def test_a_fall_counts_unless_only_rises_do():
    falling = [0.8] * 100 + [0.2] * 2
    assert nearness_of(falling)[0][-1] > 0.2
    assert nearness_of(falling, only_up=True)[0][-1] == 0


def test_of_scopes_and_detectors_the_nearest_counts():
    quality = new_quality_watch()
    quality.means[[ALL_EVENTS, FIRST_GENRE], N] = 1000, 100
    quality.sums[ALL_EVENTS, RANK_FAST, EVIDENCE] = 0.3 * THRESHOLD_ALL[RANK_FAST]
    quality.sums[FIRST_GENRE, RANK_FAST, EVIDENCE] = 0.4 * THRESHOLD_SCOPE[RANK_FAST]
    quality.sums[FIRST_GENRE, HIT_SLOW, EVIDENCE] = 0.1 * THRESHOLD_SCOPE[HIT_SLOW]
    assert quality_nearness(quality) == {"rank": pytest.approx(0.4), "hit": pytest.approx(0.1)}
    quality.sums[ALL_EVENTS, RANK_SLOW, EVIDENCE] = 0.9 * THRESHOLD_ALL[RANK_SLOW]
    assert quality_nearness(quality)["rank"] == pytest.approx(0.9)


def test_every_statistic_has_a_nearness():
    inputs = InputWatch(patience=100, fault_patience=100, protects=True)
    mix = MixWatch(4, patience=100)
    near = quality_nearness(new_quality_watch()) | input_nearness(inputs) | mix_nearness(mix)
    assert tuple(near) == STATISTICS
    assert set(near.values()) == {0.0}


def test_a_level_counts_to_its_own_statistic():
    inputs, mix = InputWatch(patience=9, fault_patience=9, protects=True), MixWatch(4, patience=9)
    at = raw_statistics.RATING * raw_statistics.N_SCOPES + 3
    inputs.watch.levels["is_raised"][at] = True
    mix.watch.levels["is_raised"][mix_watch.FIRST_GENRE + 2] = True
    near = input_nearness(inputs) | mix_nearness(mix)
    assert {name for name, value in near.items() if value} == {"rating", "genre_share"}


def test_recall_is_known_of_scopes_with_enough_events_most_first():
    quality, genres = QualityAlarms(10), Names(8)
    row = FIRST_GENRE + genres.row_of("Horror")
    quality.state.means[[ALL_EVENTS, row], N] = BURN_IN_SCOPE + 1, BURN_IN_SCOPE + 5
    quality.state.means[ALL_EVENTS + 1, N] = BURN_IN_SCOPE
    quality.state.means[[ALL_EVENTS, row], LEVEL + HIT] = 0.2, 0.1
    assert list(scope_recalls(quality, genres).items()) == [("genre:Horror", 0.1), ("all", 0.2)]


def test_recall_is_told_of_a_bounded_number_of_scopes():
    quality, genres = QualityAlarms(10), Names(200)
    rows = [FIRST_GENRE + genres.row_of(f"g{n}") for n in range(200)]
    quality.state.means[rows, N] = 1000.0
    assert len(scope_recalls(quality, genres)) == MOST_SCOPES
