"""Raw views on their way through the gate: watched, and not believed where their inputs are faulty.

What is distrusted of a record depends on the records before it alone, and on nothing that the
engine learns, so it may be decided for a whole call before the engine sees any of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from numpy.typing import NDArray

from models import raw_statistics as raw
from models.frequent_labels import NONE, FrequentLabels
from models.input_watch import InputWatch, Notice
from models.raw_statistics import DEVICES, SOURCES
from streams.catalogue import Catalogue
from streams.drift_settings import DriftSettings
from streams.errors import RejectedEvent
from streams.events import View
from streams.quality import CLIPPED_TO_DURATION, CLIPPED_VIEW_TIME, IMPUTED_VIEW_TIME, Admitted

_OUTCOMES = {name: float(number) for number, name in enumerate(raw.OUTCOMES)}
_ACCEPTED, _DUPLICATE = _OUTCOMES["accepted"], _OUTCOMES["duplicate"]
_REPAIRED = IMPUTED_VIEW_TIME | CLIPPED_VIEW_TIME | CLIPPED_TO_DURATION
_ALL_ADMITTED = {Admitted}
_UNREADABLE = View("", "", math.nan)
Became = Admitted | RejectedEvent | None


class Believed(NamedTuple):
    """What is taken of a view while input faults are open.

    Attributes
    ----------
    view
        Without the fields that are not believed.
    clock
        Time instead of the view's own, None to take that.
    may_be_late
        Whether a view far behind the watermark is taken all the same: some clocks are wrong.
    teaches
        Whether the engine learns from it.
    """

    view: View
    clock: float | None = None
    may_be_late: bool = False
    teaches: bool = True


class InputGuard:
    """Watches raw records, and says what of a view to believe.

    Parameters
    ----------
    settings
        What is detected and whether the model is protected.
    catalogue
        Known titles, for their durations; read only. `settle` before it changes.
    """

    def __init__(self, settings: DriftSettings, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.watch = InputWatch(
            patience=settings.patience_events,
            fault_patience=settings.fault_patience_events,
            protects=settings.protect,
        )
        self._distrust = self.watch.distrust
        self._taken: list[View | RejectedEvent] = []
        self._watermarks: list[float] = []
        self._became: list[Became] = []
        self._n_awaited = raw.RECORDS

    def believed(self, view: View | RejectedEvent) -> Believed | None:
        """Return what to take of a view, None for all of it: no input fault is open."""
        distrust = self._distrust
        if not distrust.is_any or isinstance(view, RejectedEvent):
            return None
        view_time, rating = view.view_time, view.rating
        if view_time is not None and (
            self._is_at_fault(raw.VIEW_TIME, view)
            or (self._is_at_fault(raw.IMPLAUSIBLE, view) and self._is_implausible(view_time))
        ):
            view_time = None
        if rating is not None and self._is_at_fault(raw.RATING, view):
            rating = None
        return Believed(
            msgspec.structs.replace(view, view_time=view_time, rating=rating),
            clock=self.watch.time if self._is_at_fault(raw.CLOCK, view) else None,
            may_be_late=bool(distrust.scopes(raw.CLOCK)),
            teaches=view.user_id not in distrust.suspects,
        )

    def _is_at_fault(self, statistic: int, view: View) -> bool:
        """Say whether a statistic is at fault in a scope of the view."""
        watch = self.watch
        scopes = watch.distrust.scopes(statistic)
        if not scopes:
            return False
        device, source = watch.devices.place_of(view.device), watch.sources.place_of(view.source)
        return (
            0 in scopes
            or (device != NONE and DEVICES[device] in scopes)
            or (source != NONE and SOURCES[source] in scopes)
        )

    def _is_implausible(self, view_time: float) -> bool:
        usual = self.watch.watch.levels[raw.VIEW_TIME * raw.N_SCOPES]
        return bool(raw.is_implausible(view_time, float(usual["mean"]), float(usual["spread"])))

    def take(
        self, view: View | RejectedEvent, watermark: float, became: Became
    ) -> Sequence[Notice]:
        """Take in a record as it was decoded, with the watermark before it and what became of it.

        A view that became nothing repeats a recent one.
        """
        taken = self._taken
        taken.append(view)
        self._watermarks.append(watermark)
        self._became.append(became)
        if len(taken) < self._n_awaited:
            return ()
        self.settle()
        self._n_awaited = raw.RECORDS
        return self.watch.end_block()

    def settle(self) -> None:
        """Turn the records taken since into numbers of the open block.

        Labels get their places here, which `believed` does not miss: a place that was never used
        is at fault nowhere, and no label shares one with others while some are free.
        """
        if not self._taken:
            return
        watch, views = self.watch, self._settle_outcomes()
        columns = watch.columns[:, watch.n_records : watch.n_records + len(views)]
        columns[raw.C_VIEW_TIME] = _floats([view.view_time for view in views])
        columns[raw.C_RATING] = _floats([view.rating for view in views])
        columns[raw.C_TIME] = [view.event_time for view in views]
        columns[raw.C_WATERMARK] = self._watermarks
        columns[raw.C_DEVICE] = _places([view.device for view in views], watch.devices)
        columns[raw.C_SOURCE] = _places([view.source for view in views], watch.sources)
        watch.n_records += len(views)
        self._n_awaited = raw.RECORDS - watch.n_records
        self._drop_taken()

    def _drop_taken(self) -> None:
        self._taken.clear()
        self._watermarks.clear()
        self._became.clear()

    def _settle_outcomes(self) -> Sequence[View]:
        """Note what became of records, and whose they are; return the views that they hold."""
        watch, taken, became = self.watch, self._taken, self._became
        columns = watch.columns[:, watch.n_records : watch.n_records + len(taken)]
        if set(map(type, became)) == _ALL_ADMITTED:  # as in most blocks, and quicker
            views, admitted = cast("list[View]", taken), cast("list[Admitted]", became)
            columns[raw.C_OUTCOME] = _ACCEPTED
            watch.users.latest += [view.user_id for view in views]
            columns[raw.C_SHARE] = _floats(
                [
                    self._share(view, each) if each.marks & _REPAIRED else each.watched_share
                    for view, each in zip(views, admitted, strict=True)
                ]
            )
            return views
        columns[raw.C_OUTCOME] = [_outcome(each) for each in became]
        views = [_UNREADABLE if isinstance(view, RejectedEvent) else view for view in taken]
        pairs = list(zip(views, became, strict=True))
        watch.users.latest += [
            view.user_id for view, each in pairs if each is not None and view is not _UNREADABLE
        ]
        columns[raw.C_SHARE] = _floats([self._share(view, each) for view, each in pairs])
        return views

    def _share(self, view: View, became: Became) -> float | None:
        """Return the watched share as it was sent, None where the view time or length is not."""
        if became is None or view.view_time is None:
            return None
        if isinstance(became, Admitted) and not became.marks & _REPAIRED:
            return became.watched_share
        duration = view.duration
        if duration is None:
            content = self.catalogue.get(view.content_id)
            duration = None if content is None else content.duration
        return view.view_time / duration if duration else None

    def forget(self, user_id: str) -> None:
        """Take a user's name off what is remembered of recent records."""
        self.settle()
        self.watch.forget(user_id)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays."""
        self.settle()
        return self.watch.snapshot()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken, with the same settings."""
        self.watch.restore(arrays)
        self._drop_taken()
        self._n_awaited = raw.RECORDS - self.watch.n_records


def _outcome(became: Became) -> float:
    if became is None:
        return _DUPLICATE
    return _OUTCOMES[became.reason] if isinstance(became, RejectedEvent) else _ACCEPTED


def _floats(values: list[float | None]) -> list[float | None] | float:
    """Return what NumPy takes for the values, NaN for None; soon when all are None."""
    return math.nan if _is_absent(values) else values


def _places(values: list[str | None], labels: FrequentLabels) -> Sequence[int] | int:
    return NONE if _is_absent(values) else labels.places(values)


def _is_absent(values: Sequence[object]) -> bool:
    return values[0] is None and values.count(None) == len(values)
