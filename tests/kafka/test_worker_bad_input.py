"""Poison among the views: each becomes a dead letter as it was, and no good event is lost."""

import base64
import hashlib
import json
import random

import pytest

from streams.dead_letter_records import read_dead_letter, replay_output
from streams.exit_codes import ExitCode
from streams.kafka import Producer
from streams.kafka_clients import plain_producer_properties
from streams.kafka_records import Output, Partition
from tests.kafka.worker_harness import Scene
from tests.kafka.worker_oracle import folded_lists
from tests.replays import simulated

N_BAD = 10_000
N_GOOD = 1_000
N_ADDED = 8
LARGE = 10_000_000


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path)
    yield scene
    scene.close()


def poison(n, topic):
    """Give the n-th bad record."""
    user = f"u{n % 120}"
    good = {"user_id": user, "content_id": f"t{n}", "timestamp": 1.6e9}
    headers = [("trace", b"%d" % n), ("trace", None), ("empty", b"")]
    values = (
        b"{" * (n % 7 + 1),
        b"",
        bytes(n * k % 256 for k in range(40)),
        b"\xff\xfe{}",
        b"[" * 10_000,
        json.dumps({**good, "more": 1}).encode()[:-2] + b"[" * 10_000 + b"]" * 10_000 + b"}",
        json.dumps({**good, "timestamp": [n]}).encode(),
        json.dumps({**good, "content_id": {"id": n}}).encode(),
        json.dumps({**good, "user_id": True}).encode(),
        b'{"user_id":"%s","content_id":"t1","timestamp":NaN}' % user.encode(),
        b'{"user_id":"%s","content_id":"t1","timestamp":1e400}' % user.encode(),
        b'"a text"',
        b"null",
        None,
    )
    kind = n % (len(values) + 4)
    if kind < len(values):
        return Output(topic, user.encode(), values[kind], headers)
    value = json.dumps(good).encode()
    return (
        Output(topic, b"", value, headers),
        Output(topic, None, value, headers, partition=n % 2),
        Output(topic, f"not-{user}".encode(), value, headers),
        Output(topic, user.encode(), value, [*headers, ("driftline-schema", b"2")]),
    )[kind - len(values)]


def key_of(record):
    """Give what must be the same in a view and its dead letter."""
    return record.key(), record.value(), record.timestamp()[1]


def test_ten_thousand_poison_records_among_good_ones(scene):
    scene.make()
    bad = [poison(n, scene.names.views) for n in range(N_BAD)]
    outputs = [*scene.views_of(simulated()[0][:N_GOOD])]
    places = sorted(random.Random(5).sample(range(N_BAD + N_GOOD), N_GOOD))
    good, rest = iter(outputs), iter(bad)
    is_good = set(places)
    mixed = [next(good if n in is_good else rest) for n in range(N_BAD + N_GOOD)]
    scene.write(mixed)
    scene.finish(scene.start("--accept-dead-letters"))
    scene.check()
    views, letters = scene.read(scene.names.views), scene.read(scene.names.dead_letter)
    n_letters = 0
    for number in range(scene.n_partitions):
        sent = views[Partition(scene.names.views, number)]
        for letter in letters[Partition(scene.names.dead_letter, number)]:
            n_letters += 1
            headers = letter.headers()
            added = dict(headers[-N_ADDED:])
            assert added["__connect.errors.topic"] == scene.names.views.encode()
            assert added["__connect.errors.partition"] == b"%d" % number
            original = sent[int(added["__connect.errors.offset"])]
            assert key_of(letter) == key_of(original)
            assert headers[:-N_ADDED] == original.headers()
    assert n_letters == N_BAD


def test_records_too_large_for_the_dead_letters_are_kept_as_hash_and_beginning(scene):
    room = {"max.message.bytes": str(LARGE + 100_000)}
    scene.make(views=room, dead_letter={"max.message.bytes": str(LARGE + 200_000)})
    large = {**scene.kafka, "message.max.bytes": str(LARGE + 50_000), "compression.type": "none"}
    value = b"x" * LARGE
    producer = Producer(plain_producer_properties(large))
    producer.send([Output(scene.names.views, b"u1", value, [("a", b"b")], partition=0)], 30)
    producer.flush(30)
    scene.publish(simulated()[0][:100])
    scene.finish(scene.start())
    scene.check()
    (letter,) = scene.read(scene.names.dead_letter)[Partition(scene.names.dead_letter, 0)]
    assert json.loads(letter.value()) == {
        "sha256": hashlib.sha256(value).hexdigest(),
        "n_bytes": LARGE,
        "beginning_base64": base64.b64encode(value[:1024]).decode(),
    }
    assert letter.key() == b"u1"
    assert letter.headers()[0] == ("a", b"b")
    assert letter.headers()[-1] == ("driftline.truncated", b"1")


def test_a_broken_producer_stops_the_worker_before_the_commit(scene):
    scene.make()
    scene.publish(simulated()[0][:300])
    first = scene.start()
    scene.finish(first)
    scene.write(
        Output(scene.names.views, b"u1", b"{", partition=number)
        for number in range(scene.n_partitions)
        for _ in range(600)
    )
    stopped = scene.start(DRIFTLINE_WORKER_COMMIT_INTERVAL_S="30")
    assert stopped.ended() == ExitCode.BREAKER, stopped.gist()
    assert stopped.says("--accept-dead-letters")
    assert scene.n_committed() == 300
    assert not any(scene.read(scene.names.dead_letter).values())
    scene.finish(scene.start("--accept-dead-letters"))
    scene.check()
    letters = scene.read(scene.names.dead_letter)
    assert [len(found) for found in letters.values()] == [600, 600]


def test_a_replayed_dead_letter_is_processed_once_even_if_it_is_late(scene):
    scene.make()
    lines = simulated()[0][:600]
    event = json.loads(lines[-1])
    late = {**event, "timestamp": event["timestamp"] - 30 * 86_400, "content_id": "late"}
    scene.publish([*lines, json.dumps(late).encode()])
    worker = scene.start()
    scene.wait_for(workers=[worker])
    found = [r for records in scene.read(scene.names.dead_letter).values() for r in records]
    (letter,) = (read_dead_letter(record) for record in found)
    assert letter.reason == "late"
    replayed = replay_output(letter, scene.names.views)
    number = letter.origin.partition
    offsets = []
    for _ in range(2):
        offsets.append(scene.ends()[number])
        scene.write([replayed])
        scene.wait_for(workers=[worker])
    worker.kill()
    offsets.append(scene.ends()[number])
    scene.write([replayed])
    scene.finish(scene.start())
    scene.check()
    written = scene.read(scene.names.recommendations)
    records = written[Partition(scene.names.recommendations, number)]
    lists = folded_lists(records, number)[event["user_id"]]
    assert [offset in lists for offset in offsets] == [True, False, False]
    assert sum(map(len, scene.read(scene.names.dead_letter).values())) == 1
