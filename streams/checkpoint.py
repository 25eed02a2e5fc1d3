"""The commit protocol: what was processed and how far it came, in one transaction.

A worker holds the records that its partitions gave until they are committed. One commit is

1. begin a transaction;
2. send every held record;
3. flush;
4. add the positions of the partitions, with the id of their newest snapshot;
5. commit;
6. let go of what was held.

What a crash leaves behind: before 5 nothing that a read_committed reader sees, and the old
positions, so the partition's next owner processes the same records to the same results; after 5
everything. A crash inside 5 is one or the other, which the next owner's ``init`` settles.

An abort undoes nothing in memory, for the state is a function of the log: the same records are
held, and sent again. When it is unknown whether 5 happened, the producer is dropped and a new one
of the same id settles it; then the committed positions tell, all or none.

References
----------
KIP-98 (transactions), KIP-447 (offsets of a group member in a transaction), KIP-360 (recovery).
"""

from __future__ import annotations

import enum
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain

import msgspec

from streams.ends import MAX_ENDS, End, end_of
from streams.kafka import Consumer, TransactionalProducer
from streams.kafka_errors import KafkaCallError, RecordTooLargeError, Verdict
from streams.kafka_records import Committed, Output, Partition
from streams.watchdog import Watchdog

_log = logging.getLogger(__name__)

CALL_S = 5.0
"""Seconds for one call of a transaction before it counts as undecided."""
N_QUESTIONS = 3
"""A consumer that lost its coordinator to a frozen broker may not find it again for a minute or
more, while a new one is answered at once."""
PROBE_S = 2.0
FENCED = "_FENCED"


class Held(msgspec.Struct):
    """What one partition gave since its last commit.

    Attributes
    ----------
    lists
        The latest record of each key; a user's later list replaces the earlier one.
    others
        Dead letters, outcomes and drift records, in order.
    position
        Where the partition will be read from next; None while nothing was processed.
    n_records
        Input records behind it.
    """

    lists: dict[bytes, Output] = {}
    others: list[Output] = []
    position: Committed | None = None
    n_records: int = 0


class Outcome(enum.Enum):
    """How a commit ended."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNDECIDED = "undecided"


class Checkpoint:
    """Commits what is held, as often as it takes.

    Parameters
    ----------
    consumer
        Whose positions are committed.
    build
        Makes the transactional producer; called at once and after each undecided commit.
    shrink
        Makes a record that the broker takes of one that is too large.
    watchdog
        Ends the process when a call hangs beyond its own timeout.

    Attributes
    ----------
    held : dict[Partition, Held]
        By assigned partition.
    n_aborts : int
        Transactions that did not commit at first.
    ended : deque[End]
        How the latest transactions ended; who looks takes them out.
    """

    def __init__(
        self,
        consumer: Consumer,
        build: Callable[[], TransactionalProducer],
        *,
        shrink: Callable[[Output], Output],
        watchdog: Watchdog,
    ) -> None:
        self._consumer = consumer
        self._build = build
        self._shrink = shrink
        self._watchdog = watchdog
        self._producer: TransactionalProducer | None = None
        self._is_ready = False
        self._is_undecided = False
        self._began_s = 0.0
        self._fenced_after_s: float | None = None
        self._told = ""
        self._n_unanswered = 0
        self.held: dict[Partition, Held] = {}
        self.n_aborts = 0
        self.ended: deque[End] = deque(maxlen=MAX_ENDS)
        self._produced_s: float | None = None

    @property
    def n_held(self) -> int:
        """Input records that are processed and not committed."""
        return sum(held.n_records for held in self.held.values())

    def commit(self) -> Outcome:
        """Try once to commit what is held; an undecided commit is settled first.

        Raises
        ------
        KafkaCallError
            Fatal: fenced, or the client is of no more use.
        """
        if self._is_undecided and not self.settle():
            return Outcome.UNDECIDED
        positions = {p: h.position for p, h in self.held.items() if h.position is not None}
        if not positions:
            return Outcome.COMMITTED
        try:
            producer = self._ready()
            self._send_all(producer, positions)
        except KafkaCallError as error:
            return self._failed(error)
        self._note_end(Outcome.COMMITTED, "")
        self._let_go(positions)  # 6
        return Outcome.COMMITTED

    def settle(self) -> bool:
        """Find out how an undecided commit ended; return whether that is known now.

        Raises
        ------
        KafkaCallError
            Fatal; also when the consumer leaves `N_QUESTIONS` in a row without an answer.
        """
        try:
            self._ready()
            committed = self._committed()
        except KafkaCallError as error:
            if error.verdict is Verdict.FATAL:
                raise
            self._tell(error)
            return False
        for partition, found in committed.items():
            position = self.held[partition].position
            if found and position and found.offset >= position.offset:
                self._let_go([partition])
        self._is_undecided, self._told = False, ""
        return True

    def fenced_after_s(self, partition: Partition) -> float | None:
        """Tell for how long the transaction was open by which the producer was found fenced.

        None where it is not fenced. Brokers fence a producer when a younger one of its id takes
        over, and when a transaction is open for longer than its timeout.

        Only when nothing more will be committed: where no call has told, a transaction is begun
        to ask, and aborted, and so is the position of some partition that it asks with.
        """
        producer = self._producer
        if self._fenced_after_s is not None or producer is None or not self._is_ready:
            return self._fenced_after_s
        nowhere = {partition: Committed(0)}
        steps: tuple[Callable[[], None], ...] = (
            partial(producer.abort, PROBE_S),
            partial(self._begin, producer),
            partial(producer.send_offsets, nowhere, self._consumer, PROBE_S),
            partial(producer.abort, PROBE_S),
        )
        with self._watchdog.guard("ask"):
            for step in steps:
                try:
                    step()
                except KafkaCallError as error:
                    self._note_fence(error)
        return self._fenced_after_s

    def start(self) -> bool:
        """Settle what an earlier producer of the slot left; return whether a broker answered."""
        return self.settle()

    def close(self) -> None:
        """Give the producer up; what is in a transaction is aborted by whoever comes next."""
        producer, self._producer, self._is_ready = self._producer, None, False
        if producer is not None:
            producer.drop()

    def _ready(self) -> TransactionalProducer:
        """Return the producer, a new one after an undecided commit."""
        if self._producer is None:
            self._producer = self._build()
        if not self._is_ready:
            with self._watchdog.guard("init"):
                self._producer.init(CALL_S)
            self._is_ready = True
        return self._producer

    def _committed(self) -> dict[Partition, Committed | None]:
        """Ask for the committed positions of what is held."""
        asked = [p for p, held in self.held.items() if held.position is not None]
        try:
            found = self._consumer.committed(asked, CALL_S) if asked else {}
        except KafkaCallError as error:
            self._n_unanswered += 1
            if self._n_unanswered < N_QUESTIONS:
                raise
            raise error.settled_as(Verdict.FATAL) from error
        self._n_unanswered = 0
        return found

    def _tell(self, error: KafkaCallError) -> None:
        """Log what keeps it from knowing, once while it stays the same."""
        if self._is_undecided and error.name != self._told:
            self._told = error.name
            _log.warning("how the commit ended is not known yet: %s", error)

    def _begin(self, producer: TransactionalProducer) -> None:
        self._began_s, self._produced_s = time.monotonic(), None
        producer.begin()

    def _note_fence(self, error: KafkaCallError) -> None:
        if error.name == FENCED and self._fenced_after_s is None:
            self._fenced_after_s = time.monotonic() - self._began_s

    def _send_all(
        self, producer: TransactionalProducer, positions: dict[Partition, Committed]
    ) -> None:
        self._begin(producer)  # 1
        for held in list(self.held.values()):  # 2
            self._send(producer, [*held.others, *held.lists.values()])
        with self._watchdog.guard("flush"):
            producer.flush(CALL_S)  # 3
        self._produced_s = time.monotonic()
        with self._watchdog.guard("send offsets"):
            producer.send_offsets(positions, self._consumer, CALL_S)  # 4
        with self._watchdog.guard("commit"):
            producer.commit(CALL_S)  # 5

    def _send(self, producer: TransactionalProducer, records: list[Output]) -> None:
        """Send records; one that is too large goes as what `shrink` makes of it."""
        while records:
            try:
                with self._watchdog.guard("send"):
                    producer.send(records, CALL_S)
            except RecordTooLargeError as error:
                at = next(n for n, record in enumerate(records) if record is error.record)
                records = [self._shrink(error.record), *records[at + 1 :]]
            else:
                records = []

    def _failed(self, error: KafkaCallError) -> Outcome:
        try:
            outcome = self._after(error)
        except KafkaCallError:
            self._note_end(Outcome.UNDECIDED, error.name)
            raise
        self._note_end(outcome, error.name)
        return outcome

    def _note_end(self, outcome: Outcome, cause: str) -> None:
        sent = self.held.values() if outcome is Outcome.COMMITTED else ()
        outputs = chain.from_iterable((*held.others, *held.lists.values()) for held in sent)
        self.ended.append(end_of(outcome.value, cause, outputs, self._began_s, self._produced_s))

    def _after(self, error: KafkaCallError) -> Outcome:
        """Abort, or drop the producer when the end of the transaction is not known."""
        _log.warning("%s (%s)", error, error.verdict.value)
        self._note_fence(error)
        if error.verdict is Verdict.FATAL or error.name == "FENCED_INSTANCE_ID":
            raise error
        self.n_aborts += 1
        if error.verdict is Verdict.ABORT and self._producer is not None:
            try:
                with self._watchdog.guard("abort"):
                    self._producer.abort(CALL_S)
            except KafkaCallError as failure:
                self._note_fence(failure)
                if failure.verdict is Verdict.FATAL:
                    raise
            else:
                return Outcome.ABORTED
        self.close()
        self._is_undecided = True
        return Outcome.UNDECIDED

    def _let_go(self, partitions: Iterable[Partition]) -> None:
        for partition in list(partitions):
            self.held[partition] = Held()
