"""Files of drift records, read back as episodes.

In: JSON lines of ``replay --drift``, or of ``driftline tail drift --json``; plain or compressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from streams.drift_records import DriftRecord
from streams.errors import InputError
from streams.inputs import JSONL, OpenInput, find_inputs
from streams.lines import split_lines

_MAX_BYTES = 1 << 20


class Story(msgspec.Struct, frozen=True):
    """An episode as its records tell it.

    Attributes
    ----------
    record
        The newest record, which has all that is known.
    line
        Record of the log that raised the first alarm; None of a topic.
    """

    record: DriftRecord
    line: int | None


class _Tailed(msgspec.Struct, frozen=True):
    """A line of ``tail --json``."""

    value: DriftRecord


_decode_record = msgspec.json.Decoder(DriftRecord).decode
_decode_tailed = msgspec.json.Decoder(_Tailed).decode


def read_stories(paths: Sequence[str]) -> list[Story]:
    """Return the episodes of files of one run, in the order in which they opened.

    Raises
    ------
    InputError
        A file cannot be read; or, naming the line, there is no drift record, or it opens or
        changes an episode that may not: the files are not of one run, or not in order.
    """
    return folded(_checked(paths))


def _checked(paths: Sequence[str]) -> Iterator[DriftRecord]:
    """Yield the records of files, refusing what cannot follow what came before."""
    states: dict[str, str] = {}
    for place, record in _records(paths):
        wrong = _contradiction(record, states.get(record.episode))
        if wrong:
            raise InputError(
                f"{place}: episode {record.episode} {wrong}; give the files of one run, in order"
            )
        states[record.episode] = record.state
        yield record


def folded(records: Iterable[DriftRecord]) -> list[Story]:
    """Return the episodes that the records of a run tell of, in the order in which they opened."""
    stories: dict[str, Story] = {}
    for record in records:
        earlier = stories.get(record.episode)
        line = record.line if earlier is None else earlier.line
        stories[record.episode] = Story(record, line)
    return list(stories.values())


def _contradiction(record: DriftRecord, earlier: str | None) -> str:
    """Return what a record cannot be after an episode's state; empty if all is well."""
    if earlier is not None and record.state == "opened":
        return "opens a second time"
    # A part of a run may begin amidst an episode.
    return f"is {record.state} after it was closed" if earlier == "closed" else ""


def _records(paths: Sequence[str]) -> Iterator[tuple[str, DriftRecord]]:
    """Yield each record with the place where it stands."""
    for source in find_inputs(paths, JSONL):
        with OpenInput(source) as opened:
            number = 0
            for lines in split_lines(opened.blocks, _MAX_BYTES):
                for number, line in enumerate(lines, number + 1):  # noqa: B020 (counts on)
                    if line.strip():
                        place = f"{source.name}, line {number}"
                        yield place, _decoded(place, line)


def _decoded(place: str, line: bytes) -> DriftRecord:
    try:
        if line.lstrip().startswith(b'{"topic":'):
            return _decode_tailed(line).value
        return _decode_record(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{place}: no drift record: {error}") from None
