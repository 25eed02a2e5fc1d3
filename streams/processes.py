"""``driftline worker --processes N``: what the workers are called with, each with its own slot."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams import heartbeat
from streams.exit_codes import ExitCode
from streams.settings import Settings
from streams.slots import ordinal_of
from streams.supervisor import Child, Supervisor
from streams.worker_settings import WorkerSettings

# A worker may use its budget for the last commit and again for the snapshots; the rest is for
# closing its clients.
_MARGIN_S = 5.0
_OWN_OPTIONS = frozenset({"--processes", "--slot"})
_OWN_SETTINGS = frozenset({"worker.slot", "worker.heartbeat_file", "monitoring.port"})


def run_workers(
    arguments: Sequence[str],
    settings: Settings,
    *,
    n_processes: int,
    hostname: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> ExitCode:
    """Supervise workers until they end or a signal ends them.

    Parameters
    ----------
    arguments
        Words after ``driftline``, as they were given: options before ``worker`` count too.
    settings
        In effect for this process.
    n_processes
        Workers to run.
    hostname, environ
        By default this machine's and this process's.
    """
    if settings.worker.heartbeat_file:
        heartbeat.forget(Path(settings.worker.heartbeat_file))
    children = worker_children(
        arguments,
        settings,
        n_processes=n_processes,
        hostname=hostname or socket.gethostname(),
        environ=os.environ if environ is None else environ,
    )
    return Supervisor(children, stop_budget_s=stop_budget_s(settings.worker)).run()


def stop_budget_s(settings: WorkerSettings) -> float:
    """Give the seconds after which a worker that was asked to stop is killed.

    Whoever kills a supervisor should give it longer.
    """
    return 2 * settings.stop_budget_s + _MARGIN_S


def worker_children(
    arguments: Sequence[str],
    settings: Settings,
    *,
    n_processes: int,
    hostname: str,
    environ: Mapping[str, str],
) -> list[Child]:
    """Give the commands of the workers; the parameters are those of :func:`run_workers`.

    The slots count up from the one that is set, or from the number of the host times the number
    of processes. Without either every child finds its own. The ports of metrics count up from the
    one that is set.
    """
    command = [sys.executable, "-m", "streams", *child_arguments(arguments)]
    first = settings.worker.slot
    if first < 0:
        ordinal = ordinal_of(hostname)
        first = -1 if ordinal is None else ordinal * n_processes
    own = (_own_variables(settings, first, index) for index in range(n_processes))
    return [Child(f"worker {i}", command, {**environ, **named}) for i, named in enumerate(own)]


def _own_variables(settings: Settings, first: int, index: int) -> dict[str, str]:
    own, heartbeat_file, port = {}, settings.worker.heartbeat_file, settings.monitoring.port
    if port >= 0:
        own["DRIFTLINE_MONITORING_PORT"] = str(port + index if port else 0)
    if first >= 0:
        own["DRIFTLINE_WORKER_SLOT"] = str(first + index)
    if heartbeat_file:
        own["DRIFTLINE_WORKER_HEARTBEAT_FILE"] = f"{heartbeat_file}.{index}"
    return own


def child_arguments(arguments: Sequence[str]) -> list[str]:
    """Give the words of a child: without ``--processes`` and what every child has its own of.

    Examples
    --------
    >>> child_arguments(["--set", "worker.slot=4", "-v", "worker", "--processes", "3"])
    ['-v', 'worker']
    """
    kept = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        given = [word]
        if name in {*_OWN_OPTIONS, "--set"} and not equals:
            value = next(words, "")
            given.append(value)
        is_own_setting = name == "--set" and value.partition("=")[0].strip() in _OWN_SETTINGS
        if name not in _OWN_OPTIONS and not is_own_setting:
            kept += given
    return kept
