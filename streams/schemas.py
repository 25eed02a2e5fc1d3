"""JSON Schemas of the wire types, generated into ``docs/schemas``.

``python -m streams.schemas`` rewrites the files; a test compares them with the types.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from streams.drift_records import DriftRecord
from streams.events import ContentMetadata, DeadLetter, Recommendation, TraceLine, ViewEvent
from streams.outcome_records import OutcomeRecord
from streams.truth import PlantedChange

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"
WIRE_TYPES: dict[str, type[msgspec.Struct]] = {
    "view": ViewEvent,
    "content": ContentMetadata,
    "recommendation": Recommendation,
    "dead-letter": DeadLetter,
    "trace": TraceLine,
    "outcome": OutcomeRecord,
    "drift": DriftRecord,
    "truth": PlantedChange,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What a struct cannot say: which of its optional fields go together.
_ALTERNATIVES: dict[str, list[dict[str, list[str]]]] = {
    "view": [{"required": ["timestamp"]}, {"required": ["timestamp_ms"]}],
    "dead-letter": [{"required": ["value"]}, {"required": ["value_base64"]}],
}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of the wire type of that name.

    >>> schema_of("trace")["required"]
    ['line', 'user_id', 'content_id', 'items', 'skipped', 'rank']
    """
    _, definitions = msgspec.json.schema_components(
        [WIRE_TYPES[name]], ref_template="#/$defs/{name}"
    )
    schema = {"$schema": _DIALECT, **definitions.pop(WIRE_TYPES[name].__name__)}
    if name in _ALTERNATIVES:
        schema["oneOf"] = _ALTERNATIVES[name]
    return schema | ({"$defs": definitions} if definitions else {})


def rendered(name: str) -> str:
    """Return the text of the schema's file."""
    text = msgspec.json.format(msgspec.json.encode(schema_of(name)), indent=2)
    return text.decode() + "\n"


def write_schemas(folder: Path = FOLDER) -> None:
    """Write the schema of every wire type to ``folder/NAME.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in WIRE_TYPES:
        (folder / f"{name}.json").write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(*map(Path, sys.argv[1:2]))
