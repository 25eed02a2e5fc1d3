"""What object storage asks of a store beyond what holds for every kind."""

import subprocess
import sys
import tempfile
import threading

import numpy as np
import pytest
from obstore.store import MemoryStore

from streams import object_store
from streams.errors import SettingsError, SnapshotError, StoreError
from streams.local_store import LocalStore
from streams.locations import open_store
from streams.object_store import ObjectStore
from streams.settings import Settings
from streams.snapshots import (
    STATE_FILE,
    Manifest,
    newest_snapshot,
    offsets,
    place_of,
    read_snapshot,
    write_snapshot,
)
from streams.stores import MANIFEST_FILE

ARRAYS = {"a": np.arange(1_000)}
SOON_S = 0.3


def manifest(next_offset=7):
    return Manifest("pipeline", next_offset, "f00d")


class Told:
    """A client that notes what it is told, and fails at the call that is named.

    Parameters
    ----------
    failing
        Beginnings of a call and its key.
    """

    def __init__(self, *failing):
        self._client = MemoryStore()
        self.calls = []
        self.failing = failing

    def __getattr__(self, name):
        def call(key=None, *arguments, **named):
            self.calls.append((name, key))
            if (name, (key or "").rpartition("/")[2]) in self.failing:
                raise OSError("the network is down")
            return getattr(self._client, name)(key, *arguments, **named)

        return call

    def changes(self):
        return [(n, key.rpartition("/")[2]) for n, key in self.calls if n in {"put", "delete"}]


def told(*failing):
    client = Told(*failing)
    return client, ObjectStore("memory://", "", client)


@pytest.fixture
def spool(tmp_path, monkeypatch):
    """Give the folder of temporary files."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    return spool


def test_the_manifest_is_written_last_and_removed_first():
    client, folder = told()
    write_snapshot(folder, manifest(), ARRAYS)
    folder.remove(place_of(7))
    assert client.changes() == [
        ("put", STATE_FILE),
        ("put", MANIFEST_FILE),
        ("delete", MANIFEST_FILE),
        ("delete", STATE_FILE),
    ]


def test_what_is_written_anew_is_no_snapshot_until_it_is_whole():
    client, folder = told()
    write_snapshot(folder, manifest(), ARRAYS)
    client.calls.clear()
    write_snapshot(folder, manifest(), ARRAYS)
    assert client.changes() == [
        ("delete", MANIFEST_FILE),
        ("delete", STATE_FILE),
        ("put", STATE_FILE),
        ("put", MANIFEST_FILE),
    ]


@pytest.mark.parametrize("step", [("put", STATE_FILE), ("put", MANIFEST_FILE)])
def test_an_upload_that_fails_leaves_the_older_snapshot(step):
    client, folder = told()
    write_snapshot(folder, manifest(5), ARRAYS)
    client.failing = [step]
    with pytest.raises(SnapshotError, match=r"cannot write the snapshot: .*the network is down"):
        write_snapshot(folder, manifest(6), ARRAYS)
    assert offsets(folder) == [5]
    client.failing = []
    write_snapshot(folder, manifest(6), ARRAYS)
    assert offsets(folder) == [5, 6]


@pytest.mark.parametrize(
    "step", [("list", ""), ("head", MANIFEST_FILE), ("head", STATE_FILE), ("get_range", STATE_FILE)]
)
def test_a_store_that_does_not_answer_is_no_damage(step):
    client, folder = told()
    write_snapshot(folder, manifest(5), ARRAYS)
    write_snapshot(folder, manifest(6), ARRAYS)
    client.failing = [step]
    with pytest.raises(StoreError, match="the network is down"):
        newest_snapshot(folder)


def test_a_temporary_folder_that_is_full_is_no_damage(monkeypatch):
    _, folder = told()
    write_snapshot(folder, manifest(5), ARRAYS)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(object_store.os, "pwrite", full)
    with pytest.raises(StoreError, match=r"cannot fetch it: .*No space left on device"):
        newest_snapshot(folder)


def test_nothing_is_left_in_the_temporary_folder(spool):
    client, folder = told()
    seen = []
    put = client._client.put
    client.put = lambda *arguments, **named: (
        seen.append(list(spool.rglob("*"))),
        put(*arguments, **named),
    )
    place = write_snapshot(folder, manifest(), ARRAYS)
    read_snapshot(place)
    assert seen == [[], []]  # nor meanwhile, so that a kill leaves nothing either
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("n_bytes", [0, 1, 99, 100, 101, 400, 401, 1_234])
def test_an_object_is_put_together_from_its_pieces(monkeypatch, n_bytes):
    monkeypatch.setattr(object_store, "PIECE", 100)
    client, folder = told()
    data = np.random.default_rng(n_bytes).bytes(n_bytes)
    client.put("x", data)
    with folder.opened("x") as path:
        assert path.read_bytes() == data
        assert path.read_bytes() == data
    n_pieces = sum(name == "get_range" for name, _ in client.calls)
    assert n_pieces == -(-n_bytes // 100)


def test_a_disk_that_takes_less_than_it_is_given_is_given_the_rest(monkeypatch):
    pwrite = object_store.os.pwrite
    monkeypatch.setattr(object_store.os, "pwrite", lambda d, data, at: pwrite(d, data[:7], at))
    client, folder = told()
    data = np.random.default_rng(1).bytes(100)
    client.put("x", data)
    with folder.opened("x") as path:
        assert path.read_bytes() == data


def test_a_large_state_goes_to_s3_in_parts_and_back(s3, monkeypatch):
    monkeypatch.setattr(object_store, "PIECE", 5 << 20)  # S3 takes no smaller parts
    folder = s3.store(s3.new_bucket())
    arrays = {"a": np.random.default_rng(1).integers(0, 255, 12 << 20, np.uint8)}
    place = write_snapshot(folder, manifest(), arrays)
    assert read_snapshot(place).arrays["a"].tobytes() == arrays["a"].tobytes()


def test_the_variables_of_the_cloud_are_enough(s3, monkeypatch):
    url = s3.new_bucket()
    write_snapshot(s3.store(url), manifest(), ARRAYS)
    for name, value in s3.options().items():
        monkeypatch.setenv(f"AWS_{name.removeprefix('aws_').upper()}", value)
    assert offsets(open_store(url, Settings())) == [7]


def test_a_server_that_cannot_be_reached_is_given_up_after_the_budget(own_s3):
    folder = own_s3.store(own_s3.new_bucket(), budget_s=SOON_S)
    place = write_snapshot(folder, manifest(), ARRAYS)
    own_s3.stop()
    for call in (
        lambda: offsets(folder),
        lambda: read_snapshot(place),
        lambda: folder.remove(place_of(7)),
    ):
        with pytest.raises(StoreError, match=f"retry_timeout: {1000 * SOON_S:.0f}ms"):
            call()
    with pytest.raises(SnapshotError, match="cannot write the snapshot"):
        write_snapshot(folder, manifest(8), ARRAYS)


def test_a_server_that_accepts_and_says_nothing_is_given_up_too(own_s3):
    folder = own_s3.store(own_s3.new_bucket(), budget_s=SOON_S, timeout="500ms")
    own_s3.freeze()
    with pytest.raises(StoreError):
        offsets(folder)
    own_s3.thaw()
    assert offsets(folder) == []


def test_a_call_goes_through_when_the_server_comes_back_in_time(own_s3):
    folder = own_s3.store(own_s3.new_bucket(), timeout="500ms")
    own_s3.freeze()
    writing = threading.Thread(target=write_snapshot, args=(folder, manifest(), ARRAYS))
    writing.start()
    writing.join(0.7)
    assert writing.is_alive()
    own_s3.thaw()
    writing.join()
    assert offsets(folder) == [7]


def test_a_bucket_that_does_not_exist_is_not_an_empty_one(s3):
    with pytest.raises(StoreError, match="NoSuchBucket"):
        newest_snapshot(s3.store("s3://nobody-made-this/x"))


def test_a_folder_has_the_name_of_its_url(s3):
    folder = s3.store("s3://bucket/prefix/")
    assert str(folder) == "s3://bucket/prefix"
    assert str(folder / "partition-0001" / "7") == "s3://bucket/prefix/partition-0001/7"
    assert folder / "a" == s3.store("s3://bucket/prefix") / "a" != folder / "b"


@pytest.mark.parametrize(
    ("location", "options", "said"),
    [
        ("ftp://host/x", {}, "kept in a folder or at s3://, gs://, az://, file://"),
        ("memory:///x", {}, "kept in a folder or at"),
        ("s3://", {}, "Unable to recognise URL"),
        ("s3://b/x", {"aws_colour": "blue"}, "aws_colour"),
        ("s3://b/x", {"timeout": "soon"}, 'failed to parse "soon" as Duration'),
        ("s3://b/x", {"aws_timeout": "soon"}, 'failed to parse "soon" as Duration'),
    ],
)
def test_a_location_or_an_option_that_is_wrong_is_refused(location, options, said):
    with pytest.raises(SettingsError) as refused:
        open_store(location, Settings(snapshot_store=options))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(location)


@pytest.mark.parametrize(
    ("location", "options"),
    [
        ("s3://bucket/x", {"aws_region": "eu-central-1"}),
        ("gs://bucket/x", {"timeout": "9s"}),
        (
            "az://container/x",
            {"azure_storage_account_name": "a", "azure_storage_use_emulator": "1"},
        ),
    ],
)
def test_every_cloud_is_reached_by_its_url(location, options):
    store = open_store(location, Settings(snapshot_store=options))
    assert str(store) == location
    assert store.client.prefix == "x"


def test_a_file_url_is_a_folder(tmp_path):
    assert open_store(f"file://{tmp_path}/a%20b", Settings()) == LocalStore(tmp_path / "a b")


def test_without_the_extra_a_sentence_names_it():
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from streams.locations import open_store; from streams.settings import Settings\n"
        "open_store('snapshots', Settings())\n"
        "open_store('s3://b/x', Settings())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True
    )
    assert ended.stderr.splitlines()[-1] == (
        "streams.errors.SettingsError: s3://b/x: object storage needs obstore;"
        " install driftline[object-storage]"
    )
