"""What a worker is in Kafka: a member of its group, and the transactional producer of its slot.

Both are made anew together when one of them is of no more use. What was held is dropped first, so
nothing can be committed twice: what the old clients left undecided is settled by the ``init`` of
the new producer, and the partitions come back at their committed offsets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.checkpoint import Checkpoint
from streams.dead_letter_records import shrunk
from streams.kafka import Admin, Consumer, TransactionalProducer
from streams.kafka_clients import (
    admin_properties,
    consumer_properties,
    is_classic,
    producer_properties,
    session_timeout_s,
)
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Partition

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.watchdog import Watchdog

ANSWER_S = 2.0
LOOK_S = 0.2
JOIN_S = 3.0
"""How long after it took the producer over a younger worker may take to join."""
CLOSE_S = 5.0
"""How long clients are waited for when they are given up."""


class Membership:
    """One consumer and one producer under the name of a slot.

    Parameters
    ----------
    settings
        Of the worker.
    member
        Name of the slot.
    watchdog
        Ends the process when a call hangs.
    """

    def __init__(self, settings: Settings, member: str, watchdog: Watchdog) -> None:
        self.settings = settings
        self.member = member
        own = settings.worker
        self._producing = producer_properties(settings.kafka, transactional_id=member)
        self.consumer = Consumer(
            consumer_properties(
                settings.kafka, group=own.group, member=member if own.static_membership else ""
            )
        )
        self.checkpoint = Checkpoint(
            self.consumer,
            lambda: TransactionalProducer(self._producing),
            shrink=shrunk,
            watchdog=watchdog,
        )

    def is_taken(self, beat: Callable[[], object]) -> bool:
        """Whether a younger worker has the slot; asked once a client is of no more use.

        A fenced producer alone does not say so: brokers fence one whose transaction was open for
        too long, too. Nor does a strange member under the name of the slot: a join whose answer
        was lost leaves one, until its session ends. Both together do, if the transaction was young
        or the stranger outlives a session. A young transaction has to be enough without static
        membership, and with the newer group protocol, where the younger joins once this one left.

        Parameters
        ----------
        beat
            Called every now and then.
        """
        fenced_after_s = self.checkpoint.fenced_after_s(Partition(self.settings.topics.views, 0))
        if fenced_after_s is None:
            return False
        is_young = fenced_after_s * 1_000 < float(self._producing["transaction.timeout.ms"])
        if not (self.settings.worker.static_membership and is_classic(self.settings.kafka)):
            return is_young
        deadline = time.monotonic() + JOIN_S
        if not is_young:
            deadline += session_timeout_s(self.settings.kafka)
        while not (is_strange := self._is_held_by_another()) or not is_young:
            if time.monotonic() >= deadline or not (is_strange or is_young):
                return is_strange
            beat()
            time.sleep(LOOK_S)
        return True

    def close(self) -> bool:
        """Give the clients up within their time; return whether they are gone."""
        self.checkpoint.close()
        return self.consumer.abandon(CLOSE_S)

    def _is_held_by_another(self) -> bool:
        """Whether somebody else goes by the name of the slot in the group."""
        admin = Admin(admin_properties(self.settings.kafka), timeout_s=ANSWER_S)
        try:
            members = admin.members(self.settings.worker.group)
        except KafkaCallError:
            return False
        own = (self.member, self.consumer.member_id)
        return any(m.name == self.member and (m.name, m.member_id) != own for m in members)
