"""``driftline simulate``: write a simulated log and its catalogue."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("simulate", short_help="Write a simulated log and its catalogue.")
@click.option("--events", "n_events", default=100_000, show_default=True, help="Views to write.")
@click.option("--users", "n_users", default=2_000, show_default=True, help="People who watch.")
@click.option("--titles", "n_titles", default=2_000, show_default=True, help="Titles to watch.")
@click.option("--days", default=30, show_default=True, help="Days the log covers.")
@click.option("--seed", default=0, show_default=True, help="The same seed writes the same log.")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for events.jsonl and content.jsonl.",
)
@click.option(
    "--compress",
    "compression",
    default="none",
    show_default=True,
    type=click.Choice(["none", "gz", "zst"]),
    help="Compression of the events.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def command(
    *, n_events: int, folder: Path, compression: str, force: bool, **size_and_seed: int
) -> None:
    """Write a log of views by simulated people with tastes, and its catalogue.

    People watch in sessions with a daily rhythm, titles age and new ones arrive, watch time and
    ratings follow taste. The log is in the order of time and never held in memory.
    """
    from models.world import World, WorldSettings
    from streams.errors import SettingsError
    from streams.simulator import SimulatedLog, write_simulation

    try:
        settings = WorldSettings(**size_and_seed)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    log = SimulatedLog.in_folder(folder, "" if compression == "none" else compression)
    with click.progressbar(length=n_events, label="simulating", file=sys.stderr) as bar:
        write_simulation(World(settings), n_events, log, overwrite=force, progress=bar.update)
    click.echo(f"{log.events}\n{log.content}")
