"""Co-visitation in dictionaries and double precision, straight from the equations.

See the docstring of `models.covisitation`; the last-step channel looks back over 5 titles only,
each counting 0.6 of the one after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from models.engine import EngineConfig, View

FORWARD, BACKWARD, FAST, LAST = range(4)
BLEND = (0.4, 0.2, 0.2, 0.2)
N_RECENT, N_RECENT_LAST = 20, 5

Channels = list[float]


class CovisitOracle:
    """Rows of pair counts by name; a weight counts ``worth`` as much as one added now."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.rows: dict[str, dict[str, Channels]] = {}
        self.mass: dict[str, Channels] = {}
        self.watched: dict[str, list[str]] = {}
        self.seen: set[str] = set()
        self.worth = [1.0] * 4

    def learn(self, views: Iterable[View]) -> None:
        for view in views:
            history = self.watched.setdefault(view.user_id, [])
            strength = float(np.float32(view.strength))
            strength *= 1.0 if view.is_positive else self.config.weak_strength
            if view.content_id not in history:
                self._pair(history[: -N_RECENT - 1 : -1], view.content_id, strength)
            else:
                history.remove(view.content_id)
            history.append(view.content_id)
            self.seen.add(view.content_id)
            self._forget()

    def _pair(self, recent: Sequence[str], title: str, strength: float) -> None:
        for d, other in enumerate(recent, start=1):
            pair, last = strength * d**-0.5, strength / d if d <= 3 else 0.0
            self._add(other, title, [pair, 0.0, pair, last])
            self._add(title, other, [0.0, pair, pair, 0.3 * last])

    def _add(self, row: str, title: str, more: Channels) -> None:
        neighbors, mass = self.rows.setdefault(row, {}), self.mass.setdefault(row, [0.0] * 4)
        if title not in neighbors and len(neighbors) == self.config.n_neighbors:
            weakest = min(neighbors, key=lambda x: neighbors[x][FORWARD] + neighbors[x][BACKWARD])
            # A newcomer takes the place of whom it drives out, which decides among equals.
            neighbors = {
                title if x == weakest else x: [0.0] * 4 if x == weakest else weights
                for x, weights in neighbors.items()
            }
            self.rows[row] = neighbors
        weights = neighbors.setdefault(title, [0.0] * 4)
        for c in range(4):
            weights[c] += more[c] / self.worth[c]
            mass[c] += more[c] / self.worth[c]

    def _forget(self) -> None:
        slow = max(self.config.slow_half_life, self.config.events_per_title * len(self.seen))
        fast = slow * self.config.fast_half_life / self.config.slow_half_life
        self.worth = [
            w * 2 ** (-1 / (fast if c == FAST else slow)) for c, w in enumerate(self.worth)
        ]

    def terms(self, user_id: str) -> dict[str, dict[str, Channels]]:
        """Return what each recent title adds to each touched title, as shares of the channels."""
        terms: dict[str, dict[str, Channels]] = {}
        total = [0.0] * 4
        for d, source in enumerate(self.watched[user_id][: -N_RECENT - 1 : -1]):
            decay = [0.6**d * (d < N_RECENT_LAST) if c == LAST else 0.9**d for c in range(4)]
            for x, weights in self.rows.get(source, {}).items():
                mass = [m * w for m, w in zip(self.mass[source], self.worth, strict=True)]
                term = [
                    decay[c] * (mass[c] + 5.0) ** -0.4 * weights[c] * self.worth[c]
                    for c in range(4)
                ]
                terms.setdefault(x, {})[source] = term
                total = [t + more for t, more in zip(total, term, strict=True)]
        for sources in terms.values():
            for term in sources.values():
                term[:] = [w / t if t else 0.0 for w, t in zip(term, total, strict=True)]
        return terms

    def shares(self, user_id: str) -> dict[str, Channels]:
        """Return each touched title's share of the mass of each channel."""
        return {
            x: [sum(term[c] for term in sources.values()) for c in range(4)]
            for x, sources in self.terms(user_id).items()
        }

    def blends(self, user_id: str) -> dict[str, float]:
        """Return each touched title's blended share."""
        return {x: blend(shares) for x, shares in self.shares(user_id).items()}


def blend(shares: Channels) -> float:
    return sum(weight * share for weight, share in zip(BLEND, shares, strict=True))
