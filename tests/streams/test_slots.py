import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import SettingsError, SnapshotError
from streams.settings import Settings
from streams.slots import ordinal_of, take_slot
from streams.worker_settings import WorkerSettings

# What a container is called; the digits at its end number nothing.
HOST = "3f2a9c1b0d12"

TAKES_AND_WAITS = """
import sys
from streams.settings import Settings
from streams.worker_settings import WorkerSettings
from streams.slots import take_slot
slot = take_slot(Settings(worker=WorkerSettings(snapshot_folder=sys.argv[1])), "host")
print(slot.number, flush=True)
sys.stdin.read()
"""


def settings_of(folder, slot=-1):
    return Settings(worker=WorkerSettings(group="g", slot=slot, snapshot_folder=str(folder)))


def is_locked(folder, number):
    """Say whether a search passes by a slot."""
    with (folder / "slots" / f"{number}.lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def take(tmp_path):
    taken = []

    def take_one(hostname=HOST, slot=-1):
        taken.append(take_slot(settings_of(tmp_path / "snapshots", slot), hostname))
        return taken[-1]

    yield take_one
    for slot in taken:
        slot.release()


@pytest.fixture
def start(tmp_path):
    """Give a function that starts a process which takes a slot and keeps it."""
    processes = []

    def start_one():
        process = subprocess.Popen(
            [sys.executable, "-c", TAKES_AND_WAITS, str(tmp_path / "snapshots")],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def test_a_slot_that_is_set_wins(take):
    assert take("worker-3", slot=7).number == 7


def test_else_the_number_at_the_end_of_the_host_name(take):
    assert take("worker-3").number == 3


def test_else_the_lowest_that_is_free(take):
    slots = [take() for _ in range(3)]
    assert [slot.number for slot in slots] == [0, 1, 2]
    slots[1].release()
    assert take().number == 1


def test_a_search_passes_by_slots_that_were_set(take):
    take(slot=0)
    assert take().number == 1


def test_a_slot_that_is_set_is_taken_even_from_another(take, tmp_path):
    first, second = take(slot=2), take(slot=2)
    assert second.number == 2
    second.release()
    assert is_locked(tmp_path / "snapshots", 2)
    first.release()
    assert not is_locked(tmp_path / "snapshots", 2)


def test_a_released_slot_may_be_released_again(take, tmp_path):
    slot = take()
    slot.release()
    slot.release()
    assert not is_locked(tmp_path / "snapshots", slot.number)


def test_the_names_are_made_of_group_and_slot(take):
    slot = take(slot=4)
    assert (slot.names, slot.member) == (("g-4", "g-4"), "g-4")


def test_the_host_name_is_by_default_that_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "worker-6.domain")
    with take_slot(settings_of(tmp_path)) as slot:
        assert slot.number == 6
        assert is_locked(tmp_path, 6)
    assert not is_locked(tmp_path, 6)


@pytest.mark.parametrize(
    ("hostname", "ordinal"),
    [
        ("worker-0", 0),
        ("driftline-worker-12", 12),
        ("worker-v2-1", 1),
        ("worker-3.workers.prod.svc.cluster.local", 3),
        ("worker", None),
        ("worker3", None),
        ("3f2a9c1b0d12", None),
        ("ip-10-0-3-17", None),
        ("10-0-3-17", None),
        ("worker-007", None),
        ("driftline-7d9f8b6c4-24567", None),
        ("-3", None),
        ("worker-٣", None),
        ("", None),
    ],
)
def test_only_a_name_as_a_stateful_set_makes_it_has_a_number(hostname, ordinal):
    assert ordinal_of(hostname) == ordinal


def test_processes_that_start_at_once_get_different_slots(start):
    processes = [start() for _ in range(4)]
    assert sorted(int(process.stdout.readline()) for process in processes) == [0, 1, 2, 3]


def test_the_slot_of_a_killed_process_is_free(start, take):
    process = start()
    assert process.stdout.readline() == "0\n"
    assert take().number == 1
    process.kill()
    process.wait()
    assert take().number == 0


def test_a_child_that_outlives_its_parent_does_not_keep_the_slot(take):
    slot = take()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; print('here', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as child:
        assert child.stdout.readline() == b"here\n"
        slot.release()
        assert take().number == 0
        child.stdin.close()


def test_a_folder_that_cannot_be_made_is_said_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings = settings_of(tmp_path / "file" / "snapshots")
    with pytest.raises(SnapshotError, match=r"no slot can be locked.*DRIFTLINE_WORKER_SLOT"):
        take_slot(settings, HOST)


def test_a_folder_that_cannot_be_made_is_no_matter_when_the_slot_is_known(tmp_path):
    (tmp_path / "file").write_text("in the way")
    slot = take_slot(settings_of(tmp_path / "file" / "snapshots", slot=1), HOST)
    assert slot.number == 1


def test_object_storage_has_no_locks_so_the_slot_has_to_be_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = "s3://bucket/prefix"
    for slot in (take_slot(settings_of(url, slot=3), HOST), take_slot(settings_of(url), "w-3")):
        assert slot.number == 3
    with pytest.raises(SettingsError, match=r"s3://bucket/prefix: .*DRIFTLINE_WORKER_SLOT"):
        take_slot(settings_of(url), HOST)
    assert not list(tmp_path.iterdir())


def test_the_folder_may_be_given_as_a_url(tmp_path):
    with take_slot(settings_of(f"file://{tmp_path}"), HOST):
        assert is_locked(tmp_path, 0)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ESTALE, errno.EIO])
def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(SnapshotError, match="No locks available"):
        take_slot(settings_of(tmp_path), HOST)
    assert take_slot(settings_of(tmp_path, slot=0), HOST).number == 0


def test_a_search_has_an_end(tmp_path, monkeypatch):
    def refuse(*_):
        raise BlockingIOError(errno.EAGAIN, "taken")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr("streams.slots._MAX_SLOTS", 5)
    with pytest.raises(SnapshotError, match="all 5 slots are taken"):
        take_slot(settings_of(tmp_path), HOST)
