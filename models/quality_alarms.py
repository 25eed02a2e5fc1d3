"""Alarms of the quality detectors in words and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.alarms import ALL, Alarm, Blame, Kind, Severity
from models.attribution import Part, attribute, start_anew
from models.names import ABSENT, Names
from models.packing import prefixed, unprefixed
from models.quality_state import (
    FIRST_DEVICE,
    FIRST_GENRE,
    FIRST_SOURCE,
    HIT_SLOW,
    KNOWN_USERS,
    N_ALARMS,
    N_LABELS,
    NEW_USERS,
    RANK_FAST,
    QualityWatch,
    new_quality_watch,
)

DETECTORS = ("cusum_fast", "cusum_slow", "cusum_slow")
STATISTICS = ("rank", "rank", "hit")
NOTABLE, MATERIAL = 0.1, 0.2
"""A fall of the hit rate by these parts of it that came slowly is worth a look, and a reaction."""


class _Raised(NamedTuple):
    """An alarm as the kernel notes it; see `QualityWatch.alarm_values`."""

    detector: int
    scope: int
    values: list[float]

    @property
    def onset_n(self) -> int:
        return int(self.values[1])


class QualityAlarms:
    """The state of the quality detectors, the labels they watch, and what they say.

    Parameters
    ----------
    k
        Length of a list, for the words.

    Attributes
    ----------
    state : QualityWatch
        What the kernel updates.
    devices, sources : Names
        The first 16 of each that came.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.state: QualityWatch = new_quality_watch()
        self.devices, self.sources = Names(N_LABELS), Names(N_LABELS)

    def row_of(self, label: str | None, names: Names) -> int:
        """Return the number of a device or source, -1 for none and for those beyond the first."""
        return ABSENT if label is None else names.row_of(label)

    def take(self, genres: Names, time: float) -> tuple[Alarm, int] | None:
        """Return the alarm that the last event raised, if one is worth telling, and whose it is.

        Of several the first that is: what others say of the same event is the same. The change
        counts as usual from now on, told or not.
        """
        n = int(self.state.counts[N_ALARMS])
        self.state.counts[N_ALARMS] = 0
        rows = zip(self.state.alarm[:n].tolist(), self.state.alarm_values[:n].tolist(), strict=True)
        graded = []
        for raised in (_Raised(row[0], row[1], values) for row, values in rows):
            parts = attribute(self.state, raised.onset_n, raised.scope)
            graded.append((raised, parts, _severity(raised.detector, parts[0])))
        raised, parts, severity = next((one for one in graded if one[2]), graded[0])
        start_anew(self.state, raised.onset_n, parts[0].scope, time)
        if severity is None:
            return None
        return self._alarm(raised, severity, parts, genres, time), parts[0].scope

    def _alarm(
        self, source: _Raised, severity: Severity, parts: list[Part], genres: Names, time: float
    ) -> Alarm:
        detector, scope, (onset, _, n, before, after) = source
        if detector != HIT_SLOW:
            before, after = 2.0**-before - 1.0, 2.0**-after - 1.0
        blames = tuple(Blame(self.scope_name(part.scope, genres), *part[1:]) for part in parts)
        return Alarm(
            statistic=STATISTICS[detector],
            scope=self.scope_name(scope, genres),
            kind=Kind.CONCEPT,
            severity=severity,
            onset=onset,
            detected=time,
            n_events=int(n),
            before=before,
            after=after,
            detector=DETECTORS[detector],
            what=self._sentence(blames[0]),
            blames=blames,
        )

    def forget(self, rows: list[int]) -> None:
        """Take users off the suspects: their rows will be given to others."""
        is_gone = np.isin(self.state.suspect, rows)
        self.state.suspect[is_gone], self.state.amount[is_gone] = -1, 0.0

    def scope_name(self, scope: int, genres: Names) -> str:
        """Return the name of a scope by its number."""
        if scope >= FIRST_GENRE:
            return f"genre:{genres.name(scope - FIRST_GENRE)}"
        if scope >= FIRST_SOURCE:
            return f"source:{self.sources.name(scope - FIRST_SOURCE)}"
        if scope >= FIRST_DEVICE:
            return f"device:{self.devices.name(scope - FIRST_DEVICE)}"
        return {NEW_USERS: "user:new", KNOWN_USERS: "user:known"}.get(scope, ALL)

    def _sentence(self, blame: Blame) -> str:
        return (
            f"{blame.scope}: recall@{self.k} {blame.before:.3f} -> {blame.after:.3f} over"
            f" {blame.n_events:,} events; {blame.share:.0%} of the loss"
        )

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays."""
        return {
            **prefixed("state", {name: a.copy() for name, a in self.state._asdict().items()}),
            **prefixed("devices", self.devices.snapshot()),
            **prefixed("sources", self.sources.snapshot()),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self.state = QualityWatch(
            **{name: a.copy() for name, a in unprefixed("state", arrays).items()}
        )
        self.devices.restore(unprefixed("devices", arrays))
        self.sources.restore(unprefixed("sources", arrays))


def _severity(detector: int, part: Part) -> Severity | None:
    """Tell how grave a fall is; None if it came slowly and hit rates hardly show it."""
    if detector == RANK_FAST:
        return Severity.DRIFT
    fall = part.before - part.after
    error = np.sqrt(max(part.before * (1.0 - part.before), 1e-6) / max(part.n_events, 1))
    if fall < 2.0 * error or fall < NOTABLE * part.before:
        return None
    return Severity.DRIFT if fall >= MATERIAL * part.before else Severity.WARNING
