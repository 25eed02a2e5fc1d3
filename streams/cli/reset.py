"""``driftline reset``: where the workers read on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.resetting import Move, Target
    from streams.settings import Settings


@click.command("reset", short_help="Set where the workers read on.")
@click.option("--to-earliest", "is_earliest", is_flag=True, help="The oldest view that is left.")
@click.option(
    "--to-datetime",
    metavar="TIME",
    help="The first view written at or after a time: 2022-01-31T12:00, UTC unless it has a zone.",
)
@click.option("--to-offset", "offset", type=click.IntRange(min=0), help="This offset.")
@click.option(
    "--by-duration", metavar="DURATION", help="The first view written since: 90m, 12h, 2d, 1w."
)
@click.option(
    "--partition",
    "numbers",
    type=click.IntRange(min=0),
    multiple=True,
    help="Only this partition; may be repeated.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Show what it would do.")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    is_earliest: bool,
    to_datetime: str | None,
    offset: int | None,
    by_duration: str | None,
    numbers: tuple[int, ...],
    is_dry: bool,
) -> None:
    """Set the committed offsets of the workers' group in the views topic, while no worker runs.

    From there on views are processed again, or passed over: lists, dead letters and outcomes of
    views that are processed again are written again. The state of a partition is always that of
    all its views up to the offset: workers make it from a snapshot at or below and the views
    between, so views that are passed over are learned and only their results are left out. Times
    are those at which views were written to the topic, not their event times.
    """
    target = _target(is_earliest=is_earliest, at=to_datetime, offset=offset, duration=by_duration)
    moves = _moved(invocation.load().settings, target, numbers, is_dry=is_dry)
    _print(moves)
    click.echo("Nothing was changed." if is_dry else "The offsets are set.")


def _target(
    *, is_earliest: bool, at: str | None, offset: int | None, duration: str | None
) -> Target:
    from streams.errors import SettingsError
    from streams.resetting import AtOffset, AtTime, Earliest

    targets: list[Target] = []
    if is_earliest:
        targets.append(Earliest())
    if at is not None:
        targets.append(AtTime(_epoch_s(at)))
    if offset is not None:
        targets.append(AtOffset(offset))
    if duration is not None:
        targets.append(AtTime(time.time() - _seconds(duration)))
    if len(targets) != 1:
        ways = "--to-earliest, --to-datetime, --to-offset and --by-duration"
        raise SettingsError(f"say where to by one of {ways}")
    return targets[0]


def _epoch_s(text: str) -> float:
    from streams.errors import SettingsError
    from streams.timebounds import parse_time_bound

    bound = parse_time_bound(text)
    if bound.is_relative:
        raise SettingsError(f"{text!r} is no time of a topic; --by-duration goes back from now")
    return bound.offset_s


def _seconds(text: str) -> float:
    from streams.errors import SettingsError
    from streams.timebounds import parse_time_bound

    try:
        bound = parse_time_bound(f"+{text}")
    except SettingsError:
        raise SettingsError(f"{text!r} is no duration like 90m, 12h, 2d, 1w") from None
    return bound.offset_s


def _moved(
    settings: Settings, target: Target, numbers: tuple[int, ...], *, is_dry: bool
) -> list[Move]:
    from streams.cli.brokers import ANSWER_S, admin_of
    from streams.kafka import Consumer
    from streams.kafka_clients import consumer_properties, session_timeout_s
    from streams.kafka_records import Partition
    from streams.locations import open_store
    from streams.resetting import Group

    name, topic = settings.worker.group, settings.topics.views
    admin = admin_of(settings)
    n_partitions = admin.existing([topic])[topic].n_partitions
    consumer = Consumer(consumer_properties(settings.kafka, group=name, member=""))
    group = Group(
        name,
        admin,
        consumer,
        timeout_s=ANSWER_S,
        session_timeout_s=session_timeout_s(settings.kafka),
    )
    try:
        group.check_at_rest()
        partitions = [Partition(topic, number) for number in _chosen(numbers, n_partitions, topic)]
        snapshots = open_store(settings.worker.snapshot_folder, settings)
        moves = group.moves(target, partitions, snapshots)
        if not is_dry:
            group.carry_out(moves)
    finally:
        consumer.close()
    return moves


def _chosen(numbers: tuple[int, ...], n_partitions: int, topic: str) -> list[int]:
    from streams.errors import SettingsError

    for number in numbers:
        if number >= n_partitions:
            raise SettingsError(f"{topic} has the partitions 0 to {n_partitions - 1}, no {number}")
    return sorted(set(numbers)) or list(range(n_partitions))


def _print(moves: list[Move]) -> None:
    from streams.cli.columns import print_columns

    rows = [
        (
            str(move.partition.number),
            "none" if move.before is None else str(move.before),
            str(move.after),
            _begin(move),
        )
        for move in moves
    ]
    print_columns(("partition", "from", "to", "state made from"), rows)
    n_unused = sum(move.n_unused for move in moves)
    if n_unused:
        click.echo(
            f"{n_unused} snapshots above the new offsets stay on disk and are not used; the next"
            " snapshot of a partition removes them."
        )
    if any(move.is_missing for move in moves):
        click.echo(
            "Where views are missing a worker refuses to start, unless a snapshot is put back or it"
            " is told to go without: --accept-missing-history.",
            err=True,
        )


def _begin(move: Move) -> str:
    begin = "the first view" if move.snapshot is None else f"snapshot {move.snapshot}"
    return f"{begin}, but views since are missing" if move.is_missing else begin
