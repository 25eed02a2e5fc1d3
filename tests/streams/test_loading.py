import pytest

from streams.endings import MissingHistoryError
from streams.errors import StoreError
from streams.kafka_records import Bounds, Partition
from streams.loading import Loading, folder_of
from streams.local_store import LocalStore
from streams.pipeline import Pipeline, Wanted
from streams.settings import EngineSettings, Settings
from streams.snapshots import Manifest, write_snapshot
from streams.worker_settings import WorkerSettings
from tests.kafka.worker_oracle import digest
from tests.replays import arrivals, simulated

PLACE = Partition("views", 1)
WHOLE = Bounds(0, 1_000)


@pytest.fixture
def settings(tmp_path):
    worker = WorkerSettings(snapshot_folder=str(tmp_path))
    return Settings(engine=EngineSettings(n_neighbors=16), worker=worker)


@pytest.fixture
def states(settings):
    """Give the state after 100 and after 200 views, as arrays; both are saved."""
    pipeline, states = Pipeline(settings, PLACE.number), {}
    for end in (100, 200):
        pipeline.process(arrivals(simulated()[0][end - 100 : end]), Wanted())
        states[end] = pipeline.snapshot()
        save(settings, end, states[end])
    return states


def save(settings, offset, arrays, **fields):
    manifest = {
        "kind": "pipeline",
        "next_offset": offset,
        "fingerprint": settings.fingerprint(),
        "topic": PLACE.topic,
        "partition": PLACE.number,
    }
    write_snapshot(folder_of(PLACE, settings), Manifest(**{**manifest, **fields}), arrays)


def load(settings, end, bounds=WHOLE):
    return Loading(PLACE, settings, is_history_optional=False).loaded(end, bounds)


def test_the_newest_up_to_the_end_is_loaded(settings, states):
    for end, offset in ((250, 200), (200, 200), (199, 100)):
        found = load(settings, end)
        assert (found.snapshot_offset, found.first) == (offset, offset)
        assert digest(found.pipeline.snapshot()) == digest(states[offset])


@pytest.mark.parametrize("name", ["undecoded", "engine.clock", "gate.counts.values"])
def test_one_without_an_array_of_this_version_is_passed_over(settings, states, caplog, name):
    older = {key: array for key, array in states[200].items() if key != name}
    assert len(older) == len(states[200]) - 1
    save(settings, 200, older)
    found = load(settings, 250)
    assert found.snapshot_offset == 100
    assert digest(found.pipeline.snapshot()) == digest(states[100])
    (said,) = caplog.messages
    assert "its arrays are not those of this version" in said


@pytest.mark.parametrize(
    "fields", [{"topic": "others"}, {"partition": 0}, {"fingerprint": "f00d"}], ids=str
)
def test_one_of_something_else_is_passed_over(settings, states, fields):
    save(settings, 200, states[200], **fields)
    assert load(settings, 250).snapshot_offset == 100


@pytest.mark.usefixtures("states")
def test_records_that_neither_snapshot_nor_topic_has_are_an_error(settings):
    assert load(settings, 250, Bounds(200, 1_000)).first == 200
    with pytest.raises(MissingHistoryError, match="--accept-missing-history"):
        load(settings, 250, Bounds(201, 1_000))
    found = Loading(PLACE, settings, is_history_optional=True).loaded(250, Bounds(201, 1_000))
    assert (found.snapshot_offset, found.first) == (200, 201)


def test_storage_that_cannot_be_read_is_not_taken_for_an_empty_one(settings, monkeypatch):
    def refuse(_):
        raise StoreError("the storage is away")

    monkeypatch.setattr(LocalStore, "files", refuse)
    with pytest.raises(StoreError):
        load(settings, 250)
