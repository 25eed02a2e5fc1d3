"""Write the log and the catalogue of a simulated world.

Out: ``events.jsonl`` (view events in the order of event time; also .gz, .zst) and
``content.jsonl`` (every title of the world, also those released while the log runs). The same
settings give the same bytes. Each file is written aside and renamed when it is complete, the
catalogue first: what an interrupted run leaves behind is never taken for a log.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec
import zstandard

from models.viewing import Views, check_n_events, views
from streams.errors import InputError, SettingsError
from streams.events import ContentMetadata, View, encode_view
from streams.title_names import GENRES, creator_name, title_name

if TYPE_CHECKING:
    from models.world import World

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
    _check_request(world, n_events)
    for path in (log.content, log.events):
        if path.exists() and not overwrite:
            raise InputError(f"{path} is there already; --force replaces it")
    try:
        log.events.unlink(missing_ok=True)  # never an old log beside a new catalogue
        with _complete_file(log.content) as file:
            file.writelines(content_lines(world))
        with _complete_file(log.events) as file:
            for chunk in views(world, n_events):
                file.write(b"".join(view_lines(world, chunk)))
                progress(len(chunk))
    except OSError as error:
        raise InputError(f"cannot write the simulated log: {error}") from error


def view_lines(world: World, chunk: Views) -> Iterator[bytes]:
    """Yield the view events of a chunk as JSON lines."""
    columns = (
        chunk["user"].tolist(),
        world.titles.number[chunk["title"]].tolist(),
        chunk["event_time"].tolist(),
        chunk["view_time"].tolist(),
        chunk["rating"].tolist(),
    )
    for user, number, event_time, view_time, rating in zip(*columns, strict=True):
        view = View(f"u{user + 1}", f"t{number}", event_time, _known(view_time), _known(rating))
        yield encode_view(view) + b"\n"


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
        genres=[GENRES[genre] for genre in titles.genres[title].tolist() if genre >= 0],
        released=released.date().isoformat(),
        duration=float(titles.duration[title]),
        creators=[creator_name(int(titles.creator[title]))],
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _check_request(world: World, n_events: int) -> None:
    try:
        check_n_events(world.settings, n_events)
    except ValueError as error:
        raise SettingsError(str(error)) from error


@contextmanager
def _complete_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when everything was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as raw, _compressed(raw, path.suffix) as file:
            yield file
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _compressed(raw: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    if suffix == ".gz":
        # neither name nor time in the header: the same log is the same bytes
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
            yield cast("BinaryIO", file)
    elif suffix == ".zst":
        with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as file:
            yield cast("BinaryIO", file)
    else:
        yield raw
