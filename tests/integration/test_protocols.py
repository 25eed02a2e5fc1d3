"""Every number of the summary, recomputed from the trace by a reader that knows only its format."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Whole
from tests.replays import read_lines, replay, result_of, simulated, tied, write_lines

Event = dict[str, Any]
LOGS = {"no ties": 0, "tie groups of half an hour": 1800, "one tie group a day": 86_400}
RULES = {"every view": "", "rating": "rating >= 7", "watched share": "watch_ratio >= 0.5"}


class Judged:
    """A log, its trace and its summary."""

    def __init__(self, log: Path, *arguments: object) -> None:
        trace, output = log.with_suffix(".trace"), log.with_suffix(".output")
        files = ("--trace", trace, "--output", output)
        self.summary = replay(log, *files, *arguments)
        self.events = [json.loads(line) for line in log.read_bytes().splitlines()]
        self.trace = read_lines(trace)
        self.output = read_lines(output)

    def pairs(self) -> list[tuple[Event, Event]]:
        """Return the events with their lines of the trace."""
        return [(self.events[line["line"] - 1], line) for line in self.trace]


@pytest.fixture(scope="module", params=LOGS, ids=str)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    grain = LOGS[request.param]
    lines = simulated()[0][:2_000]
    folder = tmp_path_factory.mktemp("judged")
    return write_lines(folder / "log.jsonl", tied(lines, grain) if grain else lines)


@pytest.fixture(scope="module")
def both(log: Path, whole: Whole) -> dict[str, Judged]:
    protocols = ("fresh", "served")
    return {p: Judged(log, "--protocol", p, "--content", whole.content) for p in protocols}


@pytest.fixture(params=["fresh", "served"])
def judged(request: pytest.FixtureRequest, both: dict[str, Judged]) -> Judged:
    return both[request.param]


def groups_of(judged: Judged) -> list[list[tuple[Event, Event]]]:
    """Return the tie groups of all users."""
    groups: dict[tuple[str, float], list[tuple[Event, Event]]] = {}
    for event, line in judged.pairs():
        groups.setdefault((event["user_id"], event["timestamp"]), []).append((event, line))
    return list(groups.values())


def test_the_trace_is_every_accepted_event_in_order(judged: Judged) -> None:
    lines = [line["line"] for line in judged.trace]
    assert lines == sorted(set(lines))
    assert len(lines) == judged.summary["events"] == judged.summary["quality"]["accepted"]
    for event, line in judged.pairs():
        assert set(line) == {"line", "user_id", "content_id", "items", "skipped", "rank"}
        assert (line["user_id"], line["content_id"]) == (event["user_id"], event["content_id"])


def test_a_list_is_novel_distinct_and_at_most_ten(judged: Judged) -> None:
    watched: dict[str, set[str]] = {}
    for group in groups_of(judged):
        consumed = watched.setdefault(group[0][0]["user_id"], set())
        for _, line in group:
            items = line["items"] or []
            assert len(items) == len(set(items)) <= 10
            assert consumed.isdisjoint(items)
        consumed |= {event["content_id"] for event, _ in group}


def test_the_first_tie_group_has_no_list_and_every_later_one_has_one(judged: Judged) -> None:
    seen = set()
    for group in groups_of(judged):
        user = group[0][0]["user_id"]
        lists = {json.dumps(line["items"]) for _, line in group}
        assert len(lists) == 1
        assert (lists == {"null"}) == (user not in seen)
        assert all((line["skipped"] == "cold") == (user not in seen) for _, line in group)
        seen.add(user)


def test_a_skipped_event_has_a_list_but_no_rank(judged: Judged) -> None:
    repeats = [line for line in judged.trace if line["skipped"] == "repeat"]
    assert repeats
    assert all(len(line["items"]) == 10 for line in repeats[-20:])
    assert all(line["rank"] is None for line in judged.trace if line["skipped"])


def test_a_rank_is_the_place_in_the_list(judged: Judged) -> None:
    for line in judged.trace:
        if line["skipped"] is None:
            items, title = line["items"], line["content_id"]
            assert line["rank"] == (items.index(title) + 1 if title in items else None)


def test_the_summary_can_be_recomputed(judged: Judged) -> None:
    watched: dict[str, set[str]] = {}
    skipped: Counter[str | None] = Counter()
    for event, line in judged.pairs():
        titles = watched.setdefault(event["user_id"], set())
        is_repeat = event["content_id"] in titles
        titles.add(event["content_id"])
        cold = line["items"] is None
        expected = "cold" if cold else "repeat" if is_repeat else None
        assert line["skipped"] == expected
        skipped[expected] += 1
    ranks = [line["rank"] for line in judged.trace if line["skipped"] is None]
    summary = judged.summary
    assert summary["judged"] == len(ranks) == skipped[None]
    assert (summary["cold"], summary["repeats"]) == (skipped["cold"], skipped["repeat"])
    check_scores(summary, ranks)
    half = len(ranks) // 2
    check_scores(summary["halves"]["first"], ranks[:half])
    check_scores(summary["halves"]["second"], ranks[half:])


def check_scores(scores: dict[str, Any], ranks: list[int | None]) -> None:
    hits = [rank for rank in ranks if rank is not None]
    n, recall = len(ranks), len(hits) / len(ranks)
    assert scores["recall@10"] == pytest.approx(recall, abs=1e-12)
    ndcg = sum(1 / math.log2(1 + rank) for rank in hits) / n
    assert scores["ndcg@10"] == pytest.approx(ndcg, abs=1e-12)
    assert scores["mrr@10"] == pytest.approx(sum(1 / rank for rank in hits) / n, abs=1e-12)
    error = math.sqrt(recall * (1 - recall) / n)
    assert scores["recall@10_se"] == pytest.approx(error, rel=0.01)


def test_the_segments_add_up_and_can_be_recomputed(judged: Judged) -> None:
    """New users have fewer than 5 accepted events, new titles fewer than 10 views."""
    segments = judged.summary["segments"]
    users: Counter[str] = Counter()
    titles: Counter[str] = Counter()
    found: dict[str, list[int | None]] = {name: [] for name in segments}
    for event, line in judged.pairs():
        user, title = event["user_id"], event["content_id"]
        if line["skipped"] is None:
            found["user:new" if users[user] < 5 else "user:known"].append(line["rank"])
            found["title:new" if titles[title] < 10 else "title:known"].append(line["rank"])
        users[user] += 1
        titles[title] += 1
    for name in ("user:new", "user:known", "title:new", "title:known"):
        assert segments[name]["judged"] == len(found[name])
        if found[name]:
            check_scores(segments[name], found[name])
    for name in ("title:head", "title:tail"):
        assert segments[name]["judged"] > 0
    n_head_and_tail = segments["title:head"]["judged"] + segments["title:tail"]["judged"]
    assert n_head_and_tail == judged.summary["judged"]


def test_a_served_list_is_the_one_emitted_after_the_preceding_tie_group(
    both: dict[str, Judged],
) -> None:
    served = both["served"]
    emitted = {
        record["based_on"]["line"]: [item["content_id"] for item in record["items"]]
        for record in served.output
    }
    latest: dict[str, list[str]] = {}
    n_lists = 0
    for group in groups_of(served):
        user = group[0][0]["user_id"]
        if user in latest:
            n_lists += 1
            assert group[0][1]["items"] == latest[user]
        latest[user] = emitted[group[-1][1]["line"]]
    assert n_lists > 100


def test_the_protocols_learn_the_same_and_judge_otherwise(both: dict[str, Judged]) -> None:
    fresh, served = both["fresh"], both["served"]
    assert fresh.output == served.output
    assert fresh.trace != served.trace
    for name in ("judged", "cold", "repeats", "baselines"):
        assert fresh.summary[name] == served.summary[name]
    skips = [[line["skipped"] for line in judged.trace] for judged in (fresh, served)]
    assert skips[0] == skips[1]


def test_the_default_protocol_is_fresh(whole: Whole) -> None:
    explicit = replay(whole.log, "--content", whole.content, "--protocol", "fresh")
    assert result_of(explicit) == result_of(whole.summary)


def is_positive(rule: str, event: Event, durations: dict[str, float]) -> bool | None:
    """Apply the rule; None where it rests on an imputed view time."""
    if rule == "rating":
        return bool(event.get("rating", 0.0) >= 7)
    if "view_time" not in event:
        return None
    return bool(event["view_time"] / durations[event["content_id"]] >= 0.5)


@pytest.mark.parametrize("rule", ["rating", "watched share"])
def test_only_positive_views_are_judged(tmp_path: Path, whole: Whole, rule: str) -> None:
    judged = Judged(
        write_lines(tmp_path / "log.jsonl", simulated()[0]),
        *("--positive", RULES[rule], "--content", whole.content),
    )
    titles = read_lines(whole.content)
    durations = {title["content_id"]: title["duration"] for title in titles}
    n = Counter(line["skipped"] for line in judged.trace)
    assert n["not positive"] == judged.summary["not_positive"] > 50
    assert n[None] == judged.summary["judged"] > 50
    for event, line in judged.pairs():
        positive = is_positive(rule, event, durations)
        if positive is not None and line["skipped"] in {None, "not positive"}:
            assert positive == (line["skipped"] is None)
    assert all(line["items"] for line in judged.trace if line["skipped"] == "not positive")
    check_scores(judged.summary, [x["rank"] for x in judged.trace if x["skipped"] is None])


def test_positive_event_types(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in simulated()[0][:400]]
    types = ("click", "like", "play")
    events = [{**event, "event_type": types[n % 3]} for n, event in enumerate(lines)]
    path = write_lines(tmp_path / "log.jsonl", [json.dumps(event).encode() for event in events])
    judged = Judged(path, "--positive", "event_type in click,like")
    for event, line in judged.pairs():
        if line["skipped"] in {None, "not positive"}:
            assert (line["skipped"] is None) == (event["event_type"] != "play")


def test_popularity_stands_beside_us_and_can_be_recomputed(tmp_path: Path) -> None:
    """The baseline of all time: novel titles by the views so far."""
    judged = Judged(write_lines(tmp_path / "log.jsonl", simulated()[0]))
    views: Counter[str] = Counter()
    watched: dict[str, set[str]] = {}
    at_least = at_most = 0
    for event, line in judged.pairs():
        title, seen = event["content_id"], watched.setdefault(event["user_id"], set())
        if line["skipped"] is None and views[title]:
            rivals = [n for other, n in views.items() if other not in seen and other != title]
            at_least += sum(n >= views[title] for n in rivals) < 10  # every tie lost
            at_most += sum(n > views[title] for n in rivals) < 10  # every tie won
        views[title] += 1
        seen.add(title)
    recall = judged.summary["baselines"]["popularity_all"]["recall@10"]
    n = judged.summary["judged"]
    assert at_least / n <= recall <= at_most / n
    assert judged.summary["recall@10"] > recall
