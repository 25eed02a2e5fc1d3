"""How commands let themselves be watched: observers and a server, built from the settings."""

from __future__ import annotations

import errno
import logging
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monitoring.backfill import Backfill
    from monitoring.exporter import Exporter
    from monitoring.metrics import Metrics
    from streams.observing import Observers
    from streams.settings import Settings
    from streams.stop import Stop
    from streams.worker_settings import MonitoringSettings

FIRST_PORT = 9108
N_PORTS = 64
_log = logging.getLogger(__name__)
TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})


class Address(NamedTuple):
    """Where to serve; the port 0 takes a free one."""

    host: str
    port: int


@contextmanager
def watched_worker(settings: Settings, stop: Stop) -> Iterator[Observers]:
    """Give who watches a worker, and serve what they know meanwhile.

    Raises
    ------
    SettingsError
        The port that is set cannot be had.
    """
    from streams.observing import Observers

    observers = Observers()
    metrics = new_metrics(settings, observers, is_draining=lambda: stop.is_asked)
    exporter = exporter_of(metrics, settings.monitoring)
    if exporter is None:
        if settings.monitoring.port:
            _log.warning("no metrics: no port from %d on is free", FIRST_PORT)
        yield observers
        return
    observers.observers.append(metrics)
    with exporter:
        _log.info("metrics at %s/metrics", exporter.address)
        yield observers


def new_metrics(
    settings: Settings, observers: Observers, *, is_draining: Callable[[], bool] = lambda: False
) -> Metrics:
    """Return metrics with the values that their labels have under these settings."""
    from models.feature_names import FEATURES
    from models.outcomes import SEGMENTS
    from models.state import POPULARITY_NAMES
    from monitoring.metrics import Metrics, Names
    from streams.drift_telling import REACTIONS, STATISTICS
    from streams.judged import models_of

    topics = settings.topics
    names = Names(
        k=settings.engine.k,
        input_topic=topics.views,
        output_topics=(topics.recommendations, topics.dead_letter, topics.outcomes, topics.drift),
        models=models_of(POPULARITY_NAMES),
        segments=tuple(SEGMENTS),
        features=FEATURES,
        statistics=STATISTICS,
        reactions=REACTIONS,
        version=_version(),
    )
    return Metrics(names, n_failures=lambda: observers.n_failures, is_draining=is_draining)


def exporter_at(metrics: Metrics, address: Address, *, healthy_within_s: float) -> Exporter:
    """Return a server of metrics at an address that was asked for.

    Raises
    ------
    SettingsError
        It cannot be had.
    """
    from monitoring.exporter import Exporter
    from streams.errors import SettingsError

    host, port = address
    try:
        return Exporter(metrics, host=host, port=port, healthy_within_s=healthy_within_s)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"metrics cannot be served at {host}:{port}: {reason}; choose another port"
        ) from error


def exporter_of(metrics: Metrics, settings: MonitoringSettings) -> Exporter | None:
    """Return the server that the settings ask for; None for none, or when no port is free.

    Raises
    ------
    SettingsError
        The port that is set cannot be had.
    """
    from streams.errors import SettingsError

    ports: Sequence[int] = (settings.port,) if settings.port > 0 else ()
    if settings.port < 0:
        ports = range(FIRST_PORT, FIRST_PORT + N_PORTS)
    for port in ports:
        address = Address(settings.host, port)
        try:
            return exporter_at(metrics, address, healthy_within_s=settings.healthy_within_s)
        except SettingsError as error:
            cause = error.__cause__
            if settings.port > 0 or not (isinstance(cause, OSError) and cause.errno in TAKEN):
                raise
    return None


@contextmanager
def backfill_of(metrics: Metrics, path: str, *, step_s: float) -> Iterator[Backfill]:
    """Give what notes metrics at event times; they are written to a file at the end.

    Raises
    ------
    InputError
        It cannot be written.
    """
    from monitoring.backfill import Backfill
    from streams.errors import InputError

    try:
        with Backfill(metrics, path, step_s=step_s) as backfill:
            yield backfill
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror}") from error


def parse_address(text: str) -> Address:
    """Return where to serve: a port of this machine such as ``:9108``, or ``HOST:PORT``.

    Raises
    ------
    SettingsError
        It is neither.
    """
    from streams.errors import SettingsError

    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):  # noqa: PLR2004  16 bits
        raise SettingsError(f"{text!r} is no address to serve metrics at; give :PORT or HOST:PORT")
    return Address(host or "127.0.0.1", int(port))


def _version() -> str:
    try:
        return version("driftline")
    except PackageNotFoundError:
        return "unknown"
