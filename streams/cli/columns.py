"""Rows as plain aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def print_columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a line a row, each cell as wide as the widest of its column."""
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
