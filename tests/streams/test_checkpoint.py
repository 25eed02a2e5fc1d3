"""An undecided commit whose end cannot be asked for; commits themselves are tested on a broker."""

import pytest

from streams.checkpoint import N_QUESTIONS, Checkpoint, Held, Outcome
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Committed, Partition
from streams.watchdog import Watchdog

VIEWS = Partition("views", 0)


def failure(call, verdict):
    return KafkaCallError(call, name="_TIMED_OUT", text="Timed out", verdict=verdict)


class Producer:
    """Its first commit ends nobody knows how; later ones succeed."""

    def __init__(self, log):
        self.log = log

    def __getattr__(self, name):
        return lambda *_: self.log.append(name)

    def commit(self, _timeout_s):
        self.log.append("commit")
        if self.log.count("commit") == 1:
            raise failure("commit", Verdict.UNKNOWN)


class Consumer:
    """Leaves the first questions without an answer."""

    def __init__(self, n_unanswered, offset):
        self.n_left, self.offset = n_unanswered, offset

    def committed(self, partitions, _timeout_s):
        self.n_left -= 1
        if self.n_left >= 0:
            raise failure("committed", Verdict.RETRY)
        return {partition: Committed(self.offset) for partition in partitions}


@pytest.fixture
def undecided():
    """Give a checkpoint whose commit of offset 7 is undecided, and the calls of its producers."""

    def make(consumer):
        log = []
        checkpoint = Checkpoint(
            consumer, lambda: Producer(log), shrink=lambda output: output, watchdog=Watchdog(60.0)
        )
        checkpoint.held[VIEWS] = Held(position=Committed(7), n_records=7)
        assert checkpoint.commit() is Outcome.UNDECIDED
        return checkpoint, log

    return make


@pytest.mark.parametrize(("offset", "n_commits"), [(7, 1), (0, 2)])
def test_what_was_committed_is_not_sent_again_and_what_was_not_is(undecided, offset, n_commits):
    checkpoint, log = undecided(Consumer(N_QUESTIONS - 1, offset))
    for _ in range(N_QUESTIONS - 1):
        assert checkpoint.commit() is Outcome.UNDECIDED
    assert checkpoint.commit() is Outcome.COMMITTED
    assert checkpoint.n_held == 0
    assert log.count("commit") == n_commits


def test_a_consumer_that_never_answers_is_of_no_more_use(undecided, caplog):
    checkpoint, log = undecided(Consumer(99, 7))
    for _ in range(N_QUESTIONS - 1):
        assert checkpoint.commit() is Outcome.UNDECIDED
    with pytest.raises(KafkaCallError) as caught:
        checkpoint.commit()
    assert caught.value.verdict is Verdict.FATAL
    assert log.count("commit") == 1
    assert caplog.text.count("not known yet") == 1
