"""Who has the slot, told from what a played group and a played producer say."""

from itertools import pairwise

import pytest

import streams.membership
from streams.kafka_admin import Member
from streams.membership import Membership
from streams.settings import Settings
from streams.watchdog import Watchdog
from streams.worker_settings import WorkerSettings

OWN, PHANTOM = "driftline-0-own", "driftline-0-other"
YOUNG_S, OLD_S = 0.5, 20.0


class World:
    """A clock, and who goes by the name of the slot in the group at which time."""

    def __init__(self, *stays):
        self.now_s = 0.0
        self._stays = stays

    def members(self, group):
        assert group == "driftline"
        named = [Member("driftline-0", "/h", m) for m, a, b in self._stays if a <= self.now_s < b]
        return [Member("somebody", "/h", "somebody"), *named]

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.fixture
def asked(monkeypatch):
    """Ask a membership whether it is taken; give the answer and how long that took."""

    def ask(world, fenced_after_s, *, is_static=True, protocol="classic"):
        monkeypatch.setattr(streams.membership, "Admin", lambda *_, **__: world)
        monkeypatch.setattr(streams.membership.time, "monotonic", lambda: world.now_s)
        monkeypatch.setattr(streams.membership.time, "sleep", world.sleep)
        settings = Settings(
            kafka={
                "bootstrap.servers": "127.0.0.1:1",
                "log_level": "0",
                "group.protocol": protocol,
            },
            worker=WorkerSettings(static_membership=is_static),
        )
        with Watchdog(60.0) as watchdog:
            membership = Membership(settings, "driftline-0", watchdog)
            monkeypatch.setattr(type(membership.consumer), "member_id", OWN)
            membership.checkpoint.fenced_after_s = lambda _: fenced_after_s
            beats = []
            answer = membership.is_taken(lambda: beats.append(world.now_s))
        pauses = [later - earlier for earlier, later in pairwise(beats)]
        assert max(pauses, default=0.0) < 1.0  # the heartbeat goes on
        return answer, world.now_s

    return ask


def test_a_producer_that_is_not_fenced_was_not_taken_over(asked):
    assert asked(World((PHANTOM, 0, 99)), None) == (False, 0.0)


def test_a_younger_worker_is_seen_as_soon_as_it_joins(asked):
    is_taken, after_s = asked(World((OWN, 0, 1), (PHANTOM, 1, 99)), YOUNG_S)
    assert is_taken
    assert after_s == pytest.approx(1.0, abs=0.2)


def test_one_that_fenced_and_never_joined_has_not_taken_the_slot(asked):
    is_taken, after_s = asked(World((OWN, 0, 99)), YOUNG_S)
    assert not is_taken
    assert after_s == pytest.approx(3.0, abs=0.3)


def test_a_transaction_that_was_open_too_long_and_no_stranger_is_no_takeover(asked):
    assert asked(World((OWN, 0, 99)), OLD_S) == (False, 0.0)
    assert asked(World(), OLD_S) == (False, 0.0)


def test_a_stranger_that_a_lost_join_left_is_gone_after_a_session(asked):
    is_taken, after_s = asked(World((PHANTOM, 0, 45)), OLD_S)
    assert not is_taken
    assert after_s == pytest.approx(45.0, abs=0.3)


def test_a_stranger_that_outlives_a_session_is_a_younger_worker(asked):
    assert asked(World((PHANTOM, 0, 999)), OLD_S)[0]


@pytest.mark.parametrize(("fenced_after_s", "is_taken"), [(YOUNG_S, True), (OLD_S, False)])
def test_without_names_in_the_group_only_the_producer_tells(asked, fenced_after_s, is_taken):
    assert asked(World(), fenced_after_s, is_static=False) == (is_taken, 0.0)


@pytest.mark.parametrize(("fenced_after_s", "is_taken"), [(YOUNG_S, True), (OLD_S, False)])
def test_a_younger_worker_that_cannot_join_yet_is_known_by_its_producer(
    asked, fenced_after_s, is_taken
):
    assert asked(World((OWN, 0, 99)), fenced_after_s, protocol="consumer") == (is_taken, 0.0)
