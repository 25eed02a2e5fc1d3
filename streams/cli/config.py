"""``driftline config show``: the settings in effect and where each came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from streams.kafka_settings import masked
from streams.settings import settings_table
from streams.store_options import masked_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.cli import Invocation
    from streams.settings_sources import Loaded


class Row(msgspec.Struct, frozen=True):
    """One setting as it is shown."""

    name: str
    value: int | float | str
    unit: str
    source: str


@click.group("config")
def command() -> None:
    """Show the settings in effect."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(invocation: Invocation, *, as_json: bool) -> None:
    """Print every setting with its value, unit and source; secrets are masked."""
    loaded = invocation.load()
    rows = list(effective_rows(loaded))
    fingerprint = loaded.settings.fingerprint()
    click.echo(_as_json(rows, fingerprint) if as_json else _as_text(rows, fingerprint))


def effective_rows(loaded: Loaded) -> Iterable[Row]:
    """Give every setting and whatever is passed on, secrets masked."""
    for setting in settings_table():
        value = setting.value_in(loaded.settings)
        yield Row(setting.name, value, setting.unit, loaded.sources[setting.name])
    for key, value in sorted(masked(loaded.settings.kafka).items()):
        yield Row(f"kafka.{key}", value, "", loaded.sources[f"kafka.{key}"])
    for key, value in sorted(masked_options(loaded.settings.snapshot_store).items()):
        name = f"snapshot_store.{key}"
        yield Row(name, value, "", loaded.sources[name])


def _as_json(rows: Iterable[Row], fingerprint: str) -> str:
    settings = {
        row.name: {"value": row.value, "unit": row.unit or None, "source": row.source}
        for row in rows
    }
    shown = {"settings": settings, "fingerprint": fingerprint}
    return msgspec.json.format(msgspec.json.encode(shown)).decode()


def _as_text(rows: Iterable[Row], fingerprint: str) -> str:
    cells = [("setting", "value", "unit", "source")]
    cells += [(row.name, str(row.value) or '""', row.unit, row.source) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return "\n".join([*lines, "", f"fingerprint {fingerprint}"])
