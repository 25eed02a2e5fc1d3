"""``driftline recommend``: one user's list from a snapshot, with the reasons."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streams.answers import Answer
    from streams.cli import Invocation


@click.command("recommend", short_help="Recommend to one user from a snapshot.")
@click.option("--snapshot", "folder", required=True, metavar="DIR", help="Where snapshots are.")
@click.option("--user", "user_id", required=True, help="Id of the user; unknown ones are welcome.")
@click.option("--time", "at", metavar="TIME", help="As of when; else the latest event.")
@click.option("--explain", is_flag=True, help="Show what each score is made of.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> None:
    """Print the list that the engine in a snapshot has for a user, and why.

    DIR is where replay --snapshot-to wrote, under whatever settings: a folder or a URL. Nothing is
    learned or changed. With --explain each score is taken apart into the exact contributions of
    the ranker's features, relative to the average candidate.
    """
    import msgspec

    from streams.answers import answer
    from streams.locations import open_store

    found = answer(
        open_store(given["folder"], invocation.load().settings),
        given["user_id"],
        at=given["at"],
        is_explained=given["explain"],
    )
    if given["as_json"]:
        click.echo(msgspec.json.encode(found))
    else:
        _print(found)


def _print(found: Answer) -> None:
    from monitoring import tables

    console = tables.new_console(sys.stdout)
    for note in found.notes:
        click.echo(note, err=True)
    items = [
        {
            "content_id": item.content_id,
            "title": title,
            "score": item.score,
            "reason": item.reason.text,
        }
        for item, title in zip(found.items, found.titles, strict=True)
    ]
    tables.print_recommendations(console, [{"user_id": found.user_id, "items": items}])
    for item, title in zip(found.items, found.titles, strict=True):
        parts = found.contributions.get(item.content_id)
        if parts:
            click.echo(f"\n{title}: score {item.score:.3f}")
            for name, value in parts.items():
                click.echo(f"  {value:+8.3f}  {name}")
