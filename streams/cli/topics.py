"""``driftline topics``: make the topics, check them, show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.kafka import Admin
    from streams.topics import TopicState
    from streams.worker_settings import TopicNames

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def _milliseconds(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Read a duration such as ``30d`` or ``12h``, or ``unlimited``, which is -1."""
    if value == "unlimited":
        return -1
    found = re.fullmatch(r"([1-9]\d*)([smhd])", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no duration like 30d, 12h, unlimited", ctx, param)
    return int(found[1]) * _UNIT_MS[found[2]]


_partitions = click.option(
    "--partitions",
    "n_partitions",
    type=click.IntRange(min=1),
    help="Partitions of the topics that are split by user.",
)


@click.group("topics")
def command() -> None:
    """Make, check and show the topics."""


@command.command()
@_partitions
@click.option(
    "--replication",
    type=click.IntRange(min=1),
    help="Copies of every partition, by default as many as the broker makes.",
)
@click.option(
    "--retention",
    callback=_milliseconds,
    metavar="DURATION",
    default="30d",
    help="How long views are kept: 30d, 12h, unlimited.",
    show_default=True,
)
@click.option(
    "--dead-letter-retention",
    callback=_milliseconds,
    metavar="DURATION",
    default="30d",
    help="How long dead letters are kept.",
    show_default=True,
)
@click.pass_obj
def create(
    invocation: Invocation,
    *,
    n_partitions: int | None,
    replication: int | None,
    retention: int,
    dead_letter_retention: int,
) -> None:
    """Make the topics that are missing; those that are there stay as they are."""
    import msgspec

    from streams.topics import (
        TopicShape,
        check_problems,
        partitions_to_make,
        problems,
        topic_specs,
    )

    shape = TopicShape(n_partitions, replication or -1, retention, dead_letter_retention)
    names, admin = _reached(invocation)
    found = admin.describe(msgspec.structs.astuple(names))
    specs = topic_specs(names, shape, partitions_to_make(names, shape, found))
    made = admin.create([spec for spec in specs if found[spec.name] is None])
    for spec in specs:
        click.echo(f"{spec.name}: {'made' if made.get(spec.name) else 'was there'}")
    found = admin.describe(msgspec.structs.astuple(names))
    check_problems(problems(names, shape, found))


@command.command()
@_partitions
@click.pass_obj
def check(invocation: Invocation, *, n_partitions: int | None) -> None:
    """Say what is wrong with the topics; the exit code is 2 when something is."""
    import msgspec

    from streams.topics import TopicShape, check_problems, problems, warnings

    names, admin = _reached(invocation)
    found = admin.describe(msgspec.structs.astuple(names))
    check_problems(problems(names, TopicShape(n_partitions), found))
    for warning in warnings(names, found):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"{len(found)} topics are as they should be")


@command.command()
@click.pass_obj
def describe(invocation: Invocation) -> None:
    """Show the topics as they are."""
    import msgspec

    from streams.cli.columns import print_columns

    columns = ("cleanup.policy", "retention.ms", "max.message.bytes", "min.insync.replicas")
    names, admin = _reached(invocation)
    found = admin.describe(msgspec.structs.astuple(names))
    head = ("topic", "partitions", "replication", *columns)
    print_columns(head, [(name, *_cells(state, columns)) for name, state in found.items()])


def _cells(state: TopicState | None, columns: tuple[str, ...]) -> tuple[str, ...]:
    if state is None:
        return ("missing", "", *("" for _ in columns))
    counts = (str(state.n_partitions), str(state.replication))
    return (*counts, *(state.config[column] for column in columns))


def _reached(invocation: Invocation) -> tuple[TopicNames, Admin]:
    from streams.cli.brokers import admin_of

    settings = invocation.load().settings
    return settings.topics, admin_of(settings)
