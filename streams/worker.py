"""The worker: views in, lists out, exactly once.

In: ``views`` (key user id, order within a partition) as a member of a consumer group, and
``content`` (all of it, outside the group). Out: ``recommendations``, ``views.dead-letter``,
``outcomes`` and ``drift`` in one transaction with the offsets (`streams.checkpoint`). All state
belongs to an input partition (`streams.partition`) and is a function of its records, so a crash at
any step leaves a committed offset from which the next owner comes to the same state.

One process is one consumer and one transactional producer, on one thread: a turn of the loop
applies content, lets what was assigned come back a step, consumes, processes, and commits when it
is time. A client that is of no more use, as after brokers were away for longer than a session or
a transaction lasts, is no reason to end: all partitions are dropped as lost, both clients are made
anew (`streams.membership`), and what is assigned then is restored as ever.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from models.warm import warm
from streams.assignment import Accepts, Assignment
from streams.checkpoint import Outcome
from streams.endings import BreakerOpenError, SlotTakenError, ending_of, is_curable
from streams.errors import DriftlineError
from streams.exit_codes import ExitCode
from streams.holding import hold
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Partition, Record
from streams.membership import Membership
from streams.mending import Mending
from streams.opening import RETRY_S, Patience, opened_content
from streams.partition import AssignedPartition
from streams.pipeline import Emission, Wanted
from streams.saving import Saver

if TYPE_CHECKING:
    from streams.content_feed import ContentFeed
    from streams.settings import Settings
    from streams.stop import Stop
    from streams.watch import Watch
    from streams.watchdog import Watchdog

_log = logging.getLogger(__name__)

SLICE = 2048
"""Records of one call of ``consume``: large enough that its cost a record vanishes."""
WAIT_S = 0.02
_WANTED = Wanted(emission=Emission.LAST_OF_USER, is_aggregated=True)


class Worker:
    """One member of the group: its partitions, its loop.

    Parameters
    ----------
    settings
        Settings of the run.
    member
        Stable name of the slot: transactional id and name in the group.
    watchdog, watch
        Keep an eye on the loop, and tell others of it.
    accepts
        What an operator takes upon themselves.

    Attributes
    ----------
    assignment : Assignment
        Its partitions.
    """

    def __init__(
        self,
        settings: Settings,
        member: str,
        *,
        watchdog: Watchdog,
        watch: Watch,
        accepts: Accepts,
    ) -> None:
        self.settings = settings
        self.member = member
        self._watchdog = watchdog
        self._watch = watch
        self._accepts = accepts
        self._saver = Saver(settings.worker.snapshots_kept)
        self._committed_at_s = time.monotonic()
        self._mending = Mending()
        self._content: ContentFeed | None = None
        self._join()

    def run(self, stop: Stop) -> ExitCode:
        """Work until asked to stop, or until going on would do harm; return the exit code."""
        patience = Patience(stop, self._watch)
        try:
            while patience.goes_on():
                try:
                    if self._open(patience):
                        self._work(patience)
                except KafkaCallError as error:
                    self._mend(error, patience)
            return self._leave()
        except DriftlineError as error:
            _log.error("%s", error)
            return ending_of(error)
        finally:
            self._close()

    def _join(self) -> None:
        """Make the clients, and an assignment that is empty yet."""
        self._membership = Membership(self.settings, self.member, self._watchdog)
        self.assignment = Assignment(
            self.settings, self._membership, self._saver, accepts=self._accepts
        )

    def _open(self, patience: Patience) -> bool:
        """Check the topics, read the catalogue, settle the past, join; False when told to stop."""
        self._content = opened_content(self.settings, patience)
        _settle()
        # Right before it joins: an older worker on the slot waits a moment to see who fenced it.
        checkpoint = self._membership.checkpoint
        if self._content is None or not patience.answer(lambda: checkpoint.start() or None):
            return False
        self.assignment.titles = self._content.titles
        self._membership.consumer.subscribe([self.settings.topics.views], self.assignment)
        self._mending.opened()
        return True

    def _work(self, patience: Patience) -> None:
        while patience.goes_on():
            self._turn(patience)

    def _mend(self, error: KafkaCallError, patience: Patience) -> None:
        """Drop all state as lost and make the clients anew; raise what that cannot cure."""
        if not is_curable(error):
            raise error
        self.assignment.drop_all()
        self._look()
        if self._membership.is_taken(self._watch.beat):
            raise SlotTakenError(f"{error}; a younger worker has the slot {self.member}")
        wait_s = self._mending.wait_s()
        if wait_s is None:
            raise error
        _log.warning("%s; all partitions are dropped, new clients in %g s", error, wait_s)
        self._close_clients()
        patience.wait(wait_s)
        self._join()

    def _turn(self, patience: Patience) -> None:
        """Do one turn of the loop."""
        membership, worker = self._membership, self.settings.worker
        if not membership.checkpoint.n_held and self._content is not None:
            self.assignment.take_rows(self._content.poll())
        has_restored = self.assignment.restore_some()
        self._look()
        wait_s = 0.0 if has_restored else self._wait_s()
        records = membership.consumer.consume(min(SLICE, worker.max_records), wait_s)
        for partition, own in _by_partition(records):
            if partition in self.assignment.partitions:
                self._process(self.assignment.partitions[partition], own)
        if self._is_commit_due():
            self._commit(patience)
        self.assignment.save_due()

    def _look(self) -> None:
        membership = self._membership
        self._watch.look(self.assignment, membership.checkpoint, self._saver, membership.consumer)

    def _process(self, found: AssignedPartition, records: list[Record]) -> None:
        """Take records through the pipeline and hold what comes out."""
        began_s = time.perf_counter()
        arrivals = found.arrivals(records)
        decode_s = time.perf_counter() - began_s
        handled = found.pipeline.process(arrivals, _WANTED)
        held = self._membership.checkpoint.held[found.partition]
        hold(held, found, handled, records, arrivals)
        batch_s = time.perf_counter() - began_s
        self._watch.processed(found, handled, decode_s=decode_s, batch_s=batch_s)
        if found.pipeline.breaker.is_open and not self._accepts.dead_letters:
            raise BreakerOpenError(
                f"{found.partition.topic}[{found.partition.number}]: more than"
                f" {self.settings.worker.breaker_share:.0%} of the latest"
                f" {self.settings.worker.breaker_window:,} events are dead letters, the last at"
                f" offset {records[-1].offset()}; nothing of them is committed. Mend the producer,"
                " or let them go to the dead letters: --accept-dead-letters"
            )

    def _wait_s(self) -> float:
        """Return how long to wait for records: less where a commit is due sooner."""
        if not self._membership.checkpoint.n_held:
            return WAIT_S
        due_at_s = self._committed_at_s + self.settings.worker.commit_interval_s
        return min(max(due_at_s - time.monotonic(), 0.0), WAIT_S)

    def _is_commit_due(self) -> bool:
        worker, n_held = self.settings.worker, self._membership.checkpoint.n_held
        is_time = time.monotonic() - self._committed_at_s >= worker.commit_interval_s
        return n_held > 0 and (is_time or n_held >= worker.max_records)

    def _commit(self, patience: Patience) -> None:
        """Commit; while its end is undecided, and brokers are away, do nothing else."""
        outcome = self._membership.checkpoint.commit()
        self._committed_at_s = time.monotonic()
        if outcome is Outcome.COMMITTED:
            self._mending.went_well()
        while outcome is Outcome.UNDECIDED and patience.goes_on():
            self._watch.is_broker_away = not self._membership.checkpoint.settle()
            if not self._watch.is_broker_away:
                return
            patience.wait(RETRY_S)

    def _leave(self) -> ExitCode:
        """Finish the transaction and save."""
        is_whole = self.assignment.commit_within(self.settings.worker.stop_budget_s)
        if is_whole:
            self.assignment.save_all()
            self._saver.finish(self.settings.worker.stop_budget_s)
        _log.info("stopped; committed %s", "all" if is_whole else "not all")
        return ExitCode.CLEAN

    def _close(self) -> None:
        """Give up all there is, whatever the reason to end, in bounded time."""
        self._saver.close()
        self.assignment.drop_all()
        self._close_clients()

    def _close_clients(self) -> None:
        if self._content is not None:
            self._content.close()
            self._content = None
        if not self._membership.close():
            _log.warning("a client does not let go; it is left to itself")


def _settle() -> None:
    """Load the kernels, and let the collector of cycles pass over all that stays.

    It would walk modules, kernels and titles again and again: in catching up, a tenth of the time.
    """
    warm()
    gc.collect()
    gc.freeze()


def _by_partition(records: list[Record]) -> Iterator[tuple[Partition, list[Record]]]:
    """Group records by partition, each in order."""
    ordered = sorted(records, key=lambda record: (record.topic(), record.partition()))
    for place, own in groupby(ordered, key=lambda record: (record.topic(), record.partition())):
        yield Partition(*place), list(own)
