"""Raw records watched for faults of their making and for changes of the world."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import raw_statistics as raw
from models.alarms import ALL, Alarm, Kind, Reaction, Recovery
from models.busy_users import WINDOW, BusyUsers
from models.day_hours import DayHours
from models.distrust import Distrust, Told
from models.frequent_labels import REST, FrequentLabels
from models.input_sentences import OTHER_UNIT, Change, meaning_of
from models.level_steps import effect
from models.level_watch import DETECTOR, LevelWatch
from models.levels import IS_BACK, RAISED
from models.packing import pack_strings, prefixed, unpack_strings, unprefixed
from models.raw_statistics import DEVICES, N_SCOPES, NAMES, SOURCES, Raw, add_up
from models.scope_blame import ScopeBlame

Notice = Alarm | Recovery | Reaction

_USUALLY_THERE = 0.5
_ALL_TRUSTED = np.ones(raw.RECORDS, np.bool_)


class InputWatch:
    """Statistics of raw records, block by block of 64, by device and by source.

    Each statistic is one observation a record (see `models.raw_statistics`), watched as
    `models.levels` says. What was raised and told stays open until it is back or has settled.
    `distrust` says what of a record is not to be believed meanwhile; it changes only when a block
    ends, that is after a record, so it is the same for every batching.

    A block costs about 20 µs. Memory: 400 levels of 350 bytes, 640 names of users, 128 labels.

    Parameters
    ----------
    patience
        Records of a scope after which a change of the world that lasts counts as usual.
    fault_patience
        The same for input faults.
    protects
        Whether anything is distrusted.

    Attributes
    ----------
    columns : float64[N_COLUMNS, RECORDS]
        The open block, see `models.raw_statistics`; whoever takes in records writes them here.
    n_records : int
        How many records of the block have come.
    devices, sources : FrequentLabels
        Places of the scopes.
    time : float
        Median event time of the last block, which wrong clocks do not move; NaN before.
    distrust : Distrust
        What of a record is not believed.
    """

    def __init__(self, *, patience: int, fault_patience: int, protects: bool) -> None:
        self.patience = patience
        self.fault_patience = fault_patience
        self.devices, self.sources = FrequentLabels(), FrequentLabels()
        self.users, self.hours = BusyUsers(), DayHours()
        self.watch = LevelWatch(raw.rules())
        shape = (len(NAMES), N_SCOPES)
        self._blame = ScopeBlame(
            self.watch.levels.reshape(shape), self.watch.rules.reshape(shape), (DEVICES, SOURCES)
        )
        self.columns = np.zeros((raw.N_COLUMNS, raw.RECORDS))
        self.n_records = 0
        self._is_raised = self.watch.levels["is_raised"]
        self._open: dict[int, Told] = {}
        self.time = math.nan
        self.distrust = Distrust(protects=protects)

    def end_block(self) -> list[Notice]:
        """Look at the `models.raw_statistics.RECORDS` records of the block; return what they show.

        Whoever adds a record calls this when the block is full, and at no other time.
        """
        watch = self.watch
        block = Raw(self.columns, self._clocks_trusted(), watch.levels, watch.rules)
        self.n_records = 0
        middle = add_up(block, watch.added, self.hours.counts)
        self.time = self.time if math.isnan(middle) else middle
        is_window = self._add_windows()
        notices = self._renewed(DEVICES, self.devices) + self._renewed(SOURCES, self.sources)
        notices += self._told(watch.look(self.time, patience=self.fault_patience))
        self._blame.mark()
        is_busy = is_window and raw.USERS * N_SCOPES in self._open
        suspects = self.users.suspects() if is_busy else None
        return notices + list(self.distrust.update(self._open, suspects, self.time))

    def _clocks_trusted(self) -> NDArray[np.bool_]:
        """Say which records' clocks tell the time: all, unless some are known to be wrong."""
        skewed, columns = self.distrust.scopes(raw.CLOCK), self.columns
        if not skewed:
            return _ALL_TRUSTED
        is_trusted = _ALL_TRUSTED.copy()
        for scope in skewed:
            is_device = scope in DEVICES
            first = DEVICES.start if is_device else SOURCES.start
            places = columns[raw.C_DEVICE if is_device else raw.C_SOURCE]
            is_trusted &= places != scope - first
        tells_time = is_trusted & ~np.isnan(columns[raw.C_TIME])
        return is_trusted if tells_time.any() else _ALL_TRUSTED

    def _add_windows(self) -> bool:
        """Add what is observed in windows of its own; say whether one of users has ended."""
        at = raw.HOURS * N_SCOPES
        moved = self.hours.moved(self.time, may_learn=not self._is_raised[at])
        if moved is not None:
            self.watch.added[at] = 1.0, moved, moved * moved
        at = raw.USERS * N_SCOPES
        share = self.users.concentration(may_learn=not self._is_raised[at])
        if share is not None:
            self.watch.added[at] = 1.0, share, share * share
        return share is not None

    def _told(self, found: list[tuple[int, int]]) -> list[Notice]:
        """Return what is worth telling of what was found."""
        notices: list[Notice] = []
        for at, what in found:
            statistic, scope = divmod(at, N_SCOPES)
            if what != RAISED:
                if scope == 0:
                    self._blame.end(statistic)
                notices += self._recovered(at, is_back=what == IS_BACK)
            elif scope == 0 and statistic < raw.N_SCOPED and at not in self._open:
                self._blame.begin(statistic)
            elif self._blame.tells(statistic, scope, self._scopes_told(statistic)):
                notices += self._alarms(at)
        for statistic in self._blame.decided():
            if statistic == raw.REFUSED:
                continue  # the reasons tell it
            notices += self._alarms(statistic * N_SCOPES)
        return notices

    def _scopes_told(self, statistic: int) -> list[int]:
        row = statistic * N_SCOPES
        return [at - row for at in self._open if row <= at < row + N_SCOPES]

    def _recovered(self, at: int, *, is_back: bool) -> list[Notice]:
        """Return the end of what was told of a level, if anything was."""
        told = self._open.pop(at, None)
        if told is None:
            return []
        return [Recovery(NAMES[at // N_SCOPES], told.scope, self.time, is_back)]

    def _alarms(self, at: int) -> list[Notice]:
        """Return the alarm of a raised level, unless it says nothing of its own."""
        statistic, scope = divmod(at, N_SCOPES)
        level, rule = self.watch.levels[at], self.watch.rules[at]
        if NAMES[statistic].startswith("missing:") and level["mean"] > _USUALLY_THERE:
            return []
        meaning = meaning_of(
            Change(
                NAMES[statistic],
                float(level["mean"]),
                float(level["after"]),
                float(level["spread"]),
                float(level["after_spread"]),
                float(effect(level, rule)),
                float(level["onset"]),
            )
        )
        if self._is_consequence(statistic, meaning.kind):
            return []
        if meaning.kind is Kind.DATA:
            level["patience"] = self.patience
        name = self._scope_name(scope)
        self._open[at] = Told(meaning.kind, name)
        return [
            Alarm(
                statistic=NAMES[statistic],
                scope=name,
                kind=meaning.kind,
                severity=meaning.severity,
                onset=float(level["onset"]),
                detected=self.time,
                n_events=int(level["raised_n"]) * (WINDOW if statistic == raw.USERS else 1),
                before=meaning.before,
                after=meaning.after,
                detector=DETECTOR,
                what=meaning.what if name == ALL else f"{name}: {meaning.what}",
            )
        ]

    def _is_consequence(self, statistic: int, kind: Kind) -> bool:
        """Say whether view times in another unit, or some of them, are why a statistic moved."""
        levels = self.watch.levels.reshape(len(NAMES), N_SCOPES)
        is_raised = levels["is_raised"]
        moved = np.abs(levels["after"] - levels["mean"])[raw.VIEW_TIME]
        is_other_unit = bool((is_raised[raw.VIEW_TIME] & (moved >= OTHER_UNIT)).any())
        is_partly = bool(is_raised[raw.IMPLAUSIBLE].any())
        return (
            (statistic == raw.SHARE and (is_other_unit or is_partly))
            or (statistic == raw.IMPLAUSIBLE and is_other_unit)
            or (statistic == raw.VIEW_TIME and kind is Kind.DATA and is_partly)
        )

    def _scope_name(self, scope: int) -> str:
        if scope == 0:
            return ALL
        is_device = scope in DEVICES
        place = scope - (DEVICES if is_device else SOURCES).start
        labels = self.devices if is_device else self.sources
        label = "(rest)" if place == REST else labels.label(place)
        return f"{'device' if is_device else 'source'}:{label}"

    def _renewed(self, scopes: range, labels: FrequentLabels) -> list[Notice]:
        """Begin the levels of scopes anew whose places change hands; end what was told of them."""
        levels = [
            s * N_SCOPES + scopes[place] for place in labels.review() for s in range(raw.N_SCOPED)
        ]
        if levels:
            self.watch.forget(levels)
        return [notice for at in levels for notice in self._recovered(at, is_back=False)]

    def forget(self, user_id: str) -> None:
        """Take a user's name off their events."""
        self.users.forget(user_id)
        self.distrust.suspects -= {user_id}

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays; what is distrusted follows from the rest."""
        arrays: dict[str, NDArray[Any]] = {
            "records": self.columns[:, : self.n_records].T.flatten(),
            "time": np.array([self.time]),
            "open": np.array(list(self._open), np.int64),
            "is_fault": np.array(
                [told.kind is Kind.INPUT_FAULT for told in self._open.values()], np.bool_
            ),
            **pack_strings("scopes", (told.scope for told in self._open.values())),
        }
        for name, part in self._parts().items():
            arrays |= prefixed(name, part.snapshot())
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken, with the same settings."""
        records = arrays["records"].reshape(-1, raw.N_COLUMNS)
        self.n_records = len(records)
        self.columns[:, : self.n_records] = records.T
        self.time = float(arrays["time"][0])
        kinds = [Kind.INPUT_FAULT if fault else Kind.DATA for fault in arrays["is_fault"].tolist()]
        told = map(Told, kinds, unpack_strings("scopes", arrays))
        self._open = dict(zip(arrays["open"].tolist(), told, strict=True))
        for name, part in self._parts().items():
            part.restore(unprefixed(name, arrays))
        for _ in self.distrust.update(self._open, self.users.suspects(), self.time):
            pass  # was told before the snapshot

    def _parts(self) -> dict[str, Any]:
        return {
            "devices": self.devices,
            "sources": self.sources,
            "users": self.users,
            "hours": self.hours,
            "levels": self.watch,
            "blame": self._blame,
        }
