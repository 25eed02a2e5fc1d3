"""``driftline demo``: the main job on real data, in a minute."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.replay import print_tables, ran
from streams.cli.report import noting, reported, write_report

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.examples import Example
    from streams.replay import Replay
    from streams.run import Plan

N_USERS = 5
N_ITEMS = 5
SIMULATED_EVENTS = 100_000
REPORT = "report.html"


@click.command("demo", short_help="Show it at work on real data, without a broker.")
@click.option(
    "--data",
    "data_folder",
    default="data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the log is kept.",
)
@click.option(
    "--out",
    "out_folder",
    default="driftline-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where results are written.",
)
@click.option("--simulated", is_flag=True, help="Use a simulated log instead of MovieLens-100K.")
@click.option("--events", type=click.IntRange(min=1), help="Replay only so many events.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    data_folder: Path,
    out_folder: Path,
    simulated: bool,
    events: int | None,
) -> None:
    """Replay MovieLens-100K through the engine and show what it learned.

    The log is downloaded once, checked, and kept in --data; its licence forbids redistribution.
    Where it cannot be had, people with tastes are simulated instead.
    """
    from streams.observing import Observers

    log, content, origin = _simulated(data_folder) if simulated else _obtained(data_folder)
    click.echo(f"Log: {origin}", err=True)
    out_folder.mkdir(parents=True, exist_ok=True)
    plan = reported(_plan(invocation, log, content, out_folder, events), out_folder / REPORT)
    observers = Observers()
    history = noting(observers)
    result = ran(plan, observers, is_quiet=False)
    _print_people(result.replay)
    try:
        write_report(plan, result, history)
    finally:
        print_tables(result)


def _obtained(folder: Path) -> tuple[Path, Path, str]:
    """Return log, catalogue and a sentence: MovieLens, or a simulated log where it is not had."""
    from streams.errors import InputError
    from streams.movielens import obtain_movielens

    try:
        found = obtain_movielens(folder / "movielens-100k")
    except InputError as error:
        click.echo(f"MovieLens-100K cannot be had: {error}", err=True)
        return _simulated(folder)
    sentence = "MovieLens-100K, 100,000 ratings of films by 943 people in 1997 and 1998"
    return found.events, found.content, sentence


def _simulated(folder: Path) -> tuple[Path, Path, str]:
    from models.world import World, WorldSettings
    from streams.simulator import SimulatedLog, write_simulation

    log = SimulatedLog.in_folder(folder / "simulated", "")
    world = World(WorldSettings(n_users=1_000, n_titles=1_700, days=200, seed=0))
    write_simulation(world, SIMULATED_EVENTS, log, overwrite=True)
    return log.events, log.content, f"simulated, {SIMULATED_EVENTS:,} views by people with tastes"


def _plan(invocation: Invocation, log: Path, content: Path, out: Path, events: int | None) -> Plan:
    from streams.run import Plan

    return Plan(
        logs=(str(log),),
        settings=invocation.load().settings,
        content=str(content),
        limit=events,
        trace=str(out / "trace.jsonl"),
        dead_letters=str(out / "dead-letters.jsonl"),
        series=str(out / "quality.csv"),
        snapshot_to=str(out / "snapshots"),
    )


def _print_people(replay: Replay) -> None:
    from monitoring import tables
    from streams.examples import example_of, latest_users

    console = tables.new_console(sys.stdout)
    users = [_person(example_of(replay, user)) for user in latest_users(replay, N_USERS)]
    tables.print_recommendations(console, users)


def _person(example: Example) -> dict[str, Any]:
    listed = zip(example.items, example.titles, strict=True)
    return {
        "user_id": example.user_id,
        "items": [
            {"content_id": item.content_id, "title": title, "reason": item.reason.text}
            for item, title in list(listed)[:N_ITEMS]
        ],
    }
