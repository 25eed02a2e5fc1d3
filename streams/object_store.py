"""Snapshots in object storage: S3 and what speaks like it, Google Cloud Storage, Azure.

An object appears whole or not at all, and there is no rename. So the manifest is uploaded last and
removed first: a crash between leaves objects without a manifest, which are no snapshot and go when
an older snapshot goes. A large object is sent and fetched in pieces, several at a time, so no
call takes long and the memory is that of the pieces in flight. What is sent or fetched stands in a
temporary file meanwhile, which has no name by then and goes with the process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from obstore.exceptions import BaseError
from obstore.store import from_url

from streams.background import in_background
from streams.errors import SettingsError, StoreError
from streams.store_options import split_options
from streams.stores import MANIFEST_FILE, Stored

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

PIECE = 16 << 20
"""Bytes of one request: S3 takes 10,000 a file, so a state may have 156 GiB."""
N_LANES = 4
"""Pieces under way at a time; one connection alone seldom fills a network."""
_MAX_PAUSE_S = 5.0
_MANY_TRIES = 1_000  # the time decides
_ERRORS = (BaseError, OSError, ValueError)
# Pre-signed and SAS addresses carry their signature there.
_QUERY = re.compile(r"\?\S+")


def connected(url: str, options: Mapping[str, str], budget_s: float) -> ObjectStore:
    """Make the client of a URL; nothing is asked of the storage yet.

    Raises
    ------
    SettingsError
        The URL or an option is refused.
    """
    return ObjectStore(url.rstrip("/"), "", _client(url, tuple(options.items()), budget_s))


@cache
def _client(url: str, options: tuple[tuple[str, str], ...], budget_s: float) -> Client:
    """Make a client, or give the one that is there: it holds connections and credentials."""
    config, client = split_options(dict(options))
    retry: dict[str, Any] = {
        "max_retries": _MANY_TRIES,
        "retry_timeout": timedelta(seconds=budget_s),
        "backoff": {"max_backoff": timedelta(seconds=_MAX_PAUSE_S)},
    }
    given: dict[str, Any] = {"config": config, "client_options": client}
    given = {"retry_config": retry, **{name: some for name, some in given.items() if some}}
    try:
        made: Client = from_url(url, **given)
    except _ERRORS as error:
        raise SettingsError(f"{url}: {_sentence(error)}") from error
    return made


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A prefix of a bucket.

    Parameters
    ----------
    url
        What a person calls it.
    prefix
        Below the URL, empty or with a slash at its end.
    client
        Of obstore, on the URL.
    """

    url: str
    prefix: str
    client: Client = field(compare=False, repr=False)

    def __truediv__(self, name: str) -> ObjectStore:
        return ObjectStore(self.url, f"{self.prefix}{name}/", self.client)

    def __str__(self) -> str:
        return f"{self.url}/{self.prefix}".rstrip("/")

    def files(self) -> dict[str, Stored]:
        with self._answers("cannot list it"):
            return {
                about["path"].removeprefix(self.prefix): Stored(
                    about["size"], about["last_modified"].timestamp()
                )
                for some in self.client.list(self.prefix or None)
                for about in some
            }

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        with TemporaryFile() as file:
            try:
                self._download(self.prefix + name, file.fileno())
            except FileNotFoundError:
                raise FileNotFoundError(f"{name} is not there") from None
            except _ERRORS as error:
                raise StoreError(f"{self}/{name}: cannot fetch it: {_sentence(error)}") from error
            yield Path(f"/dev/fd/{file.fileno()}")

    @contextmanager
    def draft(self, name: str) -> Iterator[ObjectDraft]:
        self.remove(name)
        yield ObjectDraft(self / name)

    def remove(self, name: str) -> None:
        place = self / name
        # The order of the keys in one request is not that of their ends.
        names = sorted(place.files(), key=lambda file: file != MANIFEST_FILE)
        with place._answers("cannot be removed"):  # noqa: SLF001  another of this class
            for file in names:
                self.client.delete(f"{self.prefix}{name}/{file}")

    def upload(self, file: BinaryIO, name: str) -> None:
        """Send what an open file holds.

        Raises
        ------
        StoreError
            It did not arrive whole, and is not there.
        """
        with self._answers(f"cannot send {name}"):
            key = self.prefix + name
            self.client.put(key, file, chunk_size=PIECE, max_concurrency=N_LANES)

    def _download(self, key: str, descriptor: int) -> None:
        """Write an object into a file, each lane every so manieth piece."""
        size = self.client.head(key)["size"]
        lanes = [
            in_background(
                partial(self._fetch, key, descriptor, size, range(first, size, N_LANES * PIECE)),
                "snapshot download",
            )
            for first in range(0, min(size, N_LANES * PIECE), PIECE)
        ]
        wait(lanes)  # the descriptor may not be closed before
        for lane in lanes:
            lane.result()

    def _fetch(self, key: str, descriptor: int, size: int, starts: range) -> None:
        for start in starts:
            length = min(PIECE, size - start)
            piece = memoryview(self.client.get_range(key, start=start, length=length))
            done = 0
            while done < length:
                done += os.pwrite(descriptor, piece[done:], start + done)

    @contextmanager
    def _answers(self, complaint: str) -> Iterator[None]:
        try:
            yield
        except _ERRORS as error:
            raise StoreError(f"{self}: {complaint}: {_sentence(error)}") from error


class ObjectDraft:
    """Objects of a place, in the order in which they are sent."""

    def __init__(self, place: ObjectStore) -> None:
        self._place = place

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        with TemporaryDirectory(prefix="driftline-") as folder:
            path = Path(folder, name)
            yield path
            file = path.open("rb")
        with file:  # its name is gone, so that a kill leaves nothing on the disk
            self._place.upload(file, name)


def _sentence(error: Exception) -> str:
    r"""Give what the library says for people, in one line, without signatures.

    Examples
    --------
    >>> _sentence(ValueError("GET http://host/key?sig=abc:\n <Code>Slow\n\nDebug source: x"))
    'GET http://host/key <Code>Slow'
    """
    text = str(error).partition("\n\nDebug source")[0]
    return " ".join(_QUERY.sub("", text).split())
