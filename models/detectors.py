"""Detectors of changes behind one small interface, most of them River's.

They see one number an event and say whether it has changed; none of them knows scopes, episodes
or time. They are what driftline's own watches are compared with, and what these are made of:
`models.levels` runs River's Page-Hinkley recursion on arrays.

References
----------
Bifet, Gavalda (2007), Learning from Time-Changing Data with Adaptive Windowing, SDM (ADWIN).
Page (1954), Continuous Inspection Schemes, Biometrika 41 (Page-Hinkley).
Gama, Medas, Castillo, Rodrigues (2004), Learning with Drift Detection, SBIA (DDM).
"""

from __future__ import annotations

from typing import Protocol

from river import drift
from river.drift import binary


class Detector(Protocol):
    """Sees one number after the other and says when they have changed.

    ``update`` is called once an observation, in order. After an alarm the detector has forgotten
    what came before.
    """

    def update(self, value: float) -> bool:
        """Take in an observation; return whether it raises an alarm."""
        ...


class Adwin:
    """River's ADWIN.

    Parameters
    ----------
    delta
        Significance: smaller is surer and slower.

    Examples
    --------
    >>> alarms_of(Adwin(0.002), [0.0] * 300 + [1.0] * 60)
    [319]
    """

    def __init__(self, delta: float = 0.002) -> None:
        self.delta = delta
        self._river = drift.ADWIN(delta=delta)  # type: ignore[no-untyped-call]  # River's

    def update(self, value: float) -> bool:
        self._river.update(value)  # type: ignore[no-untyped-call]  # likewise
        return bool(self._river.drift_detected)


class PageHinkley:
    """River's Page-Hinkley test, without fading.

    Parameters
    ----------
    delta, threshold
        Tolerance a value, and the sum above which it alarms.
    mode
        ``up``, ``down`` or ``both``.

    Examples
    --------
    >>> alarms_of(PageHinkley(0.1, 5.0), [0.0] * 300 + [1.0] * 60)
    [305]
    """

    def __init__(self, delta: float = 0.005, threshold: float = 50.0, mode: str = "both") -> None:
        self.delta = delta
        self.threshold = threshold
        self.mode = mode
        self._river = drift.PageHinkley(delta=delta, threshold=threshold, alpha=1.0, mode=mode)

    def update(self, value: float) -> bool:
        self._river.update(value)  # type: ignore[no-untyped-call]  # likewise
        return bool(self._river.drift_detected)


class Ddm:
    """River's DDM, which watches the share of misses: give it hits.

    Parameters
    ----------
    drift_threshold
        Standard deviations above the least error that make an alarm.

    Examples
    --------
    >>> alarms_of(Ddm(), [1.0, 1.0, 1.0, 0.0] * 100 + [0.0] * 100)
    [423]
    """

    def __init__(self, drift_threshold: float = 3.0) -> None:
        self.drift_threshold = drift_threshold
        self._river = binary.DDM(drift_threshold=drift_threshold)

    def update(self, value: float) -> bool:
        self._river.update(value <= 0.0)  # type: ignore[no-untyped-call]  # likewise
        return bool(self._river.drift_detected)


class EveryN:
    """An alarm every so many observations, whatever they are: what a detector must be better than.

    Examples
    --------
    >>> alarms_of(EveryN(3), [0.0] * 8)
    [2, 5]
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._n_seen = 0

    def update(self, value: float) -> bool:  # noqa: ARG002 (it looks at nothing)
        self._n_seen += 1
        return self._n_seen % self.n == 0


def alarms_of(detector: Detector, values: list[float]) -> list[int]:
    """Return the places of the values that raise an alarm."""
    return [at for at, value in enumerate(values) if detector.update(value)]
