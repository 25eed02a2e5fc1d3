import pytest

from streams.adopting import adopt
from streams.errors import SnapshotError
from streams.kafka_records import Partition
from streams.local_store import LocalStore
from streams.pipeline import Pipeline
from streams.settings import EngineSettings, ReplaySettings, Settings
from streams.snapshots import newest_snapshot, owner_of, read_snapshot
from tests.replays import driftline, refusal, simulated, write_lines

SMALL = ("--set", "engine.n_neighbors=16")
SETTINGS = Settings(engine=EngineSettings(n_neighbors=16))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the snapshots that a replay over three partitions made."""
    folder = tmp_path_factory.mktemp("adopting")
    log = write_lines(folder / "events.jsonl", simulated(300)[0])
    made = folder / "made"
    result = driftline(*SMALL, "replay", log, "--quiet", "--partitions", "3", "--snapshot-to", made)
    assert result.exit_code == 0, result.output
    return made


def test_the_arrays_stay_and_the_manifest_is_a_workers(made, tmp_path):
    place = adopt(
        LocalStore(made), Partition("views", 2), 77, to=LocalStore(tmp_path), settings=SETTINGS
    )
    assert place == LocalStore(tmp_path / owner_of(2) / f"{77:020d}")
    adopted, (source, _) = read_snapshot(place), newest_snapshot(LocalStore(made / owner_of(2)))
    manifest = adopted.manifest
    assert (manifest.topic, manifest.partition, manifest.next_offset) == ("views", 2, 77)
    assert manifest.fingerprint == SETTINGS.fingerprint() != source.manifest.fingerprint
    assert adopted.arrays.keys() == source.arrays.keys()
    for name, array in source.arrays.items():
        assert adopted.arrays[name].tobytes() == array.tobytes()


def test_a_pipeline_goes_on_from_it(made, tmp_path):
    place = adopt(
        LocalStore(made), Partition("views", 1), 77, to=LocalStore(tmp_path), settings=SETTINGS
    )
    pipeline = Pipeline(SETTINGS)
    pipeline.restore(read_snapshot(place).arrays)
    assert pipeline.counts["accepted"] > 0


def test_one_snapshot_may_be_named_itself(made, tmp_path):
    (place,) = (made / owner_of(1)).iterdir()
    adopted = adopt(
        LocalStore(place), Partition("views", 0), 5, to=LocalStore(tmp_path), settings=SETTINGS
    )
    assert read_snapshot(adopted).manifest.partition == 0


def test_other_settings_are_refused_by_name(made, tmp_path):
    other = Settings(
        engine=EngineSettings(n_neighbors=16, k=5), replay=ReplaySettings(partitions=2)
    )
    with pytest.raises(SnapshotError, match=r"pass it over: engine\.k was 10 and is 5$"):
        adopt(LocalStore(made), Partition("views", 0), 5, to=LocalStore(tmp_path), settings=other)
    assert not list(tmp_path.iterdir())


def test_the_numbers_of_a_replay_are_no_state(made, tmp_path):
    (place,) = (made / "replay").iterdir()
    with pytest.raises(SnapshotError, match="holds the numbers of a replay"):
        adopt(
            LocalStore(place), Partition("views", 0), 5, to=LocalStore(tmp_path), settings=SETTINGS
        )


def test_a_partition_that_the_replay_did_not_have_is_refused(made, tmp_path):
    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        adopt(
            LocalStore(made), Partition("views", 3), 5, to=LocalStore(tmp_path), settings=SETTINGS
        )


def test_the_command_says_what_is_left_to_do(made, tmp_path):
    arguments = ("--partition", 0, "--offset", 9, "--to", tmp_path)
    result = driftline(*SMALL, "snapshot", "adopt", made, *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / owner_of(0) / f'{9:020d}'}\n"
    assert "driftline reset --partition 0 --to-offset 9" in result.stderr
    assert "engine.n_neighbors was 16" in refusal("snapshot", "adopt", made, *arguments)
