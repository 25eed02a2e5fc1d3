"""Axes and their ticks, and how many events a share needs to be believed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitoring.report.markup import Markup, element

Z95 = 1.959964
"""Standard deviations on either side that hold 95 % of a normal distribution."""


class Frame(NamedTuple):
    """A rectangle of a drawing with the values at its edges, in pixels and any unit."""

    left: float
    top: float
    right: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        """Return where a value is from the left, within the frame."""
        low, high = self.x_range
        share = (value - low) / (high - low)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return where a value is from the top, within the frame."""
        low, high = self.y_range
        share = (value - low) / (high - low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)


def ticks(low: float, high: float, n: int) -> list[float]:
    """Return about `n` round values within a range.

    >>> ticks(0, 97_000, 5), ticks(0, 0.23, 4)
    ([0.0, 20000.0, 40000.0, 60000.0, 80000.0], [0.0, 0.05, 0.1, 0.15, 0.2])
    """
    if not high > low:
        return [low]
    rough = (high - low) / n
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((m * unit for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(math.log(s / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def wilson(share: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the ends of the 95 % interval of shares among `n` independent events.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. Journal
    of the American Statistical Association 22(158).

    Examples
    --------
    >>> low, high = wilson(np.array([0.2]), np.array([100.0]))
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.133, 0.289)
    """
    z2 = Z95 * Z95
    n = np.maximum(n, 1.0)
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return middle - half, middle + half


def path(xs: list[float], ys: list[float], *, is_closed: bool = False) -> str:
    """Return the outline through points; it is interrupted where one has no place."""
    steps, is_drawn = [], False
    for x, y in zip(xs, ys, strict=True):
        if math.isnan(y):
            is_drawn = False
            continue
        steps.append(f"{'L' if is_drawn else 'M'}{x:.1f} {y:.1f}")
        is_drawn = True
    return "".join(steps) + ("Z" if is_closed and steps else "")


def svg(name: str, description: str, *content: Markup, **attributes: str | float) -> Markup:
    """Return a drawing that says in words what it shows."""
    words = element("title", name), element("desc", description)
    return element("svg", *words, *content, role="img", **attributes)
