"""Settings of workers and topics, on which no result of the engine depends but for one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

DAY_S = 86_400.0
# Results do not depend on a neutral setting, so it stays out of the fingerprint.
NEUTRAL = "neutral"


def _own(description: str, unit: str = "", **bounds: float) -> Meta:
    """Describe a setting that no result depends on."""
    extra: dict[str, Any] = {NEUTRAL: True, **({"unit": unit} if unit else {})}
    named: dict[str, Any] = {"description": description, "extra": extra, **bounds}
    return Meta(**named)


class TopicNames(msgspec.Struct, frozen=True):
    """What each topic is called."""

    views: Annotated[str, _own("View events, keyed by user id; read.", min_length=1)] = "views"
    content: Annotated[str, _own("Content metadata, compacted; read.", min_length=1)] = "content"
    recommendations: Annotated[
        str, _own("Lists, keyed by user id, compacted; written.", min_length=1)
    ] = "recommendations"
    dead_letter: Annotated[
        str, _own("Refused views with their reasons; written.", min_length=1)
    ] = "views.dead-letter"
    outcomes: Annotated[str, _own("Judged lists in aggregates; written.", min_length=1)] = (
        "outcomes"
    )
    drift: Annotated[str, _own("Drift episodes; written.", min_length=1)] = "drift"


class WorkerSettings(msgspec.Struct, frozen=True):
    """How a worker consumes, commits and keeps its state."""

    group: Annotated[str, _own("Consumer group of all workers.")] = "driftline"
    slot: Annotated[
        int,
        _own(
            "Stable number of this worker, from which its names in Kafka are made; -1: the number"
            " at the end of the host name, else the lowest that is free in the snapshot folder.",
            ge=-1,
        ),
    ] = -1
    static_membership: Annotated[
        bool,
        _own(
            "Keep a stopped worker's partitions for it until its session ends, so that a restart"
            " costs no rebalance; false: it leaves when it stops, and they move at once."
        ),
    ] = True
    commit_interval_s: Annotated[
        float, _own("Time between commits while records come in.", "s", gt=0, le=60)
    ] = 0.1
    max_records: Annotated[
        int, _own("Most records of one transaction.", "records", ge=1, le=1_000_000)
    ] = 10_000
    snapshot_folder: Annotated[
        str,
        _own(
            "Where snapshots are kept: a folder, or `s3://`, `gs://`, `az://`; workers may share"
            " it.",
            min_length=1,
        ),
    ] = "snapshots"
    store_budget_s: Annotated[
        float,
        _own("A call to object storage that keeps failing is given up after this.", "s", gt=0),
    ] = 30.0
    store_wait_s: Annotated[
        float,
        _own(
            "How long a restore waits for snapshots that cannot be reached before the worker ends.",
            "s",
            ge=0,
        ),
    ] = 300.0
    snapshot_every_s: Annotated[
        float, _own("Time between snapshots of a partition.", "s", gt=0)
    ] = 300.0
    snapshot_every_events: Annotated[
        int, _own("Or so many records of the partition since the last.", "records", ge=1)
    ] = 500_000
    snapshots_kept: Annotated[
        int, _own("Snapshots kept of a partition.", "snapshots", ge=1, le=100)
    ] = 3
    stop_budget_s: Annotated[
        float,
        _own(
            "Time for the last commit and snapshot when partitions go or it is stopped.", "s", gt=0
        ),
    ] = 10.0
    call_budget_s: Annotated[
        float,
        _own("A transaction call that takes longer ends the process, to be restarted.", "s", gt=0),
    ] = 60.0
    breaker_share: Annotated[
        float,
        _own(
            "Share of dead letters among the latest events of a partition above which the worker"
            " stops.",
            gt=0,
            le=1,
        ),
    ] = 0.5
    breaker_window: Annotated[
        int,
        _own("How many latest events.", "events", ge=10),
    ] = 1_000
    replayed_kept_s: Annotated[
        float,
        Meta(
            gt=0,
            description="How long, in event time, replayed dead letters are remembered, so that"
            " each counts once: the retention of their topic.",
            extra={"unit": "s"},
        ),
    ] = 30 * DAY_S
    heartbeat_file: Annotated[str, _own("Touched while the loop runs; empty: none.")] = ""


class MonitoringSettings(msgspec.Struct, frozen=True):
    """Where a worker shows how it is."""

    host: Annotated[
        str,
        _own("Address that metrics and health are served on; 0.0.0.0: every one.", min_length=1),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        _own(
            "Port of them; 0: none; -1: the first that is free from 9108 on. With `--processes`"
            " each worker has its own, counting up.",
            ge=-1,
            le=65_535,
        ),
    ] = -1
    healthy_within_s: Annotated[
        float,
        _own("Age of the latest turn of the loop from which a worker counts as stuck.", "s", gt=0),
    ] = 30.0
