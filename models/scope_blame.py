"""Whether a change of everything is the change of a few scopes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled

EVERYTHING = frozenset({0})
FEWEST = 16
"""Observations of a scope since the change that say something about it."""
MOST_BLOCKS_UNDECIDED = 16
MOST_BLOCKS_WAITED = 128
SURE = 2.0
TWICE = 2.0
SEVERAL = 2
KNOWN_AFTER = 8
"""Blocks after which the usual level of a scope is known well enough to compare moves with."""


@compiled
def mark(levels: NDArray[Any], n_scoped: int, marks: NDArray[np.float64]) -> None:
    """Note what scopes had seen when the sums of everything's test were at their extremes."""
    for statistic in range(n_scoped):
        whole = levels[statistic, 0]
        if whole.is_raised:
            continue
        for side in range(2):
            is_calm = whole.rise == whole.least_rise if side == 0 else whole.fall == whole.most_fall
            if is_calm or whole.tested == 0:
                for scope in range(levels.shape[1]):
                    marks[statistic, side, scope, 0] = levels[statistic, scope].ever_n
                    marks[statistic, side, scope, 1] = levels[statistic, scope].ever_total


class ScopeBlame:
    """For each statistic of which everything has changed: everything, or which scopes.

    A change of everything is held back until it is clear whose it is. When, of one dimension
    (devices, sources), some scopes have clearly moved by more than half of the largest move and
    others clearly have not, it is the change of the former: their own alarms tell it. When several
    have moved and none has not, or nothing can be said for 16 blocks, it is told as a change of
    everything, and scopes that moved like everything stay silent. So do scopes of one dimension
    when one of the other has moved twice as far the same way.

    Parameters
    ----------
    levels, rules
        Arrays of (statistics × scopes): `models.levels.LEVEL` and ``RULE``; scope 0 is everything.
    dimensions
        The scopes of each dimension.

    Attributes
    ----------
    culprits : dict[int, frozenset[int]]
        By statistic, the scopes whose change it is; 0 is everything.
    """

    def __init__(
        self, levels: NDArray[Any], rules: NDArray[Any], dimensions: Sequence[range]
    ) -> None:
        self._levels = levels
        self._rules = rules
        self._dimensions = dimensions
        self._n_scoped = int(np.count_nonzero(rules["block"][:, dimensions[0][0]]))
        self._marks = np.zeros((self._n_scoped, 2, levels.shape[1], 2))
        self.culprits: dict[int, frozenset[int]] = {}
        self._waited: dict[int, int] = {}

    def mark(self) -> None:
        """Note how far scopes have come; to be called after each look at the levels."""
        mark(self._levels, self._n_scoped, self._marks)

    def begin(self, statistic: int) -> None:
        """Everything of a statistic has changed (or changed further)."""
        self.culprits.pop(statistic, None)
        self._waited[statistic] = 0

    def end(self, statistic: int) -> None:
        """Everything of a statistic is as usual."""
        self.culprits.pop(statistic, None)
        self._waited.pop(statistic, None)

    def tells(self, statistic: int, scope: int, told: Collection[int]) -> bool:
        """Say whether the change of a scope is news beside the scopes of which it was told."""
        moved = self._moved(statistic, scope)
        others = (s for dimension in self._dimensions if scope not in dimension for s in dimension)
        if scope and any(self._has_moved_far(statistic, other, moved, told) for other in others):
            return False
        culprits = self.culprits.get(statistic)
        if culprits is None or scope in culprits:
            return True
        usual = self._moved(statistic, 0)
        return moved * usual < 0.0 or abs(moved) > TWICE * abs(usual)

    def _has_moved_far(
        self, statistic: int, other: int, moved: float, told: Collection[int]
    ) -> bool:
        """Say whether a scope has moved at least twice as far the same way."""
        if other in told:
            theirs = self._moved(statistic, other)
            return moved * theirs > 0.0 and abs(theirs) >= TWICE * abs(moved)
        move = self._move(statistic, other, is_up=moved > 0.0)
        return move is not None and move[0] - move[1] >= TWICE * abs(moved)

    def _moved(self, statistic: int, scope: int) -> float:
        level = self._levels[statistic, scope]
        return float(level["after"] - level["mean"])

    def decided(self) -> Iterator[int]:
        """Yield the statistics whose change is to be told as one of everything from now on."""
        for statistic in list(self._waited):
            waited = self._waited[statistic]
            self._waited[statistic] = waited + 1
            culprits = self.culprits.get(statistic) or self._culprits(statistic)
            if culprits is None and waited < MOST_BLOCKS_UNDECIDED:
                continue
            self.culprits[statistic] = culprits = culprits or EVERYTHING
            if culprits != EVERYTHING:
                if any(self._levels[statistic, scope]["is_raised"] for scope in culprits):
                    del self._waited[statistic]
                    continue
                if waited < MOST_BLOCKS_WAITED:
                    continue
                self.culprits[statistic] = EVERYTHING
            del self._waited[statistic]
            yield statistic

    def _culprits(self, statistic: int) -> frozenset[int] | None:
        """Return whose change it is, None while it is not clear."""
        whole = self._levels[statistic, 0]
        is_up = bool(whole["after"] > whole["mean"])
        found, n_large, n_known = [], 0, 0
        for dimension in self._dimensions:
            moves = {
                scope: move
                for scope in dimension
                if (move := self._move(statistic, scope, is_up=is_up)) is not None
            }
            half = 0.5 * max((move for move, _ in moves.values()), default=0.0)
            large = {scope for scope, (move, error) in moves.items() if move - error > half}
            small = {scope for scope, (move, error) in moves.items() if move + error < half}
            if large and small:
                found.append(frozenset(large))
            n_large, n_known = max(n_large, len(large)), max(n_known, len(moves))
        if found:
            return min(found, key=len)
        return EVERYTHING if n_known < SEVERAL or n_large >= SEVERAL else None

    def _move(self, statistic: int, scope: int, *, is_up: bool) -> tuple[float, float] | None:
        """Return how far a scope has moved the way that everything has, and the error of that."""
        level, rule = self._levels[statistic, scope], self._rules[statistic, scope]
        if level["n_blocks"] < KNOWN_AFTER:
            return None
        n_before, total_before = self._marks[statistic, 0 if is_up else 1, scope].tolist()
        n = float(level["ever_n"]) - n_before
        if n < FEWEST:
            return None
        move = (float(level["ever_total"]) - total_before) / n - float(level["mean"])
        error = SURE * math.sqrt(max(level["spread"], rule["least_spread"]) / n)
        return (move if is_up else -move), error

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what is decided and what is not."""
        pairs = [(s, scope) for s, scopes in self.culprits.items() for scope in sorted(scopes)]
        return {
            "marks": self._marks.copy(),
            "culprits": np.array(pairs, np.int64).reshape(-1, 2),
            "waited": np.array(list(self._waited.items()), np.int64).reshape(-1, 2),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        self._marks[:] = arrays["marks"]
        self.culprits = {}
        for statistic, scope in arrays["culprits"].tolist():
            known = self.culprits.get(statistic, frozenset())
            self.culprits[statistic] = known | {scope}
        self._waited = dict(arrays["waited"].tolist())
