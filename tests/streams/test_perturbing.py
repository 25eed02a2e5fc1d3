"""Scenarios planted into recorded logs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from streams import change_kinds as kinds
from streams.change_kinds import Change
from streams.columns import parse_column_map
from streams.decoding import JsonDecoder
from streams.errors import InputError
from streams.events import View, encode_view
from streams.logs import LogOptions
from streams.perturbing import Perturbation, Recorded, write_perturbed
from streams.scenarios import NAMED, Scenario
from streams.simulator import SimulatedLog
from streams.truth import LogExtent, PlantedChange, read_truth

N = 1_000
VIEWS = [
    View(
        f"{n % 17}",
        f"{n * n % 101}",
        1e9 + n,
        view_time=1.0 + n % 60,
        device="tv" if n % 3 else "web",
    )
    for n in range(N)
]
GENRES = {str(n): ("Noir" if n % 5 == 0 else "War", "Old") for n in range(101)}


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    path, content = tmp_path / "log.jsonl", tmp_path / "content.jsonl"
    path.write_bytes(b"\n".join(map(encode_view, VIEWS)) + b"\n")
    titles = ({"content_id": name, "genres": genres} for name, genres in GENRES.items())
    content.write_text("\n".join(map(json.dumps, titles)))
    return Recorded([str(path)], LogOptions(), str(content))


def perturbed(
    recorded: Recorded, *changes: Change, seed: int = 0
) -> tuple[list[bytes], list[PlantedChange]]:
    log = SimulatedLog.in_folder(Path(recorded.paths[0]).parent / "out")
    scenario = Scenario("test", "", changes)
    write_perturbed(Perturbation.of(recorded, scenario, seed), log, overwrite=True)
    lines = log.events.read_bytes().splitlines()
    return lines, read_truth(log.truth, LogExtent(len(lines), 1e9, 1e9 + N))


def views_of(lines: list[bytes]) -> list[View]:
    return [JsonDecoder().decode_view(line) for line in lines]


def refusal(recorded: Recorded, *changes: Change) -> str:
    with pytest.raises(InputError) as caught:
        perturbed(recorded, *changes)
    return str(caught.value)


def test_nothing_planted_is_the_same_log(recorded: Recorded) -> None:
    lines, truth = perturbed(recorded)
    assert b"\n".join(lines) + b"\n" == Path(recorded.paths[0]).read_bytes()
    assert truth == []


def test_ids_are_permuted_from_exactly_that_event_on(recorded: Recorded) -> None:
    lines, (truth,) = perturbed(recorded, kinds.Permute(begin=600))
    views = views_of(lines)
    assert views[:600] == VIEWS[:600]
    pairs = {(old.content_id, new.content_id) for old, new in zip(VIEWS, views, strict=True)}
    new = {old: name for old, name in pairs if old != name}
    ids = {view.content_id for view in VIEWS}
    assert sorted(new) == sorted(new.values())
    assert set(new) <= ids
    assert len(new) > len(ids) - 6
    assert (truth.begin_line, truth.end_line, truth.n_lines) == (601, 1_000, 400)
    assert (truth.begin_event_time, truth.end_event_time) == (1e9 + 600, None)


def test_every_permutation_of_the_ids_of_the_whole_log_is_as_likely(recorded: Recorded) -> None:
    first = [
        views_of(perturbed(recorded, kinds.Permute(begin=999), seed=s)[0])[-1] for s in range(12)
    ]
    assert len({view.content_id for view in first}) > 6


def test_ids_of_a_genre_are_permuted_among_its_titles(recorded: Recorded) -> None:
    lines, (truth,) = perturbed(recorded, kinds.Permute(begin=0.5, scope="genre:Noir"))
    for number, (old, new) in enumerate(zip(VIEWS, views_of(lines), strict=True), 1):
        assert GENRES[old.content_id] == GENRES[new.content_id]
        if GENRES[old.content_id][0] != "Noir" or number <= 500:
            assert new == old
    n_noir = sum(GENRES[view.content_id][0] == "Noir" for view in VIEWS[500:])
    assert truth.n_lines == n_noir


def test_a_time_is_the_first_event_of_that_time_or_later(recorded: Recorded) -> None:
    lines, (truth,) = perturbed(
        recorded, kinds.Unit(begin="+300s", end="2001-09-09T01:55:00", factor=100)
    )
    changed = [
        n for n, (old, new) in enumerate(zip(VIEWS, views_of(lines), strict=True)) if old != new
    ]
    assert changed == list(range(300, 500))
    assert (truth.begin_line, truth.end_line) == (301, 500)
    assert truth.end_event_time == VIEWS[499].event_time


def test_other_formats_and_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    rows = (f"{v.user_id},{v.content_id},{v.event_time},{v.device}" for v in VIEWS)
    path.write_bytes(gzip.compress("\n".join(["who,content_id,timestamp,on", *rows]).encode()))
    options = LogOptions(parse_column_map(["user_id=who", "device=on"]))
    lines, (truth,) = perturbed(
        Recorded([str(path)], options), kinds.Clock(begin=0.5, scope="device:web", hours=1)
    )
    for number, (old, new) in enumerate(zip(VIEWS, views_of(lines), strict=True)):
        is_off = number >= 500 and old.device == "web"
        assert new.event_time == old.event_time + 3600 * is_off
        assert (new.user_id, new.device) == (old.user_id, old.device)
    assert truth.scope == "device:web"


def test_records_that_are_no_views_stay_where_they_are(recorded: Recorded) -> None:
    path = Path(recorded.paths[0])
    good = path.read_bytes().splitlines()
    bad = [b"{", b'{"user_id":3}', b'{"user_id":"\xff"}']
    path.write_bytes(b"\n".join([*bad, *good[:500], *bad, b"", *good[500:], *bad]))
    lines, (truth,) = perturbed(recorded, kinds.Permute(begin=800))
    assert lines[:3] == lines[503:506] == lines[-3:] == bad
    assert (truth.begin_line, truth.end_line) == (801, 1_006)


def test_the_same_seed_writes_the_same_bytes(recorded: Recorded) -> None:
    changes = (kinds.Permute(begin=0.5), kinds.Bots(begin=0.2), kinds.Missing(begin=0.1))
    one, other = (perturbed(recorded, *changes) for _ in range(2))
    assert one == other
    assert perturbed(recorded, *changes, seed=1)[0] != one[0]


@pytest.mark.parametrize("name", ["unit-change", "field-missing", "stuck-client", "bots"])
def test_named_input_faults_can_be_planted(name: str, recorded: Recorded) -> None:
    _, (truth,) = perturbed(recorded, *NAMED[name].changes)
    assert truth.begin_line == pytest.approx(500, abs=20)
    assert truth.kind == NAMED[name].changes[0].kind


def test_a_change_that_needs_a_world_is_refused(recorded: Recorded) -> None:
    assert "a taste change needs a simulated log" in refusal(recorded, kinds.Taste(begin=0.5))


def test_standard_input_is_refused() -> None:
    once = Recorded(["-"], LogOptions())
    with pytest.raises(InputError, match="standard input can be read only once"):
        Perturbation.of(once, NAMED["bots"])


def test_a_log_without_views_is_refused(recorded: Recorded) -> None:
    Path(recorded.paths[0]).write_text("{}\n{}\n")
    assert refusal(recorded, kinds.Bots(begin=0.5)).endswith("log.jsonl: no view in 2 records")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (kinds.Unit(begin=1_000), "1000 is not before the end of the log"),
        (kinds.Unit(begin=1_001), "1001 is outside the log, which has 1000 events"),
        (kinds.Unit(begin="+1d"), "outside the log, which goes from 1000000000 to 1000000999 s"),
        (kinds.Unit(begin=0.5, end=0.5), "0.5 is not before its end, 0.5"),
        (kinds.Unit(begin=0.5, scope="genre:Noire"), "no title has the genre Noire; did you mean"),
        (
            kinds.Unit(begin=0.5, scope="device:fridge"),
            "in no line of the log; is there device:fri",
        ),
        (kinds.Missing(begin=0.5, field="rating"), "it shows in no line of the log"),
        (kinds.Unit(begin="soon"), "'soon' is no time"),
    ],
)
def test_a_change_that_the_log_cannot_have_is_refused(
    change: Change, said: str, recorded: Recorded
) -> None:
    assert said in refusal(recorded, change)


def test_a_genre_needs_a_catalogue(recorded: Recorded) -> None:
    bare = Recorded(recorded.paths, recorded.options)
    said = refusal(bare, kinds.Permute(begin=0.5, scope="genre:Noir"))
    assert said == "scenario test, change 1: scope: say with --content which titles have it"


def test_files_that_are_there_are_not_replaced_and_a_refusal_leaves_none(
    recorded: Recorded, tmp_path: Path
) -> None:
    log = SimulatedLog.in_folder(tmp_path)
    (tmp_path / "truth.jsonl").write_text("mine")
    perturbation = Perturbation.of(recorded, NAMED["bots"])
    with pytest.raises(InputError, match=r"truth\.jsonl is there already; --force replaces it"):
        write_perturbed(perturbation, log)
    nowhere = Perturbation.of(
        recorded, Scenario("t", "", (kinds.Missing(begin=1, field="rating"),))
    )
    with pytest.raises(InputError, match="in no line"):
        write_perturbed(nowhere, SimulatedLog.in_folder(tmp_path / "new"))
    assert list((tmp_path / "new").iterdir()) == []
    assert (tmp_path / "truth.jsonl").read_text() == "mine"
