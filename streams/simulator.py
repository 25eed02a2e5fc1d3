"""Write the log and the catalogue of a simulated world, and what was planted into it.

Out: ``events.jsonl`` (view events in the order of event time; also .gz, .zst), ``content.jsonl``
(every title of the world, also those released while the log runs) and, of a scenario,
``truth.jsonl`` (`streams.truth`). The same settings give the same bytes. Each file is written
aside and renamed when it is complete, the log last: what an interrupted run leaves behind is
never taken for a log.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models.people import DEVICES
from models.viewing import Views, check_n_events, views
from streams.change_kinds import Change
from streams.complete_files import complete_file, refuse_to_replace
from streams.errors import InputError, SettingsError
from streams.events import ContentMetadata, View, encode_view
from streams.faults import Fault, Surroundings, faulty
from streams.planted_lines import Line, written
from streams.title_names import GENRES, creator_name, title_name
from streams.truth import TRUTH_FILE, PlantedChange, Traces, encode_truth

if TYPE_CHECKING:
    from models.world import World, WorldSettings
    from streams.planting import Planting

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SimulatedLog:
    """Where a simulated log and its catalogue are, or shall be.

    Parameters
    ----------
    events
        JSON lines; a name that ends in .gz or .zst is compressed so.
    content
        JSON lines.
    """

    events: Path
    content: Path

    @property
    def truth(self) -> Path:
        """What was planted; it lies beside the events."""
        return self.events.with_name(TRUTH_FILE)

    @classmethod
    def in_folder(cls, folder: Path, compression: str = "") -> SimulatedLog:
        """Name the files in a folder; the compression is "gz", "zst" or none."""
        suffix = f".{compression}" if compression else ""
        return cls(folder / f"events.jsonl{suffix}", folder / "content.jsonl")


def write_simulation(
    world: World,
    n_events: int,
    log: SimulatedLog,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the catalogue of a world and a log of exactly so many views.

    Parameters
    ----------
    world
        Who watches what.
    n_events
        Views to write; see :func:`models.viewing.views` for the limit.
    log
        Where to; folders are made.
    overwrite
        Whether files that are there may be replaced.
    progress
        Called after each chunk with the number of views that it wrote.

    Raises
    ------
    SettingsError
        If the people of the world cannot watch that much.
    InputError
        If a file is there already or cannot be written.
    """
    check_request(world.settings, n_events)
    chunks = ((b"".join(view_lines(world, chunk)), len(chunk)) for chunk in views(world, n_events))
    _write(log, content_lines(world), _told(chunks, progress), overwrite=overwrite)


def write_scenario(
    planting: Planting,
    log: SimulatedLog,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a log into which a scenario is planted, with its catalogue and its truth.

    Faults that add lines make the log longer than it was planned.

    Parameters
    ----------
    planting
        The scenario, and the size of the log.
    log, overwrite, progress
        As in `write_simulation`.

    Raises
    ------
    SettingsError, InputError
        As `write_simulation` does; also if a change shows in no line.
    """
    check_request(planting.ruler.settings, planting.ruler.n_events)
    world, traces = planting.world(), Traces(len(planting.spans))
    chunks = _planted_chunks(planting, world, traces)
    _write(
        log,
        content_lines(world),
        _told(chunks, progress),
        truth=lambda: planting.truth(traces),
        overwrite=overwrite,
    )


def check_request(settings: WorldSettings, n_events: int) -> None:
    """Raise a `SettingsError` unless the users of a world can watch that many times."""
    try:
        check_n_events(settings, n_events)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def view_lines(world: World, chunk: Views) -> Iterator[bytes]:
    """Yield the view events of a chunk as JSON lines."""
    for view in _views(world, chunk):
        yield encode_view(view) + b"\n"


def _views(world: World, chunk: Views) -> Iterator[View]:
    devices = list(DEVICES)
    columns = (
        chunk["user"].tolist(),
        world.titles.number[chunk["title"]].tolist(),
        chunk["event_time"].tolist(),
        chunk["view_time"].tolist(),
        chunk["rating"].tolist(),
        world.people.device[chunk["user"]].tolist(),
    )
    for user, number, event_time, view_time, rating, device in zip(*columns, strict=True):
        yield View(
            f"u{user + 1}",
            f"t{number}",
            event_time,
            _known(view_time),
            _known(rating),
            device=devices[device],
        )


def _planted_chunks(
    planting: Planting, world: World, traces: Traces
) -> Iterator[tuple[bytes, int]]:
    """Yield the lines of a log in chunks, and how many views each was made of."""
    chunks = views(world, planting.ruler.n_events)
    if not planting.fault_places:
        for chunk in chunks:
            traces.note(planting.marks(chunk["changes"]), chunk["event_time"])
            yield b"".join(view_lines(world, chunk)), len(chunk)
        return
    places = (_lines(planting, world, chunk) for chunk in chunks)
    lines = faulty(itertools.chain.from_iterable(places), _faults(planting, world))
    yield from written(lines, traces)


def _lines(planting: Planting, world: World, chunk: Views) -> Iterator[Line]:
    marks = planting.marks(chunk["changes"]).tolist()
    for view, mark in zip(_views(world, chunk), marks, strict=True):
        yield Line(view.event_time, view.event_time, view, None, mark)


def _faults(planting: Planting, world: World) -> list[Fault[Change]]:
    ids = [f"t{number}" for number in world.titles.number.tolist()]
    genres = {name: _genres(world, title) for title, name in enumerate(ids)}
    around = Surroundings(world.settings.seed, genres, ids)
    return [
        Fault(planting.scenario.changes[place], place, planting.spans[place], around)
        for place in planting.fault_places
    ]


def content_lines(world: World) -> Iterator[bytes]:
    """Yield the catalogue of a world as JSON lines, in the order of the public numbers."""
    for title in world.titles.number.argsort().tolist():
        yield msgspec.json.encode(_content(world, title)) + b"\n"


def _content(world: World, title: int) -> ContentMetadata:
    titles = world.titles
    released = _EPOCH + timedelta(seconds=float(titles.released[title]))
    number = int(titles.number[title])
    return ContentMetadata(
        f"t{number}",
        title=f"{title_name(number - 1)} ({released.year})",
        genres=[*_genres(world, title)],
        released=released.date().isoformat(),
        duration=float(titles.duration[title]),
        creators=[creator_name(int(titles.creator[title]))],
    )


def _genres(world: World, title: int) -> list[str]:
    return [GENRES[genre] for genre in world.titles.genres[title].tolist() if genre >= 0]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _told(chunks: Iterable[tuple[bytes, int]], progress: Callable[[int], None]) -> Iterator[bytes]:
    for text, n_views in chunks:
        yield text
        progress(n_views)


def _write(
    log: SimulatedLog,
    content: Iterable[bytes],
    events: Iterable[bytes],
    *,
    truth: Callable[[], list[PlantedChange]] | None = None,
    overwrite: bool,
) -> None:
    if not overwrite:
        refuse_to_replace(log.content, log.events, log.truth)
    try:
        for path in (log.events, log.truth):  # never an old log beside a new catalogue
            path.unlink(missing_ok=True)
        with complete_file(log.content) as file:
            file.writelines(content)
        with complete_file(log.events) as file:
            for text in events:  # a compressing file has no writelines
                file.write(text)
            if truth is not None:
                with complete_file(log.truth) as beside:
                    beside.write(encode_truth(truth()))
    except OSError as error:
        raise InputError(f"cannot write the simulated log: {error}") from error
