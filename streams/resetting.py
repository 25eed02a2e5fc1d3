"""Where a group of workers reads on, set from outside while it is at rest.

Only the committed positions are changed. State is a function of the topic, so the owner of a
partition makes its state at the new position from a snapshot at or below it and the records
between; snapshots above it are left where they are and are not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from streams.errors import DriftlineError, SettingsError
from streams.kafka_records import Bounds, Committed, Partition
from streams.snapshots import offsets, owner_of
from streams.stores import SnapshotStore

if TYPE_CHECKING:
    from streams.kafka import Admin, Consumer
    from streams.kafka_admin import Member


class GroupAliveError(DriftlineError):
    """The group has members, which would overwrite what is set."""


class Target(Protocol):
    """Where to go: the new position of each partition."""

    def offsets(self, admin: Admin, bounds: Mapping[Partition, Bounds]) -> dict[Partition, int]:
        """Give the next offset to read."""
        ...


class Earliest(msgspec.Struct, frozen=True):
    """The oldest record that retention has left."""

    def offsets(
        self,
        admin: Admin,  # noqa: ARG002
        bounds: Mapping[Partition, Bounds],
    ) -> dict[Partition, int]:
        return {partition: bound.first for partition, bound in bounds.items()}


class AtOffset(msgspec.Struct, frozen=True):
    """One offset, the same in every partition."""

    offset: int

    def offsets(
        self,
        admin: Admin,  # noqa: ARG002
        bounds: Mapping[Partition, Bounds],
    ) -> dict[Partition, int]:
        for partition, bound in bounds.items():
            if not bound.first <= self.offset <= bound.end:
                raise SettingsError(
                    f"partition {partition.number} of {partition.topic} has the offsets"
                    f" {bound.first} to {bound.end}, {self.offset} is not among them"
                )
        return dict.fromkeys(bounds, self.offset)


class AtTime(msgspec.Struct, frozen=True):
    """The first record at or after a time by the record's own timestamp; the end without one."""

    epoch_s: float

    def offsets(self, admin: Admin, bounds: Mapping[Partition, Bounds]) -> dict[Partition, int]:
        found = admin.offsets_at(bounds, round(self.epoch_s * 1000))
        return {partition: found.get(partition, bound.end) for partition, bound in bounds.items()}


class Move(msgspec.Struct, frozen=True):
    """What happens to one partition.

    Attributes
    ----------
    before
        The committed position; None where there is none.
    after
        The new one.
    snapshot
        Position of the snapshot that its state will be made from; None for none.
    n_unused
        Snapshots above the new position.
    is_missing
        Whether retention has deleted views that the state needs, so that a worker will refuse.
    """

    partition: Partition
    before: int | None
    after: int
    snapshot: int | None
    n_unused: int
    is_missing: bool


class Group:
    """The workers' consumer group, from outside.

    Parameters
    ----------
    name
        Of the group.
    admin, consumer
        Clients; the consumer belongs to the group without having joined it.
    timeout_s
        How long one answer may take.
    session_timeout_s
        After which a worker that was stopped has left.
    """

    def __init__(
        self,
        name: str,
        admin: Admin,
        consumer: Consumer,
        *,
        timeout_s: float,
        session_timeout_s: float,
    ) -> None:
        self.name = name
        self.admin = admin
        self.consumer = consumer
        self.timeout_s = timeout_s
        self.session_timeout_s = session_timeout_s

    def check_at_rest(self) -> None:
        """Refuse a group that has members.

        Raises
        ------
        GroupAliveError
            With their names.
        """
        members = self.admin.members(self.name)
        if members:
            names = ", ".join(f"{member.name} on {member.host}" for member in members)
            hint = _hint(members, self.session_timeout_s)
            raise GroupAliveError(
                f"the group {self.name} has live members: {names}; stop the workers first{hint}"
            )

    def moves(
        self, target: Target, partitions: Iterable[Partition], snapshots: SnapshotStore
    ) -> list[Move]:
        """Give what reaching the target means, partition by partition.

        Raises
        ------
        SettingsError
            A partition does not have the offset.
        """
        bounds = {p: self.consumer.bounds(p, self.timeout_s) for p in partitions}
        before = self.consumer.committed(bounds, self.timeout_s)
        after = target.offsets(self.admin, bounds)
        folders = {p: snapshots / owner_of(p.number) for p in bounds}
        return [_move(p, before[p], after[p], bounds[p], offsets(folders[p])) for p in bounds]

    def carry_out(self, moves: Iterable[Move]) -> None:
        """Commit the new positions.

        Raises
        ------
        KafkaCallError
            Also when a member has joined meanwhile.
        """
        self.admin.move(self.name, {move.partition: _position(move) for move in moves})


def _hint(members: Iterable[Member], session_timeout_s: float) -> str:
    """Say which members may be stopped already, and how long they count nevertheless."""
    names = ", ".join(member.name for member in members if member.is_static)
    if not names:
        return ""
    return (
        f". If they are stopped already, wait: {names} stay in the group until"
        f" {session_timeout_s:g} s (kafka.session.timeout.ms) after they were last heard of"
    )


def _move(
    partition: Partition, before: Committed | None, after: int, bounds: Bounds, kept: list[int]
) -> Move:
    below = [offset for offset in kept if offset <= after]
    first, snapshot = bounds.first, max(below, default=None)
    # Without a snapshot a state that begins at the oldest view that is left begins empty.
    is_missing = 0 < first < after if snapshot is None else snapshot < min(first, after)
    return Move(
        partition=partition,
        before=None if before is None else before.offset,
        after=after,
        snapshot=snapshot,
        n_unused=len(kept) - len(below),
        is_missing=is_missing,
    )


def _position(move: Move) -> Committed:
    metadata = msgspec.json.encode({"snapshot": move.snapshot}).decode()
    return Committed(move.after, metadata)
