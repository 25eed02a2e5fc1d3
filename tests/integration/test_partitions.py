"""A log split by user as a topic would be: each partition is a replay of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.partitioning import partition_for
from tests.integration.conftest import Whole
from tests.replays import driftline, read_lines, refusal, replay, result_of, without_line

N_PARTITIONS = 4


def files(folder: Path) -> tuple[object, ...]:
    return ("--trace", folder / "trace.jsonl", "--output", folder / "output.jsonl")


@pytest.fixture(scope="module")
def split(
    whole: Whole, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path, list[dict[str, Any]]]:
    """Replay in four partitions; return the summary, its files, and the four logs alone."""
    folder = tmp_path_factory.mktemp("split")
    flags = ("--content", whole.content, "--partitions", N_PARTITIONS)
    summary = replay(whole.log, *flags, *files(folder))
    alone = []
    for partition in range(N_PARTITIONS):
        own = tmp_path_factory.mktemp(f"partition{partition}")
        lines = [
            line
            for line in whole.log.read_bytes().splitlines(keepends=True)
            if partition_for(json.loads(line)["user_id"], N_PARTITIONS) == partition
        ]
        log = own / "log.jsonl"
        log.write_bytes(b"".join(lines))
        found = replay(log, "--content", whole.content, *files(own))
        outputs = {what: read_lines(own / f"{what}.jsonl") for what in ("trace", "output")}
        alone.append({"summary": found, **outputs})
    return summary, folder, alone


def test_each_partition_is_a_replay_of_its_own_list_for_list(split: Any) -> None:
    _, folder, alone = split
    for what in ("trace", "output"):
        together: list[list[dict[str, Any]]] = [[] for _ in range(N_PARTITIONS)]
        for record in read_lines(folder / f"{what}.jsonl"):
            together[partition_for(record["user_id"], N_PARTITIONS)].append(record)
        for records, own in zip(together, alone, strict=True):
            assert len(records) > 100
            expected = [{**r, "based_on": None} for r in without_line(own[what])]
            assert [{**r, "based_on": None} for r in without_line(records)] == expected


def test_the_reports_are_in_the_order_of_the_log(split: Any) -> None:
    _, folder, _ = split
    lines = [line["line"] for line in read_lines(folder / "trace.jsonl")]
    assert lines == sorted(lines)
    assert [r["based_on"]["line"] for r in read_lines(folder / "output.jsonl")] == lines


def test_the_summary_is_over_all_partitions(split: Any) -> None:
    summary, _, alone = split
    parts = [part["summary"] for part in alone]
    for name in ("events", "judged", "cold", "repeats", "records"):
        assert summary[name] == sum(part[name] for part in parts)
    for metric in ("recall@10", "ndcg@10", "mrr@10"):
        mean = sum(part[metric] * part["judged"] for part in parts) / summary["judged"]
        assert summary[metric] == pytest.approx(mean, abs=1e-12)
    for name, count in summary["quality"].items():
        assert count == sum(part["quality"][name] for part in parts)
    for name, scores in summary["segments"].items():
        assert scores["judged"] == sum(part["segments"][name]["judged"] for part in parts)


def test_batches_change_nothing_in_partitions_either(whole: Whole, tmp_path: Path) -> None:
    flags = ("--content", whole.content, "--partitions", N_PARTITIONS, "--limit", 800)
    found = []
    for size in ("5", "2048"):
        trace = tmp_path / f"{size}.jsonl"
        summary = replay(whole.log, *flags, "--trace", trace, DRIFTLINE_REPLAY_BATCH_SIZE=size)
        found.append((result_of(summary), read_lines(trace)))
    assert found[0] == found[1]


def test_a_snapshot_in_partitions_resumes_list_for_list(whole: Whole, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    flags = ("--content", whole.content, "--partitions", 3)
    paths = [tmp_path / f"{name}.jsonl" for name in ("whole", "first", "second")]
    expected = replay(whole.log, *flags, "--trace", paths[0])
    replay(whole.log, *flags, "--trace", paths[1], "--limit", 1111, "--snapshot-to", saved)
    found = replay(whole.log, "--partitions", 3, "--trace", paths[2], "--resume", saved)
    assert result_of(found) == result_of(expected)
    assert read_lines(paths[1]) + read_lines(paths[2]) == read_lines(paths[0])


def test_a_user_is_answered_by_the_partition_that_holds_them(whole: Whole, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    replay(whole.log, "--content", whole.content, "--partitions", 3, "--snapshot-to", saved)
    users = sorted({record["user_id"] for record in whole.output})[:3]
    assert len({partition_for(user, 3) for user in users}) > 1
    for user in users:
        result = driftline("recommend", "--snapshot", saved, "--user", user, "--json")
        assert json.loads(result.stdout)["is_known"]


def test_a_snapshot_of_other_partitions_is_refused(whole: Whole, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    replay(whole.log, "--partitions", 2, "--limit", 100, "--snapshot-to", saved)
    more = refusal("replay", whole.log, "--quiet", "--partitions", 3, "--resume", saved)
    assert "cannot resume: no snapshot of a replay with as many partitions" in more
    fewer = refusal("replay", whole.log, "--quiet", "--partitions", 1, "--resume", saved)
    assert fewer == f"{saved}: made under other settings: replay.partitions was 2 and is 1"
