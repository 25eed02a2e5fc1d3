from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zstandard
from click.testing import CliRunner, Result

from models.people import DEVICES
from models.viewing import views
from models.world import World, WorldSettings
from streams.cli.simulate import command
from streams.decoding import JsonDecoder
from streams.errors import InputError, SettingsError
from streams.scenarios import NAMED
from streams.simulator import SimulatedLog, view_lines, write_simulation
from streams.title_names import GENRES, creator_name, title_name
from streams.truth import read_truth

if TYPE_CHECKING:
    from streams.events import Content, View

N_EVENTS = 3_000


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldSettings(n_users=200, n_titles=300, days=10, seed=2))


@pytest.fixture(scope="module")
def log(world: World, tmp_path_factory: pytest.TempPathFactory) -> SimulatedLog:
    log = SimulatedLog.in_folder(tmp_path_factory.mktemp("simulated"))
    write_simulation(world, N_EVENTS, log)
    return log


def read_events(log: SimulatedLog) -> list[View]:
    decoder = JsonDecoder()
    return [decoder.decode_view(line) for line in log.events.read_bytes().splitlines()]


def read_content(log: SimulatedLog) -> list[Content]:
    decoder = JsonDecoder()
    return [decoder.decode_content(line) for line in log.content.read_bytes().splitlines()]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_log_holds_the_views_of_the_world_in_order(world: World, log: SimulatedLog) -> None:
    events = read_events(log)
    expected = np.concatenate(list(views(world, N_EVENTS)))
    assert [event.event_time for event in events] == expected["event_time"].tolist()
    assert [event.user_id for event in events] == [f"u{user + 1}" for user in expected["user"]]
    devices = np.array(list(DEVICES))[world.people.device[expected["user"]]]
    assert [event.device for event in events] == devices.tolist()
    ratings = [np.nan if event.rating is None else event.rating for event in events]
    assert np.array_equal(ratings, expected["rating"], equal_nan=True)
    watched = [np.nan if event.view_time is None else event.view_time for event in events]
    assert np.array_equal(watched, expected["view_time"], equal_nan=True)


def test_the_catalogue_knows_every_title_watched_and_its_duration(log: SimulatedLog) -> None:
    content = {title.content_id: title for title in read_content(log)}
    assert list(content) == [f"t{number}" for number in range(1, 301)]
    for event in read_events(log):
        duration = content[event.content_id].duration
        assert duration is not None
        assert (event.view_time or 0) <= duration


def test_titles_have_a_name_of_their_own_with_the_year_of_release(log: SimulatedLog) -> None:
    content = read_content(log)
    assert len({title.title for title in content}) == len(content)
    for title in content:
        assert title.released is not None
        year = datetime.fromtimestamp(title.released, UTC).year
        assert re.fullmatch(rf"[A-Z].+ \({year}\)", title.title or "")


def test_the_catalogue_has_genres_and_creators(log: SimulatedLog) -> None:
    for title in read_content(log):
        assert 1 <= len(title.genres) <= 2
        assert set(title.genres) <= set(GENRES)
        assert len(title.creators) == 1


def test_names_never_repeat() -> None:
    edges = [*range(9_000), *range(262_144, 271_000), 600_000, 10**9]
    assert len({title_name(number) for number in edges}) == len(edges)
    assert len({creator_name(number) for number in range(2_000)}) == 2_000


def test_the_same_seed_writes_the_same_bytes(
    world: World, log: SimulatedLog, tmp_path: Path
) -> None:
    again = SimulatedLog.in_folder(tmp_path / "new" / "folder")
    write_simulation(World(world.settings), N_EVENTS, again)
    assert again.events.read_bytes() == log.events.read_bytes()
    assert again.content.read_bytes() == log.content.read_bytes()


@pytest.mark.parametrize("chunk_size", [1, 97, 2_999, 10_000])
def test_the_chunk_size_changes_no_byte(world: World, log: SimulatedLog, chunk_size: int) -> None:
    chunks = views(world, N_EVENTS, chunk_size=chunk_size)
    lines = [line for chunk in chunks for line in view_lines(world, chunk)]
    assert b"".join(lines) == log.events.read_bytes()


def test_compressed_logs_are_the_same_log(world: World, log: SimulatedLog, tmp_path: Path) -> None:
    zipped, squeezed = (SimulatedLog.in_folder(tmp_path, kind) for kind in ("gz", "zst"))
    write_simulation(world, N_EVENTS, zipped)
    first = zipped.events.read_bytes()
    write_simulation(world, N_EVENTS, zipped, overwrite=True)
    write_simulation(world, N_EVENTS, squeezed, overwrite=True)
    assert zipped.events.read_bytes() == first
    assert gzip.decompress(first) == log.events.read_bytes()
    with squeezed.events.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    assert text == log.events.read_bytes()
    assert len(first) < log.events.stat().st_size / 2


def test_progress_counts_every_view(world: World, tmp_path: Path) -> None:
    steps: list[int] = []
    write_simulation(world, N_EVENTS, SimulatedLog.in_folder(tmp_path), progress=steps.append)
    assert sum(steps) == N_EVENTS


@pytest.mark.parametrize("name", ["events.jsonl", "content.jsonl"])
def test_files_that_are_there_are_not_replaced(world: World, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name} is there already; --force"):
        write_simulation(world, N_EVENTS, SimulatedLog.in_folder(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_an_interrupted_run_leaves_no_log(world: World, tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    log = SimulatedLog.in_folder(tmp_path)
    write_simulation(world, 10, log)
    with pytest.raises(KeyboardInterrupt):
        write_simulation(world, N_EVENTS, log, overwrite=True, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["content.jsonl"]


def test_a_folder_that_cannot_be_made_is_an_input_error(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the simulated log"):
        write_simulation(world, N_EVENTS, SimulatedLog.in_folder(tmp_path / "file"))


def test_more_views_than_people_have_time_for_write_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ask for more users or days"):
        write_simulation(world, 12_001, SimulatedLog.in_folder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_what_it_was_asked_for(log: SimulatedLog, tmp_path: Path) -> None:
    size = ("--events", "3000", "--users", "200", "--titles", "300", "--days", "10", "--seed", "2")
    result = run(*size, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'events.jsonl'}\n{tmp_path / 'content.jsonl'}\n"
    assert "simulating" in result.stderr
    assert (tmp_path / "events.jsonl").read_bytes() == log.events.read_bytes()


def test_the_command_replaces_files_only_when_forced(tmp_path: Path) -> None:
    arguments = ("--events", "50", "--users", "20", "--titles", "30", "--out", tmp_path)
    assert run(*arguments).exit_code == 0
    assert isinstance(run(*arguments, "--seed", "1").exception, InputError)
    before = (tmp_path / "events.jsonl").read_bytes()
    assert run(*arguments, "--seed", "1", "--force").exit_code == 0
    assert (tmp_path / "events.jsonl").read_bytes() != before


def test_the_command_compresses(tmp_path: Path) -> None:
    result = run("--events", "50", "--users", "20", "--compress", "gz", "--out", tmp_path)
    assert result.exit_code == 0
    assert gzip.decompress((tmp_path / "events.jsonl.gz").read_bytes()).count(b"\n") == 50


def test_the_command_names_a_setting_below_its_minimum(tmp_path: Path) -> None:
    error = run("--users", "0", "--out", tmp_path).exception
    assert isinstance(error, SettingsError)
    assert str(error) == "n_users must be at least 1, not 0"


SIZE = ("--events", "2000", "--users", "200", "--titles", "300", "--days", "10")


def test_the_command_plants_a_scenario_and_says_where_the_truth_is(tmp_path: Path) -> None:
    result = run(*SIZE, "--out", tmp_path, "--scenario", "taste-flip", "--at", "0.25")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(tmp_path / "truth.jsonl")
    (truth,) = read_truth(tmp_path / "truth.jsonl")
    assert truth.begin_line == pytest.approx(500, abs=60)


def test_the_command_overrides_strength_and_scope_and_compresses_beside_the_truth(
    tmp_path: Path,
) -> None:
    more = ("--strength", "0.4", "--scope", "device:phone", "--at", "900", "--compress", "gz")
    result = run(*SIZE, "--out", tmp_path, "--scenario", "taste-flip", *more)
    assert result.exit_code == 0, result.output
    (truth,) = read_truth(tmp_path / "truth.jsonl")
    assert (truth.strength, truth.scope) == (0.4, "device:phone")
    assert len(gzip.decompress((tmp_path / "events.jsonl.gz").read_bytes()).splitlines()) == 2_000


def test_the_command_takes_a_file_and_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[change]]\nkind = "bots"\nbegin = 0.5\n')
    assert run(*SIZE, "--out", tmp_path, "--scenario", path).exit_code == 0
    path.write_text('[[change]]\nkind = "bots"\nbegin = 2.5\n')
    error = run(*SIZE, "--out", tmp_path, "--scenario", path, "--force").exception
    assert isinstance(error, InputError)
    assert "mine.toml, line 3, change 1: begin: 2.5 is no share of the log" in str(error)


def test_the_command_lists_scenarios_without_writing_anything() -> None:
    result = run("--scenarios")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.splitlines()]
    assert listed == ["name", *NAMED]


def test_the_command_plants_into_a_recorded_log(log: SimulatedLog, tmp_path: Path) -> None:
    given = ("--perturb", log.events, "--content", log.content, "--scenario", "permute-items")
    result = run(*given, "--at", "1000", "--scope", "genre:Drama", "--out", tmp_path, "--seed", "3")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'events.jsonl'}\n{tmp_path / 'truth.jsonl'}\n"
    before, after = (
        path.read_bytes().splitlines() for path in (log.events, tmp_path / "events.jsonl")
    )
    assert before[:1000] == after[:1000]
    (truth,) = read_truth(tmp_path / "truth.jsonl")
    changed = [n for n, pair in enumerate(zip(before, after, strict=True), 1) if len({*pair}) > 1]
    assert truth.begin_line <= changed[0]
    assert truth.n_lines >= len(changed) > 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--perturb", "x.csv"), "--perturb needs a --scenario to plant"),
        (("--at", "0.3"), "--at changes a --scenario, and none is named"),
        (("--strength", "0.3"), "--strength changes a --scenario, and none is named"),
        (("--perturb", "x", "--scenario", "bots", "--users", "5"), "--users has no meaning with"),
        (("--content", "x.csv"), "--content goes with --perturb"),
        (("--map", "user_id=x"), "--map goes with --perturb"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    error = run(*arguments, "--out", tmp_path).exception
    assert isinstance(error, SettingsError)
    assert str(error).startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_no_world_can_have_writes_nothing(tmp_path: Path) -> None:
    for more in (("--scenario", "tast"), ("--scenario", "bots", "--scope", "device:x")):
        assert isinstance(run(*SIZE, "--out", tmp_path, *more).exception, InputError)
    assert list(tmp_path.iterdir()) == []
