"""Alarms of one change, brought together: what drifted, from when to when, and what was done.

An alarm opens an episode, or joins one that is open: one that has the same statistic and scope, or
one whose latest alarm is less than `JOINED` records old. While an input fault is open, lists that
become worse are counted to it. An episode ends when its inputs are back or have settled, and, if
lists became worse, when `QUIET` records have gone by without another alarm.

Numbers of records count what the partition has read, so that nothing depends on batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.alarms import Alarm, Blame, Kind, Reaction, Recovery, Severity

JOINED = 2_000
QUIET = 5_000
MOST_REACTIONS = 64
"""Of an episode's reactions the latest are kept: a fault may come and go for years."""
_RANKS = {Kind.DATA: 0, Kind.CONCEPT: 1, Kind.INPUT_FAULT: 2}


class Episode(msgspec.Struct):
    """One change, as far as it is known.

    Attributes
    ----------
    number
        Of the partition, from 1.
    state
        ``opened``, ``updated`` or ``closed``.
    kind, severity
        The gravest of its alarms': an input fault explains lists that become worse, and these
        matter more than a change of the inputs alone.
    statistic, scope, before, after, detector, what
        Of the first of its alarms of that kind.
    blames
        Scopes that explain most of it, the first of them first.
    onset, detected, ended
        Event times; ``ended`` is NaN while it is open.
    n_alarms
        How many it has had.
    reactions
        What was done about it, latest last: name, scope, event time, and whether begun or ended.
    open_inputs
        Statistics and scopes of inputs that are neither back nor settled.
    first_record, latest_record
        Numbers of the records that raised its first and its latest alarm.
    latest_concept
        Number of the record that last raised an alarm of quality, 0 if none.
    """

    number: int
    state: str
    kind: Kind
    severity: Severity
    statistic: str
    scope: str
    onset: float
    detected: float
    before: float
    after: float
    detector: str
    what: str
    first_record: int
    latest_record: int
    latest_concept: int = 0
    ended: float = math.nan
    n_alarms: int = 1
    blames: list[tuple[str, float, int, float, float]] = []
    reactions: list[tuple[str, str, float, bool]] = []
    open_inputs: list[tuple[str, str]] = []
    members: list[tuple[str, str]] = []

    def is_over(self, record: int) -> bool:
        """Whether nothing keeps it open at a record."""
        return not self.open_inputs and record >= self.latest_concept + (
            QUIET if self.latest_concept else 0
        )


class Episodes:
    """Episodes of one partition, fed with what detectors say in the order of records.

    Attributes
    ----------
    n_opened
        Episodes so far.
    open
        Those that last, oldest first.
    """

    def __init__(self) -> None:
        self.n_opened = 0
        self.open: list[Episode] = []

    def take(self, record: int, notice: Alarm | Recovery | Reaction) -> Iterator[Episode]:
        """Take what was said at a record; yield the episode that it opens, changes or closes."""
        if isinstance(notice, Alarm):
            yield self._take_alarm(record, notice)
        elif isinstance(notice, Recovery):
            yield from self._take_recovery(record, notice)
        else:
            yield from self._take_reaction(notice)

    def next_end(self) -> int | None:
        """Return the first record at which an episode may end by mere quiet, None if none."""
        ends = [e.latest_concept + QUIET for e in self.open if not e.open_inputs]
        return min(ends, default=None)

    def end_quiet(self, record: int, time: float) -> Iterator[Episode]:
        """Close the episodes that are over at a record."""
        for episode in [e for e in self.open if e.is_over(record)]:
            yield self._close(episode, time)

    def _take_alarm(self, record: int, alarm: Alarm) -> Episode:
        episode = self._home_of(record, alarm)
        if episode is None:
            self.n_opened += 1
            episode = _opened(self.n_opened, record, alarm)
            self.open.append(episode)
        else:
            episode.state = "updated"
            episode.n_alarms += 1
            episode.latest_record = record
            if alarm.severity is Severity.DRIFT:
                episode.severity = Severity.DRIFT
            if _RANKS[alarm.kind] > _RANKS[episode.kind]:
                _lead(episode, alarm)
        episode.members += [m for m in _members(alarm) if m not in episode.members]
        if alarm.kind is Kind.CONCEPT:
            episode.latest_concept = record
        elif (alarm.statistic, alarm.scope) not in episode.open_inputs:
            episode.open_inputs.append((alarm.statistic, alarm.scope))
        return episode

    def _home_of(self, record: int, alarm: Alarm) -> Episode | None:
        """Return the open episode that an alarm belongs to."""
        for episode in reversed(self.open):
            if any(member in episode.members for member in _members(alarm)):
                return episode
        for episode in reversed(self.open):
            is_near = record - episode.latest_record <= JOINED
            is_explained = episode.kind is Kind.INPUT_FAULT and alarm.kind is Kind.CONCEPT
            if is_near or is_explained:
                return episode
        return None

    def _take_recovery(self, record: int, recovery: Recovery) -> Iterator[Episode]:
        member = (recovery.statistic, recovery.scope)
        for episode in self.open:
            if member in episode.open_inputs:
                episode.open_inputs.remove(member)
                if episode.is_over(record):
                    yield self._close(episode, recovery.detected)
                return

    def _take_reaction(self, reaction: Reaction) -> Iterator[Episode]:
        for episode in reversed(self.open):
            if (reaction.statistic, reaction.scope) in episode.members:
                entry = (reaction.name, reaction.scope, reaction.at, reaction.is_on)
                episode.reactions.append(entry)
                del episode.reactions[:-MOST_REACTIONS]
                episode.state = "updated"
                yield episode
                return

    def _close(self, episode: Episode, time: float) -> Episode:
        episode.state, episode.ended = "closed", time
        self.open.remove(episode)
        return episode

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the open episodes as arrays: MessagePack, which unlike JSON knows NaN."""
        return {
            "n_opened": np.array([self.n_opened], np.int64),
            "open": np.frombuffer(msgspec.msgpack.encode(self.open), np.uint8),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot."""
        self.n_opened = int(arrays["n_opened"][0])
        self.open = msgspec.msgpack.decode(arrays["open"].tobytes(), type=list[Episode])


def _members(alarm: Alarm) -> list[tuple[str, str]]:
    """Return the statistic in the scope that raised an alarm, and in the one that is to blame."""
    scopes = dict.fromkeys((alarm.scope, *(blame.scope for blame in alarm.blames[:1])))
    return [(alarm.statistic, scope) for scope in scopes]


def _opened(number: int, record: int, alarm: Alarm) -> Episode:
    episode = Episode(
        number=number,
        state="opened",
        kind=alarm.kind,
        severity=alarm.severity,
        statistic=alarm.statistic,
        scope=alarm.scope,
        onset=alarm.onset,
        detected=alarm.detected,
        before=alarm.before,
        after=alarm.after,
        detector=alarm.detector,
        what=alarm.what,
        first_record=record,
        latest_record=record,
    )
    _lead(episode, alarm)
    return episode


def _lead(episode: Episode, alarm: Alarm) -> None:
    """Let an alarm say what the episode is about."""
    blames = alarm.blames or (Blame(alarm.scope, 1.0, alarm.n_events, math.nan, math.nan),)
    episode.kind = alarm.kind
    episode.statistic, episode.scope = alarm.statistic, blames[0].scope
    episode.before, episode.after = alarm.before, alarm.after
    episode.detector, episode.what = alarm.detector, alarm.what
    episode.onset = min(episode.onset, alarm.onset)
    episode.blames = [(b.scope, b.share, b.n_events, b.before, b.after) for b in blames]
