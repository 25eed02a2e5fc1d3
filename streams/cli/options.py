"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def reads_logs(function: Function) -> Function:
    """Add the arguments of a command that reads recorded logs."""
    for decorate in reversed(
        (
            click.argument("logs", nargs=-1, required=True, metavar="LOG..."),
            click.option("--content", metavar="FILE", help="Content metadata of the titles."),
            click.option(
                "--map",
                "assignments",
                multiple=True,
                metavar="FIELD=COLUMN",
                help="Name of a field's column in the log; may be repeated.",
            ),
            click.option(
                "--format",
                "log_format",
                type=click.Choice(["jsonl", "csv", "tsv", "parquet"]),
                help="Format, where the file name does not tell it.",
            ),
            click.option("--rating-min", type=float, help="Lowest rating of the scale."),
            click.option("--rating-max", type=float, help="Highest rating of the scale."),
            click.option(
                "--allowed-lateness-s", type=float, help="Allowed lag behind the watermark."
            ),
            click.option("--allowed-future-s", type=float, help="Allowed lead over the watermark."),
        )
    ):
        function = decorate(function)
    return function


QUALITY_FLAGS = ("rating_min", "rating_max", "allowed_lateness_s", "allowed_future_s")
