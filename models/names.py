"""Names of users, titles, genres and creators, and the dense rows they stand in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.packing import pack_strings, unpack_strings

ABSENT = -1


class Names:
    """A two-way table of names and rows; freed rows are given out again, latest freed first.

    Memory: about 150 bytes a name beside the text itself.

    Parameters
    ----------
    limit
        Most names at a time.
    first_row
        Rows below are reserved.

    Examples
    --------
    >>> names = Names(limit=2)
    >>> names.add("a"), names.add("b"), names.is_full
    (0, 1, True)
    >>> names.remove([0])
    >>> names.add("c"), names.row("a"), names.name(0)
    (0, -1, 'c')
    """

    def __init__(self, limit: int, first_row: int = 0) -> None:
        self.limit = limit
        self.first_row = first_row
        self._rows: dict[str, int] = {}
        self._names: list[str] = [""] * first_row
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    @property
    def n_rows(self) -> int:
        """Rows ever given out, reserved ones included."""
        return len(self._names)

    @property
    def is_full(self) -> bool:
        """Whether a further name needs room to be made first."""
        return len(self._rows) >= self.limit

    def row(self, name: str) -> int:
        """Return the row of a name, or -1."""
        return self._rows.get(name, ABSENT)

    def name(self, row: int) -> str:
        """Return the name in a row."""
        return self._names[row]

    def row_of(self, name: str) -> int:
        """Return the row of a name, adding it while there is room; -1 when there is none."""
        row = self._rows.get(name, ABSENT)
        return self.add(name) if row == ABSENT and not self.is_full else row

    def add(self, name: str) -> int:
        """Give a new name a row."""
        if self._free:
            row = self._free.pop()
            self._names[row] = name
        else:
            row = len(self._names)
            self._names.append(name)
        self._rows[name] = row
        return row

    def remove(self, rows: list[int]) -> None:
        """Free rows."""
        for row in rows:
            del self._rows[self._names[row]]
            self._names[row] = ""
        self._free.extend(rows)

    def in_use(self) -> NDArray[np.int32]:
        """Return the rows that hold a name, ascending."""
        used = np.ones(self.n_rows, np.bool_)
        used[: self.first_row] = False
        used[self._free] = False
        return np.flatnonzero(used).astype(np.int32)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return names by row and the free rows in the order they were freed."""
        return {**pack_strings("names", self._names), "free": np.array(self._free, np.int64)}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self._names = unpack_strings("names", arrays)
        self._free = arrays["free"].tolist()
        free = {*range(self.first_row), *self._free}
        self._rows = {name: row for row, name in enumerate(self._names) if row not in free}
