import logging

from monitoring.watcher import Watcher
from streams.observer import Observer
from streams.observing import Observers

CALLS = {
    "update": lambda o: o.update(0.5, 3, event_time=1.0),
    "processed": lambda o: o.processed(0, {"accepted": 1}, seconds={}, judged={}),
    "committed": lambda o: o.committed("committed", cause="", seconds={}, records={}),
    "assigned": lambda o: o.assigned({0: "ready"}, change="assigned"),
    "saved": lambda o: o.saved(0, seconds=1.0, n_bytes=None),
    "drifted": lambda o: o.drifted({"state": "opened"}),
    "measured": lambda o: o.measured(0, {"users": 3}),
    "ticked": lambda o: o.ticked(is_ready=True, is_broker_away=False),
}


class Broken:
    """An observer whose every method fails."""

    def __getattr__(self, name):
        def fail(*_, **__):
            raise RuntimeError(name)

        return fail


class Noting:
    """An observer that notes which methods were called."""

    def __init__(self):
        self.noted = []

    def __getattr__(self, name):
        return lambda *_, **__: self.noted.append(name)


def methods_of(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_protocol_has_at_most_eight_methods_and_all_are_passed_on():
    assert set(CALLS) == methods_of(Observer) == methods_of(Observers)
    assert len(CALLS) <= 8


def test_the_observer_that_does_nothing_has_them_all():
    assert methods_of(Watcher) == methods_of(Observer)
    for call in CALLS.values():
        call(Watcher())


def test_every_observer_is_told_of_everything():
    first, second = Noting(), Noting()
    observers = Observers([first, second])
    for call in CALLS.values():
        call(observers)
    assert first.noted == second.noted == list(CALLS)
    assert observers.n_failures == 0


def test_a_broken_observer_harms_nobody_and_is_logged_once_a_method(caplog):
    noting = Noting()
    observers = Observers([Broken(), noting])
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            for call in CALLS.values():
                call(observers)
    assert noting.noted == 3 * list(CALLS)
    assert observers.n_failures == 3 * len(CALLS)
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [f"observer Broken failed in {name}; work goes on" for name in CALLS]
