"""``driftline forget``: take a person out of what driftline knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation

OUT_OF_REACH = """\
What this does not reach:
  {views} still holds the user's views until its retention deletes them: {retention}
  {dead_letter} still holds those that were refused: {dead_letter_retention}
  what other users' lists learned from these views stays, in counts that name nobody
  copies that readers of {recommendations} have made are theirs to delete"""
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


@click.command("forget", short_help="Take a person out of state, snapshots and output.")
@click.argument("user_id", metavar="USER")
@click.pass_obj
def command(invocation: Invocation, *, user_id: str) -> None:
    """Make the workers forget a user, and say what that does not reach.

    Writes a record to the views topic, behind the user's views. The worker that comes to it takes
    the user out of its state, marks the user's list as deleted, and replaces the partition's
    snapshots. A view that comes later is that of a new user.
    """
    from streams.cli.brokers import ANSWER_S, admin_of
    from streams.forgetting import forget_record
    from streams.kafka import Producer
    from streams.kafka_clients import plain_producer_properties

    settings = invocation.load().settings
    names = settings.topics
    record = forget_record(names.views, user_id)
    found = admin_of(settings).existing([names.views, names.dead_letter])
    producer = Producer(plain_producer_properties(settings.kafka))
    producer.send([record], ANSWER_S)
    while producer.n_waiting:
        producer.wait(ANSWER_S)
    click.echo(f"The record is in {names.views}; the user is forgotten once a worker comes to it.")
    reach = OUT_OF_REACH.format(
        views=names.views,
        dead_letter=names.dead_letter,
        recommendations=names.recommendations,
        retention=_kept(found[names.views].config["retention.ms"]),
        dead_letter_retention=_kept(found[names.dead_letter].config["retention.ms"]),
    )
    click.echo(reach)


def _kept(retention_ms: str) -> str:
    """Say how long a topic keeps its records.

    >>> _kept("2592000000"), _kept("5400000"), _kept("-1")
    ('30 days', '1.5 hours', 'for ever')
    """
    n = int(retention_ms)
    if n < 0:
        return "for ever"
    return f"{n / _DAY_MS:g} days" if n >= _DAY_MS else f"{n / _HOUR_MS:g} hours"
