"""Views of a small steady world, and faults planted into them: for tests of inputs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from models.alarms import Alarm, Recovery
from streams.arrivals import Arrival
from streams.events import Origin, View
from streams.pipeline import Handled, Pipeline, Wanted

START_S = 1.6e9
DEVICES, DEVICE_SHARES = ("tv", "phone", "tablet"), (0.4, 0.3, 0.3)
SOURCES = ("home", "search")
Fault = Callable[[View], View]


def steady_views(n: int, seed: int = 1) -> list[View]:
    """Return views of 300 users and 40 titles, ten seconds apart, of which nothing ever changes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 120, 40) * 60.0
    columns = zip(
        rng.integers(300, size=n).tolist(),
        rng.integers(40, size=n).tolist(),
        rng.beta(3, 2, size=n).tolist(),
        rng.integers(1, 11, size=n).tolist(),
        rng.choice(3, size=n, p=DEVICE_SHARES).tolist(),
        rng.choice(2, size=n).tolist(),
        strict=True,
    )
    return [
        View(
            f"u{user}",
            f"t{title}",
            START_S + 10.0 * at,
            view_time=float(lengths[title]) * share,
            rating=float(rating),
            duration=float(lengths[title]),
            device=DEVICES[device],
            source=SOURCES[source],
        )
        for at, (user, title, share, rating, device, source) in enumerate(columns)
    ]


def planted(views: Sequence[View], fault: Fault, begin: int, end: int) -> list[View]:
    """Return the views with a fault in those from ``begin`` to ``end``."""
    return [fault(view) if begin <= at < end else view for at, view in enumerate(views)]


def on(device: str, fault: Fault) -> Fault:
    """Return the fault of one device."""
    return lambda view: fault(view) if view.device == device else view


def with_factor(factor: float) -> Fault:
    """Return the fault of view times in another unit."""
    return lambda view: replace(view, view_time=view.view_time * factor)


def without(field: str) -> Fault:
    """Return the fault of a field that is missing."""
    return lambda view: replace(view, **{field: None})


def skewed(hours: float) -> Fault:
    """Return the fault of clocks that are wrong."""
    return lambda view: replace(view, event_time=view.event_time + 3_600.0 * hours)


def arrivals_of(views: Iterable[View]) -> list[Arrival]:
    """Return views as they arrive."""
    return [Arrival(Origin(at), b"{}", view) for at, view in enumerate(views, start=1)]


def process(pipeline: Pipeline, views: Sequence[View], cuts: Sequence[int] = ()) -> list[Any]:
    """Process views in batches that end at the cuts; return what was noticed, with its place."""
    records, noticed = arrivals_of(views), []
    ends = [*cuts, len(records)]
    for begin, end in zip([0, *ends], ends, strict=False):
        handled: Handled = pipeline.process(records[begin:end], Wanted())
        noticed += [(begin + at, notice) for at, notice in handled.noticed]
    return noticed


def told(noticed: Iterable[tuple[int, Any]]) -> list[tuple[int, str, str]]:
    """Return place, statistic and scope of the alarms of inputs."""
    return [
        (at, notice.statistic, notice.scope)
        for at, notice in noticed
        if isinstance(notice, Alarm) and notice.kind != "concept"
    ]


def recovered(noticed: Iterable[tuple[int, Any]]) -> list[tuple[str, str, bool]]:
    """Return statistic, scope and manner of the recoveries."""
    return [(n.statistic, n.scope, n.is_back) for _, n in noticed if isinstance(n, Recovery)]
