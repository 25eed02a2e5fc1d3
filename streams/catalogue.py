"""What is known about titles."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from models.packing import pack_strings, unpack_strings
from streams.events import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np


class Catalogue:
    """Titles by their id, at most so many; the one whose news are oldest leaves first.

    About 230 bytes a title, and its texts.

    Parameters
    ----------
    max_titles
        Largest number of titles.

    Examples
    --------
    >>> catalogue = Catalogue(max_titles=2)
    >>> for content_id in ("1", "2", "3"):
    ...     catalogue.put(Content(content_id, title=f"Part {content_id}"))
    >>> catalogue.get("1"), catalogue.get("3").title, len(catalogue)
    (None, 'Part 3', 2)
    """

    def __init__(self, max_titles: int = 200_000) -> None:
        self.max_titles = max_titles
        self._titles: OrderedDict[str, Content] = OrderedDict()

    def get(self, content_id: str) -> Content | None:
        """Return the title, None when it is not in the catalogue."""
        return self._titles.get(content_id)

    def put(self, content: Content) -> None:
        """Add a title or replace what was known about it."""
        self._titles[content.content_id] = content
        self._titles.move_to_end(content.content_id)
        if len(self._titles) > self.max_titles:
            self._titles.popitem(last=False)

    def withdraw(self, content_id: str) -> None:
        """Take a title out; one that is not there is no error."""
        self._titles.pop(content_id, None)

    def __len__(self) -> int:
        return len(self._titles)

    def __iter__(self) -> Iterator[Content]:
        return iter(self._titles.values())

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return the titles as JSON, oldest news first."""
        return pack_strings("titles", (msgspec.json.encode(title).decode() for title in self))

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue where the snapshot was taken."""
        decoder = msgspec.json.Decoder(Content)
        titles = map(decoder.decode, unpack_strings("titles", arrays))
        self._titles = OrderedDict((title.content_id, title) for title in titles)
