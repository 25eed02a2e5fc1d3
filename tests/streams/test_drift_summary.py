"""What a run remembers of its episodes."""

from __future__ import annotations

from streams.drift_summary import KEPT, DriftSummary
from tests.drifting import drift_record


def summed(*records: object) -> DriftSummary:
    made = DriftSummary()
    for record in records:
        made.take([record])  # type: ignore[list-item]  # as the tests give them
    return made


def test_an_episode_counts_once_as_what_it_was_last_told_to_be() -> None:
    fault = drift_record(state="updated", kind="input_fault")
    found = summed(drift_record(severity="warning"), fault).summary()
    assert (found["episodes"], found["open"]) == (1, 1)
    assert (found["concept"], found["input_fault"]) == (0, 1)
    assert (found["warning"], found["drift"]) == (0, 1)
    assert [episode["state"] for episode in found["latest"]] == ["updated"]


def test_of_many_episodes_the_oldest_that_are_closed_are_left_out_and_still_counted() -> None:
    opened = drift_record("0-0")
    closed = [drift_record(f"0-{n + 1}", state="closed") for n in range(KEPT + 20)]
    found = summed(opened, *closed)
    assert list(found.latest) == ["0-0", *(f"0-{n + 1}" for n in range(21, KEPT + 20))]
    assert found.summary()["episodes"] == KEPT + 21
    assert found.summary()["open"] == 1


def test_a_restored_summary_goes_on() -> None:
    one, other = summed(drift_record()), DriftSummary()
    other.restore(one.snapshot())
    for made in (one, other):
        made.take([drift_record(state="closed"), drift_record("0-2")])
    assert one.summary() == other.summary()
