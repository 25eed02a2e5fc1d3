"""The most frequent labels of a stream, each with a place of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.packing import pack_strings, unpack_strings

N_PLACES = 8
REST, NONE = N_PLACES, -1
MOST_COUNTED = 64
REVIEW_EVERY = 4_096


class FrequentLabels:
    """Places for the 8 most frequent labels, of however many there are.

    Labels are counted by Misra and Gries's algorithm with 64 counters: a label without a counter
    takes one from every label that has one. A free place goes to the first label that comes. Every
    4,096 labels the places are reviewed: a label without one takes that of the rarest if it is
    twice as frequent; then all counts are halved, so that the past fades.

    Memory: 64 labels. Cost: constant time a label, amortised.

    References
    ----------
    Misra, Gries (1982), Finding Repeated Elements, Science of Computer Programming 2, 2.

    Examples
    --------
    >>> devices = FrequentLabels()
    >>> [devices.place(label) for label in ("tv", "phone", "tv", None)]
    [0, 1, 0, -1]
    >>> devices.label(1)
    'phone'
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._n_since_review = 0

    def place(self, label: str | None) -> int:
        """Count a label and return its place, ``REST`` when it has none, ``NONE`` for no label."""
        if label is None:
            return NONE
        counts = self._counts
        if label in counts:
            counts[label] += 1
        elif len(counts) < MOST_COUNTED:
            counts[label] = 1
            if len(self._places) < N_PLACES:
                self._places.setdefault(label, len(self._places))
        else:
            self._counts = {name: n - 1 for name, n in counts.items() if n > 1}
        self._n_since_review += 1
        return self._places.get(label, REST)

    def places(self, labels: Sequence[str | None]) -> Sequence[int]:
        """Count labels in order and return the place of each, as `place` does one by one."""
        present = [label for label in labels if label is not None]
        n_of, counts = Counter(present), self._counts
        if not n_of.keys() <= counts.keys():
            return [self.place(label) for label in labels]
        for label, n in n_of.items():
            counts[label] += n
        self._n_since_review += len(present)
        table = {label: self.place_of(label) for label in n_of}
        return [NONE if label is None else table[label] for label in labels]

    def place_of(self, label: str | None) -> int:
        """Return the place of a label without counting it."""
        return NONE if label is None else self._places.get(label, REST)

    def label(self, place: int) -> str:
        """Return the label in a place."""
        return next((name for name, at in self._places.items() if at == place), "")

    def review(self) -> list[int]:
        """Give places to labels that have become frequent; return the places that changed hands.

        Does nothing before it is due.
        """
        if self._n_since_review < REVIEW_EVERY:
            return []
        self._n_since_review = 0
        changed = []
        ordered = sorted(self._counts, key=lambda name: (-self._counts[name], name))
        for name in ordered[:N_PLACES]:
            if name in self._places:
                continue
            rarest = min(self._places, key=lambda held: (self._counts.get(held, 0), held))
            if self._counts[name] < 2 * self._counts.get(rarest, 0):
                continue
            self._places[name] = self._places.pop(rarest)
            changed.append(self._places[name])
        self._counts = {name: n // 2 for name, n in self._counts.items() if n > 1}
        return changed

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the labels with their places and counts."""
        return {
            **pack_strings("placed", self._places),
            "places": np.array(list(self._places.values()), np.int64),
            **pack_strings("counted", self._counts),
            "counts": np.array(list(self._counts.values()), np.int64),
            "since_review": np.array([self._n_since_review], np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        placed, counted = unpack_strings("placed", arrays), unpack_strings("counted", arrays)
        self._places = dict(zip(placed, arrays["places"].tolist(), strict=True))
        self._counts = dict(zip(counted, arrays["counts"].tolist(), strict=True))
        self._n_since_review = int(arrays["since_review"][0])
