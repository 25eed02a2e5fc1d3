"""``driftline snapshot``: look at saved state, and hand a replay's to a worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.inspecting import Inspection, Listed


@click.group("snapshot")
def command() -> None:
    """Look at saved state, and hand a replay's to a worker."""


@command.command("list", short_help="List the snapshots in a folder.")
@click.argument("folder", metavar="[DIR]", required=False)
@click.pass_obj
def list_(invocation: Invocation, *, folder: str | None) -> None:
    """List the snapshots in DIR, a folder or a URL; by default where the settings put them.

    The sums of the files are not checked; inspect does.
    """
    from streams.cli.columns import print_columns
    from streams.inspecting import listed
    from streams.locations import open_store

    settings = invocation.load().settings
    root = open_store(folder or settings.worker.snapshot_folder, settings)
    found = list(listed(root))
    if not found:
        click.echo(f"no snapshots in {root}")
        return
    head = ("place", "topic", "next offset", "size", "written (UTC)", "")
    print_columns(head, [_row(entry) for entry in found])


@command.command(short_help="Show what a snapshot holds and whether it is whole.")
@click.argument("place")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def inspect(context: click.Context, *, place: str, as_json: bool) -> None:
    """Show what a snapshot is of, whether it is whole, and how much it remembers.

    PLACE is the folder or URL of one snapshot: DIR and what list shows. The exit code is 1 when a
    restore would pass it over.
    """
    from streams.inspecting import inspect as inspected
    from streams.locations import open_store

    invocation: Invocation = context.obj
    found = inspected(open_store(place, invocation.load().settings))
    if as_json:
        click.echo(_json(found))
    else:
        _print(found)
    context.exit(1 if found.problem else 0)


@command.command(short_help="Make a replay's snapshot a worker's.")
@click.argument("source", metavar="DIR")
@click.option("--topic", help="Topic of the views; else that of the settings.")
@click.option("--partition", "number", type=click.IntRange(min=0), required=True, help="Of it.")
@click.option(
    "--offset",
    type=click.IntRange(min=0),
    required=True,
    help="Offset of the first view that is not in the snapshot.",
)
@click.option("--to", "folder", metavar="FOLDER", help="Snapshot folder or URL of the workers.")
@click.pass_obj
def adopt(
    invocation: Invocation,
    *,
    source: str,
    topic: str | None,
    number: int,
    offset: int,
    folder: str | None,
) -> None:
    """Make a replay's snapshot the one that a worker's partition starts from.

    DIR is what replay --snapshot-to wrote, split by as many --partitions as the topic has, or one
    snapshot in it. The settings must be the workers'. OFFSET is where the topic goes on after the
    last record of the log: all of the partition's views before it must be in the log, and nothing
    else. A worker uses the snapshot when the committed offset is OFFSET, which driftline reset
    --to-offset sees to; below it the snapshot is not used, above it the views between are learned
    first.
    """
    from streams.adopting import adopt as adopted
    from streams.kafka_records import Partition
    from streams.locations import open_store

    settings = invocation.load().settings
    partition = Partition(topic or settings.topics.views, number)
    found = open_store(source, settings)
    root = open_store(folder or settings.worker.snapshot_folder, settings)
    click.echo(adopted(found, partition, offset, to=root, settings=settings))
    click.echo(
        f"A worker uses it once the committed offset is {offset}:"
        f" driftline reset --partition {number} --to-offset {offset}",
        err=True,
    )


def _row(entry: Listed) -> tuple[str, ...]:
    from monitoring.formats import mebibytes

    written = datetime.fromtimestamp(entry.written_at, UTC)
    place, size = entry.place, mebibytes(entry.n_bytes)
    manifest = entry.manifest
    topic = "" if manifest is None else manifest.topic or "a log"
    offset = "" if manifest is None else str(manifest.next_offset)
    return (place, topic, offset, size, f"{written:%Y-%m-%d %H:%M}", entry.problem)


def _print(found: Inspection) -> None:
    from monitoring.formats import mebibytes

    manifest = found.manifest
    rows = {
        "state": found.problem or "whole",
        "kind": manifest.kind,
        "topic": manifest.topic or "none: it is of a log",
        "partition": "" if manifest.partition is None else str(manifest.partition),
        "next offset": str(manifest.next_offset),
        "size": mebibytes(found.n_bytes),
        "settings": manifest.fingerprint,
        **{what: f"{n:,}" for what, n in found.counts.items()},
    }
    for name, value in rows.items():
        click.echo(f"{name:20}  {value}".rstrip())


def _json(found: Inspection) -> str:
    import msgspec

    return json.dumps(msgspec.to_builtins(found), ensure_ascii=False)
