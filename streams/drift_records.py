"""Drift records: episodes as they open, change and close.

Out: ``drift``, one record a change of an episode, in the transaction of the record that brought
it about; in a replay lines of ``--drift``. A record tells all that is known of its episode, so
the latest of an episode is enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from models.alarms import Alarm, Kind, Reaction, Recovery, Severity
from models.episodes import Episode, Episodes
from models.packing import prefixed, unprefixed
from streams.arrivals import Arrival
from streams.events import Origin


class DriftScope(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the events, and its part in a change."""

    scope: Annotated[
        str, Meta(description="all, genre:X, user:new, user:known, device:X or source:X.")
    ]
    share: Annotated[float, Meta(ge=0, le=1, description="Part of the change that it explains.")]
    events: Annotated[int, Meta(description="Its events from the onset to the alarm.")]
    before: Annotated[float | None, Meta(description="Its hit rate before the onset.")] = None
    after: Annotated[float | None, Meta(description="Its hit rate since the onset.")] = None


class DriftReaction(msgspec.Struct, frozen=True):
    """Something that was done about a change, or is no longer."""

    name: Annotated[
        str, Meta(description="What was done, such as fast_side_boosted or view_time_imputed.")
    ]
    scope: Annotated[str, Meta(description="Where.")]
    event_time: Annotated[float, Meta(description="Epoch seconds.")]
    is_on: Annotated[bool, Meta(description="Whether it began; else it ended.")]


class DriftRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Drift record: an episode after something about it changed."""

    episode: Annotated[
        str, Meta(description="Partition and number of the episode, such as 0-17; the key.")
    ]
    state: Annotated[str, Meta(description="opened, updated or closed.")]
    kind: Annotated[
        Kind,
        Meta(description="Lists became worse, the inputs changed, or the inputs are faulty."),
    ]
    severity: Annotated[Severity, Meta(description="Worth a look, or worth a reaction.")]
    statistic: Annotated[str, Meta(description="What showed it first, such as rank.")]
    scopes: Annotated[
        list[DriftScope],
        Meta(description="What has drifted, then others that explain most of the change."),
    ]
    onset: Annotated[float, Meta(description="Epoch seconds of the estimated beginning.")]
    detected: Annotated[float, Meta(description="Epoch seconds of the first alarm.")]
    before: Annotated[float, Meta(description="The statistic before the onset.")]
    after: Annotated[float, Meta(description="The statistic between onset and alarm.")]
    detector: Annotated[str, Meta(description="Which detector saw it first.")]
    alarms: Annotated[int, Meta(description="Alarms that were brought together so far.")]
    what: Annotated[str, Meta(description="The change in words.")]
    ended: Annotated[float | None, Meta(description="Epoch seconds of its end; closed only.")] = (
        None
    )
    reactions: Annotated[list[DriftReaction], Meta(description="What was done about it.")] = []
    line: Annotated[
        int | None, Meta(description="Record of the log that brought this about, from 1.")
    ] = None
    file: Annotated[str | None, Meta(description="Name of the log, when several are read.")] = None
    topic: Annotated[str | None, Meta(description="Topic of the record.")] = None
    partition: Annotated[int | None, Meta(description="Partition of the record.")] = None
    offset: Annotated[int | None, Meta(description="Offset of the record.")] = None


class DriftRecords:
    """Turns what detectors say of a call's records into drift records, in the order of records.

    Parameters
    ----------
    partition
        Number of the partition, part of the episodes' names.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.n_records = 0
        self.episodes = Episodes()

    def take(
        self,
        arrivals: Sequence[Arrival],
        noticed: Iterable[tuple[int, Alarm | Recovery | Reaction]],
        learned: Iterable[tuple[int, float]],
    ) -> list[tuple[int, DriftRecord]]:
        """Return the records of the changes that a call brought about.

        Parameters
        ----------
        arrivals
            The records of the call.
        noticed
            What detectors said, by position; of one position in their order.
        learned
            Positions of the views that were learned, ascending, with their event times.
        """
        first, self.n_records = self.n_records, self.n_records + len(arrivals)
        in_order = sorted(noticed, key=_order)
        times = list(learned) if in_order or self.episodes.open else []
        records: list[tuple[int, DriftRecord]] = []
        for at, notice in in_order:
            records += self._ended(first, at - 1, arrivals, times)
            for episode in self.episodes.take(first + at, notice):
                records.append((at, self._record(episode, arrivals[at].origin)))
        records += self._ended(first, len(arrivals) - 1, arrivals, times)
        return list(_joined(records))

    def _ended(
        self,
        first: int,
        last: int,
        arrivals: Sequence[Arrival],
        times: Sequence[tuple[int, float]],
    ) -> Iterator[tuple[int, DriftRecord]]:
        """Close the episodes that end by quiet up to the position ``last``.

        Each at the first view from then on that is learned, so that the end has a time.
        """
        while (end := self.episodes.next_end()) is not None:
            due = next((pair for pair in times if end - first <= pair[0] <= last), None)
            if due is None:
                return
            at, time = due
            for episode in self.episodes.end_quiet(first + at, time):
                yield at, self._record(episode, arrivals[at].origin)

    def name_of(self, episode: Episode) -> str:
        """Return the name of an episode among those of all partitions."""
        return f"{self.partition}-{episode.number}"

    def _record(self, episode: Episode, origin: Origin) -> DriftRecord:
        return DriftRecord(
            episode=self.name_of(episode),
            state=episode.state,
            kind=episode.kind,
            severity=episode.severity,
            statistic=episode.statistic,
            scopes=[
                DriftScope(scope, round(share, 4), n, _known(before), _known(after))
                for scope, share, n, before, after in episode.blames
            ],
            onset=episode.onset,
            detected=episode.detected,
            before=episode.before,
            after=episode.after,
            detector=episode.detector,
            alarms=episode.n_alarms,
            what=episode.what,
            ended=_known(episode.ended),
            reactions=[
                DriftReaction(name, scope, time, is_on)
                for name, scope, time, is_on in episode.reactions
            ],
            **{
                name: value
                for name, value in msgspec.structs.asdict(origin).items()
                if value is not None
            },
        )

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the open episodes and how many records were read."""
        return {
            "n_records": np.array([self.n_records], np.int64),
            **prefixed("episodes", self.episodes.snapshot()),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self.n_records = int(arrays["n_records"][0])
        self.episodes.restore(unprefixed("episodes", arrays))


def _joined(records: Sequence[tuple[int, DriftRecord]]) -> Iterator[tuple[int, DriftRecord]]:
    """Join what one record brought about an episode; that it was opened then is kept."""
    latest: dict[tuple[int, str], DriftRecord] = {}
    for at, record in records:
        earlier = latest.get((at, record.episode))
        is_opening = earlier is not None and earlier.state == "opened" and record.state == "updated"
        state = "opened" if is_opening else record.state
        latest[at, record.episode] = msgspec.structs.replace(record, state=state)
    for (at, _), record in latest.items():
        yield at, record


def _order(noticed: tuple[int, Alarm | Recovery | Reaction]) -> tuple[int, bool]:
    """Order by position, and there let what is done no more come before the episode's end."""
    at, notice = noticed
    return at, not (isinstance(notice, Reaction) and not notice.is_on)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
