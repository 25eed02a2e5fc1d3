"""``driftline drift``: the drift episodes of a run, for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streams.drift_files import Story
    from streams.drift_matching import Matching

_File = click.Path(dir_okay=False, path_type=Path)


@click.command("drift", short_help="List the drift episodes of a run, or draw them.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--truth", type=_File, help="What was planted into the log: truth.jsonl.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--picture", type=_File, metavar="FILE.png|svg", help="Draw them instead.")
@click.option(
    "--series",
    type=_File,
    multiple=True,
    metavar="FILE.csv",
    help="Quality by window for the picture; may be repeated to compare runs.",
)
@click.option(
    "--by",
    default="time",
    show_default=True,
    type=click.Choice(["time", "events"]),
    help="What the picture goes along: events suit logs that come in bursts.",
)
def command(files: tuple[str, ...], **given: Any) -> None:
    """List the drift episodes of a run: what changed, where, since when, and what was done.

    FILE is what replay --drift wrote, or driftline tail drift --json; - is standard input. Several
    are the parts of one run, in order. With --truth each episode is shown with the planted change
    that it tells of, and how many records of the log it took to notice. With --picture they are
    drawn below the quality that replay --series wrote.
    """
    from streams.drift_files import read_stories
    from streams.drift_matching import matching
    from streams.errors import SettingsError
    from streams.truth import read_truth

    if given["picture"] is None and (given["series"] or given["by"] != "time"):
        raise SettingsError("--series and --by are for a --picture")
    stories = read_stories(files)
    planted = None if given["truth"] is None else read_truth(given["truth"])
    if given["picture"] is not None:
        from streams.cli.drift_drawing import draw

        draw(stories, planted or [], given)
        return
    matched = None if planted is None else matching(stories, planted)
    if given["as_json"]:
        _print_json(stories, matched)
    else:
        _print_table(stories, matched)


def plain(stories: list[Story], matched: Matching | None) -> list[dict[str, Any]]:
    """Return episodes as plain values."""
    import msgspec

    episodes = [
        {**msgspec.to_builtins(story.record), "detected_line": story.line} for story in stories
    ]
    if matched is not None:
        for episode, match in zip(episodes, matched.matches, strict=True):
            episode["match"] = match
    return episodes


def _print_json(stories: list[Story], matched: Matching | None) -> None:
    import orjson

    found: dict[str, Any] = {"episodes": plain(stories, matched)}
    if matched is not None:
        found |= {"missed": matched.missed, "scores": matched.scores}
    click.echo(orjson.dumps(found))


def _print_table(stories: list[Story], matched: Matching | None) -> None:
    from monitoring import drift_tables, tables

    console = tables.new_console(sys.stdout)
    drift_tables.print_episodes(console, plain(stories, matched))
    if matched is not None:
        drift_tables.print_matching(console, matched.missed, matched.scores)
