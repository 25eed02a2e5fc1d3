"""The episodes of a run: how many of which kind, and the latest of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.alarms import Kind, Severity
from models.packing import pack_strings, unpack_strings
from streams.drift_files import Story
from streams.drift_records import DriftRecord

KEPT = 100
"""Episodes that are kept one by one, besides those that are open."""
_NO_LINE = -1


class DriftSummary:
    """Counts episodes by their kind and severity as last told, and keeps the latest.

    Attributes
    ----------
    latest : dict[str, DriftRecord]
        The newest record of each episode, in the order in which they opened; beyond `KEPT` the
        oldest that are closed are left out.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = dict.fromkeys((*Kind, *Severity), 0)
        self._lines: dict[str, int] = {}
        self.latest: dict[str, DriftRecord] = {}

    def take(self, records: Iterable[DriftRecord]) -> None:
        """Take the next records of the run."""
        for record in records:
            earlier = self.latest.get(record.episode)
            if earlier is not None:
                self._count(earlier, -1)
            elif record.line is not None:
                self._lines[record.episode] = record.line
            self._count(record, 1)
            self.latest[record.episode] = record
        n_over = len(self.latest) - KEPT
        if n_over > 0:
            closed = [name for name, record in self.latest.items() if record.state == "closed"]
            for name in closed[:n_over]:
                del self.latest[name]
                self._lines.pop(name, None)

    def stories(self) -> list[Story]:
        """Return the episodes of `latest`, each with the line that raised its first alarm."""
        return [Story(record, self._lines.get(name)) for name, record in self.latest.items()]

    def summary(self) -> dict[str, Any]:
        """Return the numbers under the names of ``replay --json``."""
        return {
            "episodes": sum(self._counts[kind] for kind in Kind),
            "open": sum(record.state != "closed" for record in self.latest.values()),
            **{str(name): n for name, n in self._counts.items()},
            "latest": [msgspec.to_builtins(record) for record in self.latest.values()],
        }

    def _count(self, record: DriftRecord, by: int) -> None:
        self._counts[record.kind] += by
        self._counts[record.severity] += by

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays."""
        texts = [msgspec.json.encode(record).decode() for record in self.latest.values()]
        counts = np.array(list(self._counts.values()), np.int64)
        lines = np.array([self._lines.get(name, _NO_LINE) for name in self.latest], np.int64)
        return {"counts": counts, "lines": lines, **pack_strings("latest", texts)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self._counts = dict(zip(self._counts, arrays["counts"].tolist(), strict=True))
        texts = unpack_strings("latest", arrays)
        records = [msgspec.json.decode(text, type=DriftRecord) for text in texts]
        self.latest = {record.episode: record for record in records}
        lines = zip(self.latest, arrays["lines"].tolist(), strict=True)
        self._lines = {name: line for name, line in lines if line != _NO_LINE}
