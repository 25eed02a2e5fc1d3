import itertools

import pytest

from streams.errors import DriftlineError
from streams.kafka_errors import KafkaCallError, RecordTooLargeError, Verdict, repeated, verdict_of
from streams.kafka_records import Output


def failure(verdict):
    return KafkaCallError("commit", name="_TIMED_OUT", text="too late", verdict=verdict)


@pytest.mark.parametrize("flags", [*itertools.product([False, True], repeat=3)])
def test_fatal_comes_before_abort_and_abort_before_retry(flags):
    order = (Verdict.FATAL, Verdict.ABORT, Verdict.RETRY)
    expected = next((v for v, is_set in zip(order, flags, strict=True) if is_set), Verdict.FATAL)
    is_fatal, needs_abort, is_retriable = flags
    found = verdict_of(is_fatal=is_fatal, needs_abort=needs_abort, is_retriable=is_retriable)
    assert found is expected


def test_a_retriable_call_is_repeated_until_it_succeeds():
    outcomes = iter([failure(Verdict.RETRY), failure(Verdict.RETRY), "done"])
    times = []

    def attempt(left_s):
        times.append(left_s)
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert repeated(attempt, 60.0) == "done"
    assert len(times) == 3
    assert 60 >= times[0] > times[1] > times[2] > 0


@pytest.mark.parametrize("verdict", [Verdict.ABORT, Verdict.FATAL, Verdict.UNKNOWN])
def test_what_is_not_retriable_is_attempted_once(verdict):
    attempts = []

    def attempt(left_s):
        attempts.append(left_s)
        raise failure(verdict)

    with pytest.raises(KafkaCallError) as caught:
        repeated(attempt, 60.0)
    assert caught.value.verdict is verdict
    assert len(attempts) == 1


def test_time_that_is_up_allows_one_attempt():
    attempts = []

    def attempt(left_s):
        attempts.append(left_s)
        raise failure(Verdict.RETRY)

    with pytest.raises(KafkaCallError):
        repeated(attempt, 0.0)
    assert len(attempts) == 1


def test_an_error_says_what_was_asked_and_what_came():
    error = failure(Verdict.RETRY)
    assert isinstance(error, DriftlineError)
    assert str(error) == "Kafka: commit: _TIMED_OUT: too late"
    assert error.settled_as(Verdict.UNKNOWN).verdict is Verdict.UNKNOWN


def test_a_record_too_large_is_not_in_the_text():
    record = Output("views", b"user", b"payload")
    assert "payload" not in str(RecordTooLargeError(record, failure(Verdict.FATAL)))
