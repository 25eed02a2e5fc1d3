"""The topics that driftline reads and writes: how they must be, and what is wrong with them.

Nothing here talks to a broker. ``driftline topics`` makes and checks them, and a worker refuses
to start on a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.errors import DriftlineError
from streams.worker_settings import TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The default of `max.message.bytes` of a topic, and what the headers of a dead letter may add.
RECORD_BYTES = 1_048_588
DEAD_LETTER_BYTES = RECORD_BYTES + 65_536
# What a broker counts and a client does not: the frame of a batch.
_BATCH_BYTES = 4_096
# A dead letter keeps the time that its producer gave, however wrong: brokers since 4.0 refuse
# times more than an hour ahead, and the transaction with them.
_ANY_TIME = str(2**63 - 1)
_DEFAULT_PARTITIONS = 4


class TopicError(DriftlineError):
    """A topic is missing or not as driftline needs it."""


class TopicShape(msgspec.Struct, frozen=True):
    """What may be chosen when topics are made.

    Attributes
    ----------
    n_partitions
        Of the topics that are split by user. ``None``: as many as they have, else 4.
    replication
        Copies of each partition; -1 is the broker's default.
    retention_ms
        How long views are kept, -1 for ever. A worker restores from a snapshot and the views
        since; what is older than the snapshots kept is never needed.
    dead_letter_retention_ms
        How long dead letters can be looked at and replayed.
    """

    n_partitions: int | None = None
    replication: int = -1
    retention_ms: int = 30 * 86_400_000
    dead_letter_retention_ms: int = 30 * 86_400_000


class TopicSpec(msgspec.Struct, frozen=True):
    """A topic as it is to be made; ``config`` holds what differs from the broker's defaults."""

    name: str
    n_partitions: int
    replication: int
    config: dict[str, str]


class TopicState(msgspec.Struct, frozen=True):
    """A topic as it is; ``config`` is complete."""

    n_partitions: int
    replication: int
    config: dict[str, str]


def topic_specs(names: TopicNames, shape: TopicShape, n_partitions: int) -> list[TopicSpec]:
    """Give every topic as it is to be made.

    Examples
    --------
    >>> specs = topic_specs(TopicNames(), TopicShape(), n_partitions=8)
    >>> [(spec.name, spec.n_partitions) for spec in specs if spec.n_partitions > 1]
    [('views', 8), ('recommendations', 8), ('views.dead-letter', 8)]
    """
    kept = {"cleanup.policy": "delete", "retention.ms": str(shape.retention_ms)}
    # Retention goes by the record's time, which a producer may get wrong: an old one is deleted
    # within minutes of being written.
    views = {**kept, "message.timestamp.type": "LogAppendTime"}
    compacted = {"cleanup.policy": "compact"}
    dead = {
        **kept,
        "retention.ms": str(shape.dead_letter_retention_ms),
        "max.message.bytes": str(DEAD_LETTER_BYTES + _BATCH_BYTES),
        "message.timestamp.after.max.ms": _ANY_TIME,
        "message.timestamp.type": "CreateTime",
    }
    table = [
        (names.views, n_partitions, views),
        (names.content, 1, compacted),
        (names.recommendations, n_partitions, compacted),
        (names.dead_letter, n_partitions, dead),
        (names.outcomes, 1, kept),
        (names.drift, 1, kept),
    ]
    return [TopicSpec(name, n, shape.replication, config) for name, n, config in table]


def partitions_to_make(
    names: TopicNames, shape: TopicShape, found: Mapping[str, TopicState | None]
) -> int:
    """Give the number of partitions by user: the one asked for, else the one there is."""
    if shape.n_partitions is not None:
        return shape.n_partitions
    there = (found[names.views], found[names.recommendations])
    return next((state.n_partitions for state in there if state), _DEFAULT_PARTITIONS)


def problems(
    names: TopicNames, shape: TopicShape, found: Mapping[str, TopicState | None]
) -> list[str]:
    """Say what is wrong with the topics, one sentence each; empty when all is well.

    Parameters
    ----------
    names, shape
        As they should be; the number of partitions counts only where one is asked for.
    found
        As they are, by name.
    """
    there = {name: state for name, state in found.items() if state is not None}
    checks = (
        (f"{name} is missing" for name in found if name not in there),
        _wrong_partitions(names, shape, there),
        _wrong_policies(names, there),
        _wrong_dead_letters(names, there),
        _too_few_replicas(there),
    )
    return [problem for check in checks for problem in check]


def _wrong_partitions(
    names: TopicNames, shape: TopicShape, there: Mapping[str, TopicState]
) -> Iterator[str]:
    views, written = there.get(names.views), there.get(names.recommendations)
    if views and shape.n_partitions not in {None, views.n_partitions}:
        yield (
            f"{names.views} has {views.n_partitions} partitions, not {shape.n_partitions}, and a"
            " number of partitions is never changed in place: state belongs to a partition"
        )
    if views and written and views.n_partitions != written.n_partitions:
        yield (
            f"{names.recommendations} has {written.n_partitions} partitions and {names.views}"
            f" {views.n_partitions}: they must be equal, so that a user has one partition in both"
        )


def _wrong_policies(names: TopicNames, there: Mapping[str, TopicState]) -> Iterator[str]:
    wrong = (
        (names.views, "compact", "loses all but the last view of a user"),
        (names.dead_letter, "compact", "loses dead letters"),
        (names.content, "delete", "loses titles that have not changed lately"),
    )
    for name, policy, harm in wrong:
        if policy in _policies(there.get(name)):
            yield f"{name} has cleanup.policy {there[name].config['cleanup.policy']}: it {harm}"
    written = there.get(names.recommendations)
    if written and "compact" not in _policies(written):
        yield f"{names.recommendations} is not compacted: it keeps every list ever made"


def _policies(state: TopicState | None) -> list[str]:
    return state.config["cleanup.policy"].split(",") if state else []


def _wrong_dead_letters(names: TopicNames, there: Mapping[str, TopicState]) -> Iterator[str]:
    views, dead = there.get(names.views), there.get(names.dead_letter)
    if dead is None:
        return
    config = dead.config
    largest = int(config["max.message.bytes"])
    if largest < DEAD_LETTER_BYTES + _BATCH_BYTES:
        yield (
            f"{names.dead_letter} has max.message.bytes {largest}, less than the"
            f" {DEAD_LETTER_BYTES + _BATCH_BYTES} of a dead letter: a large one stops the worker"
        )
    elif views and largest <= int(views.config["max.message.bytes"]):
        yield f"{names.dead_letter} has a smaller max.message.bytes than {names.views}"
    if config["message.timestamp.type"] != "CreateTime":
        yield f"{names.dead_letter} does not keep the time of a record: message.timestamp.type"
    if config.get("message.timestamp.after.max.ms", _ANY_TIME) != _ANY_TIME:
        yield (
            f"{names.dead_letter} refuses records from the future"
            f" (message.timestamp.after.max.ms): one of them stops the worker"
        )


def warnings(names: TopicNames, found: Mapping[str, TopicState | None]) -> list[str]:
    """Say what works but may do harm, one sentence each.

    A dead letter keeps the time of its record. Where producers choose that time it may be so old
    that the dead letter is deleted as soon as it is written.
    """
    views, dead = found.get(names.views), found.get(names.dead_letter)
    if views is None or dead is None:
        return []
    is_chosen = views.config.get("message.timestamp.type", "CreateTime") == "CreateTime"
    if not is_chosen or dead.config.get("retention.ms", "-1") == "-1":
        return []
    harm = (
        f"{names.views} has message.timestamp.type CreateTime, and {names.dead_letter} a"
        " retention: a dead letter keeps the time of its record, so one with a time that is long"
        " past is deleted before anybody saw it. Set LogAppendTime on the former or retention.ms"
        " -1 on the latter"
    )
    return [harm]


def _too_few_replicas(there: Mapping[str, TopicState]) -> Iterator[str]:
    for name, state in there.items():
        needed = int(state.config["min.insync.replicas"])
        if state.replication < needed:
            yield (
                f"{name} has {state.replication} replicas and min.insync.replicas {needed}:"
                " nothing can be written to it"
            )


def check_problems(found: Iterable[str]) -> None:
    """Raise a :class:`TopicError` that names every problem, if there is one."""
    sentences = list(found)
    if sentences:
        raise TopicError("; ".join(sentences))
