"""Snapshots that are damaged, missing or refused by the disk, and history that is gone."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.exit_codes import ExitCode
from streams.local_store import LocalStore
from streams.settings_sources import load
from streams.snapshots import STATE_FILE, offsets, owner_of
from streams.stores import MANIFEST_FILE
from tests.kafka.worker_harness import READY, Scene
from tests.replays import simulated

N_BEFORE, N_EVENTS = 600, 900
OFTEN = {"DRIFTLINE_WORKER_SNAPSHOT_EVERY_EVENTS": "100"}


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path)
    yield scene.make()
    scene.close()


def lines_of(begin, end):
    return simulated()[0][begin:end]


def run(scene, begin, end, *arguments, **variables):
    """Publish lines and let a worker process them; give the worker."""
    scene.publish(lines_of(begin, end))
    worker = scene.start(*arguments, **variables)
    scene.finish(worker)
    return worker


def delete_records(scene, before):
    """Delete the oldest records of each partition, as retention does."""
    admin = AdminClient(scene.kafka)
    places = [
        TopicPartition(*partition, before[partition.number]) for partition in scene.partitions
    ]
    for future in admin.delete_records(places).values():
        future.result()


def truncated(place):
    data = (place / STATE_FILE).read_bytes()
    (place / STATE_FILE).write_bytes(data[: len(data) // 2])


def bit_flipped(place):
    data = bytearray((place / STATE_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (place / STATE_FILE).write_bytes(data)


def without_manifest(place):
    (place / MANIFEST_FILE).unlink()


def without_state(place):
    (place / STATE_FILE).unlink()


@pytest.mark.parametrize(
    ("damage", "n_damaged"),
    [(truncated, 1), (bit_flipped, 2), (without_manifest, 1), (without_state, 2)],
)
def test_a_damaged_snapshot_is_passed_over(scene, damage, n_damaged):
    """The one before it is used, or the log where all are damaged."""
    run(scene, 0, N_BEFORE // 2)
    run(scene, N_BEFORE // 2, N_BEFORE)
    for number in range(scene.n_partitions):
        folder = scene.folder / owner_of(number)
        for offset in offsets(LocalStore(folder))[-n_damaged:]:
            damage(folder / f"{offset:020d}")
    worker = run(scene, N_BEFORE, N_EVENTS)
    assert worker.log().count("passed over") == scene.n_partitions * n_damaged
    assert not worker.says(", 0 records replayed")
    scene.check()


def test_a_snapshot_folder_that_is_gone_costs_a_replay_of_the_log(scene):
    run(scene, 0, N_BEFORE)
    shutil.rmtree(scene.folder)
    worker = run(scene, N_BEFORE, N_EVENTS)
    assert not worker.says(", 0 records replayed")
    scene.check()


@contextmanager
def read_only(folder):
    """Let nobody write to a folder, not even root; give the words before the command."""
    folder.chmod(0o555)
    words = []
    if os.geteuid() == 0:
        words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        _skip_unless([*words, "true"], "root cannot be kept from writing")
    yield words
    folder.chmod(0o755)


@contextmanager
def full(folder):
    """Let a folder be a disk that is too small for a snapshot."""
    _skip_unless(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], "no disk of our own")
    try:
        yield []
    finally:
        subprocess.run([shutil.which("umount"), folder], check=True)


def _skip_unless(words, otherwise):
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{otherwise}: there is no {words[0]}")
    if done.returncode:
        pytest.skip(f"{otherwise}: {done.stderr.decode().strip()}")


@pytest.mark.parametrize(
    ("made_bad", "told"), [(read_only, "Permission denied"), (full, "No space left on device")]
)
def test_a_disk_that_takes_no_snapshot_stops_nothing(scene, made_bad, told):
    scene.folder.mkdir()
    scene.publish(lines_of(0, N_BEFORE))
    with made_bad(scene.folder) as scene.prefix:
        worker = scene.start(**OFTEN)
        scene.finish(worker)
        assert worker.says("cannot write the snapshot")
        assert worker.says(told)
        scene.check(is_saved=False)
    scene.prefix = []
    run(scene, N_BEFORE, N_EVENTS)
    scene.check()


def test_other_settings_make_the_state_anew_from_the_log(scene):
    run(scene, 0, N_BEFORE)
    begins = scene.ends()
    scene.variables["DRIFTLINE_ENGINE_K"] = "5"
    scene.settings = load(environ=scene.variables, folder=scene.place).settings
    worker = run(scene, N_BEFORE, N_EVENTS)
    assert worker.says("engine.k was 10 and is 5")
    after = worker.log()
    assert f"{READY} {begins[0]}, {begins[0]} records replayed" in after


def test_missing_history_is_refused_with_the_two_choices(scene):
    run(scene, 0, N_BEFORE)
    ends = scene.ends()
    shutil.rmtree(scene.folder)
    delete_records(scene, [end - 50 for end in ends])
    scene.publish(lines_of(N_BEFORE, N_EVENTS))
    refused = scene.start()
    assert refused.ended() == ExitCode.MISSING_HISTORY, refused.gist()
    assert refused.says("Either put a snapshot between")
    assert refused.says("or start with what is left: --accept-missing-history")
    assert scene.n_committed() == N_BEFORE
    worker = scene.start("--accept-missing-history")
    scene.finish(worker)
    assert worker.log().count(", 50 records replayed") == scene.n_partitions


def test_views_deleted_before_they_were_processed_are_refused_too(scene):
    run(scene, 0, N_BEFORE)
    scene.publish(lines_of(N_BEFORE, N_EVENTS))
    gone = [end - 10 for end in scene.ends()]
    delete_records(scene, gone)
    refused = scene.start()
    assert refused.ended() == ExitCode.MISSING_HISTORY, refused.gist()
    assert refused.says("were never processed")
    assert refused.says("--accept-missing-history")
    worker = scene.start("--accept-missing-history")
    scene.finish(worker)
    for offset in gone:
        assert worker.says(f"{READY} {offset}, 0 records replayed")


def test_a_snapshot_that_reaches_into_what_is_left_is_enough(scene):
    run(scene, 0, N_BEFORE)
    delete_records(scene, scene.ends())
    worker = scene.start()
    scene.finish(worker)
    assert worker.log().count(", 0 records replayed") == scene.n_partitions
