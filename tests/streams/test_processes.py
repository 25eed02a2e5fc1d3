import sys

import pytest

from streams.exit_codes import ExitCode
from streams.heartbeat import files_of
from streams.processes import child_arguments, run_workers, worker_children
from streams.settings import MonitoringSettings, Settings, WorkerSettings

SLOT, HEARTBEAT = "DRIFTLINE_WORKER_SLOT", "DRIFTLINE_WORKER_HEARTBEAT_FILE"
PORT = "DRIFTLINE_MONITORING_PORT"


def children(n_processes=3, *, hostname="host", environ=None, port=-1, **settings):
    return worker_children(
        ["worker", "--processes", str(n_processes)],
        Settings(worker=WorkerSettings(**settings), monitoring=MonitoringSettings(port=port)),
        n_processes=n_processes,
        hostname=hostname,
        environ=environ or {},
    )


def slots(found):
    return [child.environment.get(SLOT) for child in found]


def test_a_child_is_the_same_program_without_processes():
    (child,) = children(1, environ={"PATH": "/bin"})
    assert child.command == [sys.executable, "-m", "streams", "worker"]
    assert child.environment == {"PATH": "/bin"}


def test_slots_count_up_from_the_one_that_is_set():
    assert slots(children(3, hostname="worker-9", slot=4)) == ["4", "5", "6"]


def test_hosts_with_numbers_never_share_a_slot():
    found = [slots(children(3, hostname=f"worker-{n}")) for n in range(3)]
    assert found == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8"]]


def test_else_every_child_finds_its_own():
    assert slots(children(2, hostname="3f2a9c1b0d12")) == [None, None]


def test_the_slot_of_the_environment_is_the_first_ones():
    assert slots(children(2, environ={SLOT: "6"}, slot=6)) == ["6", "7"]


def test_every_child_has_a_heartbeat_of_its_own():
    found = [child.environment[HEARTBEAT] for child in children(2, heartbeat_file="/run/beat")]
    assert found == ["/run/beat.0", "/run/beat.1"]


@pytest.mark.parametrize(
    ("port", "ports"),
    [(9200, ["9200", "9201", "9202"]), (0, ["0", "0", "0"]), (-1, [None, None, None])],
)
def test_every_child_has_a_port_of_its_own_unless_there_is_none(port, ports):
    assert [child.environment.get(PORT) for child in children(3, port=port)] == ports


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("worker", "worker"),
        ("worker --processes 3", "worker"),
        ("worker --slot 4 --processes 3", "worker"),
        ("worker --processes=3 --accept-dead-letters", "worker --accept-dead-letters"),
        ("--config f.toml -v worker --processes 3", "--config f.toml -v worker"),
        ("--set worker.slot=2 worker", "worker"),
        ("--set=worker.slot=2 --set engine.k=5 worker", "--set engine.k=5 worker"),
        ("--set worker.heartbeat_file=/run/x worker", "worker"),
        ("--set monitoring.port=9200 worker", "worker"),
        ("--set worker.group=worker.slot worker", "--set worker.group=worker.slot worker"),
    ],
)
def test_what_every_child_has_its_own_of_is_taken_from_its_arguments(given, kept):
    assert child_arguments(given.split()) == kept.split()


def test_old_heartbeats_are_forgotten_and_the_code_is_the_childrens(tmp_path):
    # There is no such command, which the command line says with the code for configuration.
    heartbeat = tmp_path / "beat"
    (tmp_path / "beat.7").touch()
    code = run_workers(
        ["no-such-command"],
        Settings(worker=WorkerSettings(heartbeat_file=str(heartbeat))),
        n_processes=1,
        hostname="host",
        environ={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert code is ExitCode.CONFIGURATION
    assert files_of(heartbeat) == []
