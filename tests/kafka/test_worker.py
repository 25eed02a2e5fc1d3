"""Views in, lists out: what a worker writes when nothing goes wrong."""

import json
import os
import signal
import sys

import pytest
from confluent_kafka.admin import AdminClient

from streams.kafka_records import Output, Partition
from streams.local_store import LocalStore
from streams.partitioning import partition_for
from streams.recommendations import NEW_USERS
from streams.snapshots import offsets, owner_of, read_snapshot
from tests.drifting import lacking, permuted
from tests.kafka.worker_harness import READY, ROOT, Scene, Worker, wait_until
from tests.kafka.worker_oracle import folded_lists
from tests.replays import read_lines, replay, simulated, write_lines

N_EVENTS = 1_500
USER = "somebody-to-forget"


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path)
    yield scene.make()
    scene.close()


def mixed(lines):
    """Put repeated, late, impossible and unknown events among the lines."""
    events = [json.loads(line) for line in lines]
    for n in range(50, len(events), 50):
        events[n] = (
            events[n - 1],
            {**events[n], "timestamp": events[n]["timestamp"] - 7 * 86_400},
            {**events[n], "rating": 99},
            {**events[n], "content_id": "nobody-knows-it"},
        )[n // 50 % 4]
    return [json.dumps(event).encode() for event in events]


def lists_of(scene):
    """Give the lists of all partitions by user, decoded, by the offset they are based on."""
    written = scene.read(scene.names.recommendations)
    return {
        (partition.number, user_id): {
            offset: value and json.loads(value) for offset, value in lists.items()
        }
        for partition, records in written.items()
        for user_id, lists in folded_lists(records, partition.number).items()
    }


def titles_in(record):
    return {item["content_id"] for item in record["items"]}


@pytest.mark.parametrize("max_records", ["7", "10000"])
def test_all_that_is_written_equals_an_uninterrupted_run(scene, max_records):
    lines, content = simulated()
    scene.publish_content(content)
    scene.publish(mixed(lines[:N_EVENTS]))
    worker = scene.start(DRIFTLINE_WORKER_MAX_RECORDS=max_records)
    scene.finish(worker)
    oracles = scene.check(content=content)
    assert {reason for oracle in oracles for _, reason in oracle.refused} == {"late", "range"}


def test_every_list_is_the_one_that_replay_makes_of_the_same_log(scene, tmp_path):
    lines, content = simulated()
    lines = mixed(lines[:N_EVENTS])
    scene.publish_content(content)
    scene.publish(lines)
    scene.finish(scene.start())
    log, output = write_lines(tmp_path / "views.jsonl", lines), tmp_path / "lists.jsonl"
    titles = write_lines(tmp_path / "content.jsonl", content)
    replay(log, "--partitions", scene.n_partitions, "--content", titles, "--output", output)
    numbers = {number: [] for number in range(scene.n_partitions)}
    for n, line in enumerate(lines, start=1):
        user_id = json.loads(line)["user_id"]
        numbers[partition_for(user_id, scene.n_partitions)].append(n)
    replayed = {(r["user_id"], r.pop("based_on")["line"]): r for r in read_lines(output)}
    last = {user_id: line for user_id, line in replayed}  # noqa: C416  the last of a user stays
    found = lists_of(scene)
    for (number, user_id), lists in found.items():
        if user_id != NEW_USERS:
            for offset, record in lists.items():
                del record["based_on"]
                assert record == replayed[user_id, numbers[number][offset]]
            assert numbers[number][max(lists)] == last.pop(user_id)
    assert not last
    assert {number for number, user_id in found if user_id == NEW_USERS} == {0, 1}


def test_every_drift_record_is_the_one_that_replay_makes_of_the_same_log(scene, tmp_path):
    lines, content = simulated(6_000)
    lines = lacking(permuted(lines, 3_600), "view_time", 4_500, 5_700)
    scene.publish_content(content)
    scene.publish(lines)
    scene.finish(scene.start())
    log, drift = write_lines(tmp_path / "views.jsonl", lines), tmp_path / "drift.jsonl"
    titles = write_lines(tmp_path / "content.jsonl", content)
    replay(log, "--partitions", scene.n_partitions, "--content", titles, "--drift", drift)
    numbers = {number: [] for number in range(scene.n_partitions)}
    for n, line in enumerate(lines, start=1):
        user_id = json.loads(line)["user_id"]
        numbers[partition_for(user_id, scene.n_partitions)].append(n)
    replayed = {number: [] for number in numbers}
    for record in read_lines(drift):
        replayed[int(record["episode"].partition("-")[0])].append(record)
    written = {
        number: [json.loads(value) for value in own] for number, own in scene.drift().items()
    }
    for number, records in written.items():
        for record in records:
            assert (record.pop("topic"), record.pop("partition")) == (scene.names.views, number)
            record["line"] = numbers[number][record.pop("offset")]
    assert written == replayed
    assert all(replayed.values())


def test_a_tombstone_takes_a_title_out_of_every_new_list(scene):
    lines, content = simulated()
    scene.publish_content(content)
    scene.publish(lines[:600])
    worker = scene.start()
    scene.wait_for(workers=[worker])
    found = lists_of(scene)
    listed = [title for lists in found.values() for r in lists.values() for title in titles_in(r)]
    gone = max(set(listed), key=listed.count)
    rest = iter(lines[600:])

    def is_withdrawn():
        # Content is not ordered among views: the next ones are fed until it has come.
        scene.publish([next(rest) for _ in range(10)])
        scene.wait_for(workers=[worker])
        latest = [lists[max(lists)] for (_, u), lists in lists_of(scene).items() if u == NEW_USERS]
        return not any(gone in titles_in(record) for record in latest)

    scene.write([Output(scene.names.content, gone.encode(), None)])
    wait_until(is_withdrawn, "withdrawn", workers=[worker])
    ends = [position.offset for position in scene.committed()]
    worker.kill()
    scene.publish([next(rest) for _ in range(300)])
    scene.finish(scene.start())
    after = [
        record
        for (number, _), lists in lists_of(scene).items()
        for offset, record in lists.items()
        if offset >= ends[number]
    ]
    assert len(after) > 20
    assert not any(gone in titles_in(record) for record in after)


@pytest.mark.parametrize("is_killed", [False, True])
def test_who_is_forgotten_is_in_no_list_and_no_snapshot(scene, is_killed):
    lines, _ = simulated()
    owned = [{**json.loads(line), "user_id": USER} for line in lines[:200:20]]
    scene.publish([*lines[:300], *(json.dumps(event).encode() for event in owned)])
    often = {"DRIFTLINE_WORKER_SNAPSHOT_EVERY_EVENTS": "50"}
    scene.finish(scene.start(**often))
    scene.publish(lines[300:400])
    scene.finish(scene.start(**often))
    number = partition_for(USER, scene.n_partitions)
    folder = LocalStore(scene.folder) / owner_of(number)
    assert any(holds(folder / f"{offset:020d}", USER) for offset in offsets(folder))
    assert scene.run("forget", USER).exit_code == 0
    if is_killed:
        assert scene.start_failing("after the commit").ended() == -signal.SIGKILL
        assert any(holds(folder / f"{offset:020d}", USER) for offset in offsets(folder))
    scene.finish(scene.start())
    assert offsets(folder) == [scene.committed()[number].offset]
    assert not holds(folder / f"{offsets(folder)[0]:020d}", USER)
    written = scene.read(scene.names.recommendations)
    own = [
        r
        for r in written[Partition(scene.names.recommendations, number)]
        if r.key() == USER.encode()
    ]
    assert own[-1].value() is None
    assert scene.check()[number].last[USER] is None


def holds(place, name):
    """Whether a name is anywhere in a snapshot."""
    return any(name.encode() in array.tobytes() for array in read_snapshot(place).arrays.values())


def test_a_worker_goes_on_from_the_snapshot_of_a_replay(scene, tmp_path):
    lines, content = simulated()
    log = write_lines(tmp_path / "views.jsonl", lines[:800])
    titles, made = write_lines(tmp_path / "content.jsonl", content), tmp_path / "made"
    replay(log, "--partitions", scene.n_partitions, "--content", titles, "--snapshot-to", made)
    scene.publish_content(content)
    scene.publish(lines[:800])
    begins = scene.ends()
    scene.publish(lines[800:1_000])
    for number, offset in enumerate(begins):
        at = ("--partition", number, "--offset", offset)
        result = scene.run("snapshot", "adopt", made, *at)
        assert result.exit_code == 0, result.output
        result = scene.run("reset", "--partition", number, "--to-offset", offset)
        assert result.exit_code == 0, result.output
    worker = scene.start()
    scene.finish(worker)
    for offset in begins:
        assert worker.says(f"{READY} {offset}, 0 records replayed")
    scene.check(content=content, begins=begins)


def test_in_an_empty_folder_the_address_of_a_broker_is_enough(broker, topic_names, tmp_path):
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "PYTHONPATH": str(ROOT),
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    }
    command = (sys.executable, "-m", "streams")
    making = Worker([*command, "topics", "create"], environ, tmp_path / "making")
    assert making.ended() == 0, making.log()
    try:
        scene = Scene(broker, topic_names._replace(views="views", group="driftline"), tmp_path, 4)
        scene.publish(simulated()[0][:100])
        worker = Worker([*command, "worker"], environ, tmp_path / "empty")
        scene.wait_for(workers=[worker])
        assert worker.stopped() == 0, worker.log()
        names = {path.name for path in (tmp_path / "empty" / "snapshots").iterdir()}
        assert names == {"slots", *(owner_of(number) for number in range(4))}
    finally:
        made = ("views", "content", "recommendations", "views.dead-letter", "outcomes", "drift")
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        for future in admin.delete_topics(list(made)).values():
            future.result()
