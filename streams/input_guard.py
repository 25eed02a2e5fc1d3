"""Raw views on their way through the gate: watched, and not believed where their inputs are faulty.

What is distrusted of a record depends on the records before it alone, and on nothing that the
engine learns, so it may be decided for a whole call before the engine sees any of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from numpy.typing import NDArray

from models import raw_statistics as raw
from models.frequent_labels import NONE
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
_FULL = raw.RECORDS * raw.N_COLUMNS
_NAN = math.nan
_NOTHING = (math.nan,) * 4
_NO_PLACE = float(NONE)


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
        Known titles, for their durations; read only.
    """

    def __init__(self, settings: DriftSettings, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.watch = InputWatch(
            patience=settings.patience_events,
            fault_patience=settings.fault_patience_events,
            protects=settings.protect,
        )

    def believed(self, view: View | RejectedEvent) -> Believed | None:
        """Return what to take of a view, None for all of it: no input fault is open."""
        distrust = self.watch.distrust
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
        self,
        view: View | RejectedEvent,
        watermark: float,
        became: Admitted | RejectedEvent | None,
    ) -> Sequence[Notice]:
        """Take in a record as it was decoded, with the watermark before it and what became of it.

        A view that became nothing repeats a recent one.
        """
        watch = self.watch
        if isinstance(view, RejectedEvent):
            outcome = _OUTCOMES[view.reason]
            watch.records.extend((*_NOTHING, watermark, outcome, _NO_PLACE, _NO_PLACE))
            return self._notices()
        share, outcome = None, _DUPLICATE
        if became is not None:
            watch.users.latest.append(view.user_id)
            share = self._share(view, became)
            outcome = _OUTCOMES[became.reason] if isinstance(became, RejectedEvent) else _ACCEPTED
        view_time, rating, device, source = view.view_time, view.rating, view.device, view.source
        watch.records.extend(
            (
                _NAN if view_time is None else view_time,
                _NAN if share is None else share,
                _NAN if rating is None else rating,
                view.event_time,
                watermark,
                outcome,
                _NO_PLACE if device is None else watch.devices.place(device),
                _NO_PLACE if source is None else watch.sources.place(source),
            )
        )
        return self._notices()

    def _notices(self) -> Sequence[Notice]:
        return self.watch.end_block() if len(self.watch.records) == _FULL else ()

    def _share(self, view: View, became: Admitted | RejectedEvent) -> float | None:
        """Return the watched share as it was sent, None where the view time or length is not."""
        if view.view_time is None:
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
        self.watch.forget(user_id)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays."""
        return self.watch.snapshot()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken, with the same settings."""
        self.watch.restore(arrays)
