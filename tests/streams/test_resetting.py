import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.errors import SettingsError
from streams.kafka_admin import Member
from streams.kafka_records import Bounds, Committed, Partition
from streams.local_store import LocalStore
from streams.resetting import AtOffset, AtTime, Earliest, Group, GroupAliveError
from streams.snapshots import owner_of
from streams.stores import MANIFEST_FILE

FIRST, SECOND = Partition("views", 0), Partition("views", 1)
BOUNDS = {FIRST: Bounds(2, 9), SECOND: Bounds(0, 5)}


class Admin:
    """Knows one time, at which there is an offset in the first partition only."""

    def __init__(self, *members):
        self._members = list(members)
        self.moved = None

    def members(self, group):
        assert group == "g"
        return self._members

    def offsets_at(self, partitions, time_ms):
        assert set(partitions) == set(BOUNDS)
        return {FIRST: 4} if time_ms == 1_500 else {}

    def move(self, group, positions):
        self.moved = (group, positions)


def put_snapshot(folder, offset):
    """Make a snapshot of the first partition, as far as its name goes."""
    place = folder / owner_of(0) / f"{offset:020d}"
    place.mkdir(parents=True)
    (place / MANIFEST_FILE).touch()


class Consumer:
    def bounds(self, partition, timeout_s):
        assert timeout_s == 3.0
        return BOUNDS[partition]

    def committed(self, partitions, timeout_s):
        assert timeout_s == 3.0
        return {p: Committed(7) if p == FIRST else None for p in partitions}


def group(*members):
    return Group("g", Admin(*members), Consumer(), timeout_s=3.0, session_timeout_s=45.0)


@pytest.mark.parametrize(
    ("target", "offsets"),
    [(Earliest(), [2, 0]), (AtOffset(3), [3, 3]), (AtTime(1.5), [4, 5]), (AtTime(2.0), [9, 5])],
)
def test_a_target_is_an_offset_in_each_partition(target, offsets, tmp_path):
    moves = group().moves(target, [FIRST, SECOND], LocalStore(tmp_path))
    assert [move.after for move in moves] == offsets
    assert [move.before for move in moves] == [7, None]


@pytest.mark.parametrize(("offset", "number"), [(1, 0), (6, 1), (10, 0)])
def test_an_offset_that_a_partition_does_not_have_is_refused(offset, number, tmp_path):
    with pytest.raises(SettingsError, match=f"partition {number} of views has the offsets"):
        group().moves(AtOffset(offset), [FIRST, SECOND], LocalStore(tmp_path))


@pytest.mark.parametrize("offset", [2, 9])
def test_both_ends_of_a_partition_are_offsets_to_go_to(offset, tmp_path):
    assert group().moves(AtOffset(offset), [FIRST], LocalStore(tmp_path))[0].after == offset


def test_the_snapshot_at_or_below_is_the_one_that_is_named(tmp_path):
    for offset in (1, 3, 4, 8):
        put_snapshot(tmp_path, offset)
    (move,) = group().moves(AtOffset(4), [FIRST], LocalStore(tmp_path))
    assert (move.snapshot, move.n_unused) == (4, 1)
    (move,) = group().moves(AtOffset(4), [SECOND], LocalStore(tmp_path))
    assert (move.snapshot, move.n_unused) == (None, 0)


@pytest.mark.parametrize(
    ("snapshot", "after", "is_missing"),
    [(None, 2, False), (None, 4, True), (1, 4, True), (1, 2, True), (2, 4, False), (4, 4, False)],
)
def test_views_that_a_state_needs_and_retention_deleted_are_missing(
    snapshot, after, is_missing, tmp_path
):
    if snapshot is not None:
        put_snapshot(tmp_path, snapshot)
    (move,) = group().moves(AtOffset(after), [FIRST], LocalStore(tmp_path))
    assert move.is_missing is is_missing


def test_what_is_committed_names_the_snapshot_as_a_worker_does(tmp_path):
    put_snapshot(tmp_path, 3)
    workers = group()
    workers.carry_out(workers.moves(AtOffset(4), [FIRST, SECOND], LocalStore(tmp_path)))
    positions = {FIRST: Committed(4, '{"snapshot":3}'), SECOND: Committed(4, '{"snapshot":null}')}
    assert workers.admin.moved == ("g", positions)


def test_a_group_with_members_is_refused_by_their_names():
    group().check_at_rest()
    named, nameless = Member("g-0", "/10.0.0.1", "g-0-5f"), Member("m-77", "/10.0.0.2", "m-77")
    with pytest.raises(GroupAliveError) as caught:
        group(named, nameless).check_at_rest()
    assert "g-0 on /10.0.0.1, m-77 on /10.0.0.2; stop the workers first" in str(caught.value)
    assert "wait: g-0 stay in the group until 45 s (kafka.session.timeout.ms)" in str(caught.value)
    with pytest.raises(GroupAliveError, match=r"stop the workers first$"):
        group(nameless).check_at_rest()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "say where to by one of --to-earliest, --to-datetime, --to-offset and --by-duration"),
        (["--to-earliest", "--to-offset", "1"], "say where to by one of"),
        (["--to-datetime", "yesterday"], "'yesterday' is no time"),
        (["--to-datetime", "+2d"], "'+2d' is no time of a topic; --by-duration goes back from"),
        (["--by-duration", "P1D"], "'P1D' is no duration like 90m, 12h, 2d, 1w"),
        (["--by-duration", "+1d"], "'+1d' is no duration"),
        (["--to-earliest"], "kafka.bootstrap.servers is not set"),
    ],
)
def test_what_names_no_place_is_refused(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["reset", *arguments])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert sentence in line


@pytest.mark.parametrize("value", ["-1", "x", "1.5"])
def test_an_offset_that_is_none_is_refused(value):
    assert CliRunner().invoke(main, ["reset", "--to-offset", value]).exit_code == 2
