"""Levels raise alarms for changes that are sure and worth it, and for nothing else."""

import numpy as np
import pytest

from models.level_watch import LevelWatch
from models.levels import CALM, IS_BACK, LAMBDA, RAISED, RULE, SETTLED

BLOCK, PATIENCE = 64, 64 * 200
EFFECT = 0.1


def new_watch(n=1, **rule):
    rules = np.zeros(n, RULE)
    usual = {"block": BLOCK, "burn_in": 32, "wait": 8, "largest_z": 6.0}
    for name, value in {**usual, "least": EFFECT, "least_spread": 1e-4, **rule}.items():
        rules[name] = value
    return LevelWatch(rules)


def feed(watch, means, first=0):
    """Add a block of each mean; return (block, level, what came of it)."""
    found = []
    for at, mean in enumerate(means, start=first):
        means_now = np.broadcast_to(mean, len(watch.added))
        watch.added[:] = np.stack(
            [np.full(len(means_now), BLOCK), BLOCK * means_now, BLOCK * means_now**2], axis=1
        )
        found += [(at, *what) for what in watch.look(float(at), patience=PATIENCE)]
    return found


def test_a_lasting_change_is_an_alarm_with_its_onset_and_size():
    watch = new_watch()
    found = feed(watch, [1.0] * 100 + [2.0] * 4)
    assert found == [(103, 0, RAISED)]
    level = watch.levels[0]
    assert (level["onset"], level["mean"], level["after"]) == (99.0, 1.0, 2.0)
    assert level["raised_n"] == 4 * BLOCK


def test_the_block_in_which_it_began_does_not_blur_its_size():
    watch = new_watch()
    assert feed(watch, [1.0] * 100 + [1.2, 2.0, 2.0, 2.0, 2.0])
    assert watch.levels[0]["after"] == pytest.approx(2.0)


@pytest.mark.parametrize("wild", [1e6, -1e6])
def test_no_single_block_raises_an_alarm(wild):
    assert feed(new_watch(), [1.0] * 100 + [wild] + [1.0] * 100) == []


def test_a_wild_block_does_not_hide_the_change_after_it():
    found = feed(new_watch(), [1.0] * 100 + [1e6] + [1.0] * 50 + [2.0] * 10)
    assert [what for _, _, what in found] == [RAISED]


def test_changes_below_half_the_effect_never_add_up():
    assert feed(new_watch(), [1.0] * 100 + [1.0 + 0.45 * EFFECT] * 5_000) == []


def test_nothing_is_said_before_the_usual_is_known():
    assert feed(new_watch(), [1.0] * 25 + [2.0] * 10) == []


def test_a_rule_may_look_upwards_only():
    means = [1.0] * 100 + [0.0] * 30
    assert feed(new_watch(only_up=True), means) == []
    assert [what for _, _, what in feed(new_watch(), means)] == [RAISED]


def test_a_rule_without_a_block_watches_nothing():
    assert feed(new_watch(block=0), [1.0] * 100 + [9.0] * 100) == []


def test_what_was_before_is_kept_until_it_is_back():
    watch = new_watch()
    assert feed(watch, [1.0] * 100 + [2.0] * 50)[-1][2] == RAISED
    assert watch.levels[0]["mean"] == 1.0
    found = feed(watch, [1.0] * 10, first=150)
    assert found == [(153, 0, IS_BACK)]
    assert feed(watch, [1.0] * 50 + [2.0] * 4, first=160)[-1] == (213, 0, RAISED)


def test_a_change_that_lasts_for_its_patience_is_the_new_usual():
    watch = new_watch()
    feed(watch, [1.0] * 100)
    found = feed(watch, [2.0] * 400, first=100)
    assert [what for _, _, what in found] == [RAISED, SETTLED]
    assert found[1][0] == 100 + PATIENCE // BLOCK - 1
    assert watch.levels[0]["mean"] == 2.0
    assert [what for _, _, what in feed(watch, [1.0] * 5, first=500)] == [RAISED]


@pytest.mark.parametrize(("then", "n_alarms"), [(2.5, 1), (3.5, 2), (0.0, 2)])
def test_a_raised_level_alarms_again_when_it_moves_twice_as_far_or_over(then, n_alarms):
    found = feed(new_watch(), [1.0] * 100 + [2.0] * 10 + [then] * 10)
    assert [what for _, _, what in found].count(RAISED) == n_alarms


def alarms_of_lasting_noise(*, knows_long):
    """Count the alarms in 50 streams of 2,000 blocks whose noise lasts for a few of them."""
    rng, n = np.random.default_rng(5), 50
    watch, noise, n_alarms = new_watch(n, least=0.01), np.zeros(n), 0
    for shock in rng.standard_normal((2_000, n)):
        noise = 0.7 * noise + np.sqrt(1 - 0.7**2) * shock
        n_alarms += sum(what == RAISED for _, _, what in feed(watch, [1.0 + noise]))
        if not knows_long:
            watch.levels["long_variance"] = 0.0
    return n_alarms


def test_blocks_that_resemble_their_neighbours_are_noise():
    assert alarms_of_lasting_noise(knows_long=True) == 0
    assert alarms_of_lasting_noise(knows_long=False) > 10


def test_independent_noise_comes_nowhere_near_the_threshold():
    watch = new_watch(200, least=0.01)
    rng = np.random.default_rng(1)
    assert feed(watch, 1.0 + rng.standard_normal((2_000, 200))) == []
    assert (watch.levels["rise"] - watch.levels["least_rise"]).max() < 0.7 * LAMBDA


def test_a_small_lasting_change_is_found_too():
    rng = np.random.default_rng(2)
    noise = 0.05 * rng.standard_normal(300)
    found = feed(new_watch(), (1.0 + noise + np.where(np.arange(300) >= 200, 2 * EFFECT, 0.0)))
    assert [what for _, _, what in found] == [RAISED]
    assert 200 <= found[0][0] < 230


def test_restored_at_any_block_it_continues_as_if_uninterrupted():
    rng = np.random.default_rng(3)
    means = np.concatenate([rng.normal(1, 0.1, 100), rng.normal(2, 0.1, 300), [1.0] * 30])
    whole = new_watch()
    expected = feed(whole, means)
    assert {what for _, _, what in expected} == {RAISED, SETTLED}
    for cut in (1, 50, 102, 105, 310, 415):
        first, second = new_watch(), new_watch()
        found = feed(first, means[:cut])
        second.restore(first.snapshot())
        found += feed(second, means[cut:], first=cut)
        assert found == expected
        state, same = whole.snapshot(), second.snapshot()
        assert all(np.array_equal(state[name], same[name]) for name in state)


def test_a_forgotten_level_begins_anew():
    watch = new_watch(2)
    feed(watch, [1.0] * 100)
    watch.forget([1])
    found = feed(watch, [2.0] * 10, first=100)
    assert found == [(103, 0, RAISED)]
    assert CALM not in {what for _, _, what in found}
