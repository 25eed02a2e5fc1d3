"""``driftline worker``: consume views, learn, and write recommendations, exactly once."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.exit_codes import ExitCode
    from streams.settings import Settings


@click.command("worker", short_help="Consume views from Kafka and write recommendations.")
@click.option("--processes", type=click.IntRange(min=1), help="Supervise so many workers.")
@click.option("--group", help="Consumer group.")
@click.option("--slot", type=click.IntRange(min=0), help="Stable number of this worker.")
@click.option(
    "--snapshot-folder", metavar="DIR", help="Where snapshots are kept: a folder or a URL."
)
@click.option(
    "--accept-dead-letters", is_flag=True, help="Go on when most events are dead letters."
)
@click.option(
    "--accept-missing-history",
    is_flag=True,
    help="Begin with what the topic has left when a restore needs older records.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    processes: int | None,
    group: str | None,
    slot: int | None,
    snapshot_folder: str | None,
    accept_dead_letters: bool,
    accept_missing_history: bool,
) -> None:
    """Learn from every view of a topic and write each touched user's list, exactly once.

    Settings alone suffice: KAFKA_BOOTSTRAP_SERVERS names the brokers. SIGTERM finishes the
    transaction, saves the state and exits with 0. Exit codes: 2 configuration, 3 Kafka (restart
    it), 4 too many dead letters, 5 another worker has the slot, 6 missing history, 7 snapshots.
    """
    from streams.locations import open_store

    invocation: Invocation = context.obj
    flags = {
        "worker.group": group,
        "worker.slot": slot,
        "worker.snapshot_folder": snapshot_folder,
    }
    settings = invocation.load(flags).settings
    # Refused here: once partitions come nothing may be raised.
    open_store(settings.worker.snapshot_folder, settings)
    _start_log()
    if processes is not None and processes > 1:
        context.exit(_supervised(settings, processes))
    context.exit(
        _worked(settings, dead_letters=accept_dead_letters, history=accept_missing_history)
    )


def _worked(settings: Settings, *, dead_letters: bool, history: bool) -> ExitCode:
    from streams.assignment import Accepts
    from streams.cli.watching import watched_worker
    from streams.errors import SnapshotError
    from streams.exit_codes import ExitCode
    from streams.slots import take_slot
    from streams.stop import Stop
    from streams.watch import Watch
    from streams.watchdog import Watchdog
    from streams.worker import Worker

    try:
        slot = take_slot(settings)
    except SnapshotError as error:
        click.echo(f"Error: {error}", err=True)
        return ExitCode.SNAPSHOT
    stop = Stop()
    with (
        stop.on_signals(),
        slot,
        watched_worker(settings, stop) as observers,
        Watchdog(settings.worker.call_budget_s) as watchdog,
    ):
        worker = Worker(
            settings,
            slot.names.transactional_id,
            watchdog=watchdog,
            watch=Watch(observers, settings.worker.heartbeat_file, k=settings.engine.k),
            accepts=Accepts(dead_letters=dead_letters, missing_history=history),
        )
        try:
            return worker.run(stop)
        except Exception:
            logging.getLogger(__name__).exception("a worker must not end like this")
            return ExitCode.CRASH


def _leave(code: ExitCode) -> None:
    """End the process with its code.

    After a failure nothing is unwound: a client in the midst of joining may never let go, and a
    supervisor waits for the code.
    """
    if code:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(0)


def _supervised(settings: Settings, n_processes: int) -> ExitCode:
    from socket import gethostname

    from streams.processes import run_workers

    return run_workers(
        sys.argv[1:],
        settings,
        n_processes=n_processes,
        hostname=gethostname(),
        environ=os.environ,
    )


def _start_log() -> None:
    from streams.logging_lines import start_log

    start_log(sys.stderr)
