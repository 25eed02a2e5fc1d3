"""Settings as a replay sees them, and logs that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Whole
from tests.replays import driftline, read_lines, refusal


class TestPrecedenceOfSettings:
    """A flag wins over ``--set``, a variable, the file and the default, in this order."""

    def length(self, whole: Whole, *flags: object, **environ: Any) -> int:
        before, after = flags[: flags.index("|")], flags[flags.index("|") + 1 :]
        command = ("replay", "--quiet", "--json", whole.log, "--limit", 20, *after)
        result = driftline(*before, *command, **environ)
        assert result.exit_code == 0, result.output
        k: int = json.loads(result.stdout)["k"]
        return k

    def test_each_layer_wins_over_the_ones_below(self, tmp_path: Path, whole: Whole) -> None:
        file = tmp_path / "settings.toml"
        file.write_text("[engine]\nk = 3\n")
        variable = {"DRIFTLINE_ENGINE_K": "4"}
        config, override = ("--config", file), ("--set", "engine.k=5")
        assert self.length(whole, "|") == 10
        assert self.length(whole, *config, "|") == 3
        assert self.length(whole, *config, "|", **variable) == 4
        assert self.length(whole, *config, *override, "|", **variable) == 5
        assert self.length(whole, *config, *override, "|", "--k", 6, **variable) == 6

    def test_a_file_can_be_named_by_a_variable(self, tmp_path: Path, whole: Whole) -> None:
        file = tmp_path / "settings.toml"
        file.write_text("[engine]\nk = 3\n")
        assert self.length(whole, "|", DRIFTLINE_CONFIG=str(file)) == 3

    def test_an_unknown_name_is_refused_with_a_suggestion(self, whole: Whole) -> None:
        log = ("replay", "--quiet", whole.log)
        said = refusal(*log, DRIFTLINE_ENGINE_KK="3")
        assert said == "unknown variable DRIFTLINE_ENGINE_KK; did you mean DRIFTLINE_ENGINE_K?"
        assert "did you mean engine.k?" in refusal("--set", "engine.kk=3", *log)
        said = refusal("--set", "engine.k=many", *log)
        assert said == "flag: engine.k must be a whole number >= 1 and <= 100, not 'many'"


class TestALogThatCannotBeRead:
    """One clear sentence, exit code 2, and never a traceback."""

    def said(self, log: object, *flags: object, stdin: bytes | None = None) -> str:
        return refusal("replay", "--quiet", log, *flags, stdin=stdin)

    def test_it_is_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "nothing.jsonl"
        assert self.said(path) == f"{path}: no such file or directory"

    @pytest.mark.parametrize("name", ["log.jsonl", "log.csv", "log.tsv", "log.jsonl.zst"])
    def test_it_is_empty(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.touch()
        assert self.said(path) == f"{path}: empty"
        assert self.said("-", stdin=b"") == "standard input: empty"

    def test_its_header_lacks_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_text("user_id,when\n1,2022-01-01\n")
        said = self.said(path)
        assert said.startswith(f"{path}: no column for content_id")
        assert "when" in said

    def test_it_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_bytes(bytes(range(128, 256)))
        assert self.said(path).startswith(f"{path}: its first line is no header")

    def test_it_is_no_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "log.parquet"
        path.write_bytes(b"PAR1 and no more")
        assert self.said(path).startswith(f"{path}: damaged Parquet file")

    def test_it_is_cut_short(self, tmp_path: Path, whole: Whole) -> None:
        path, trace = tmp_path / "log.jsonl.gz", tmp_path / "trace"
        path.write_bytes(gzip.compress(whole.log.read_bytes())[:-20_000])
        said = self.said(path, "--content", whole.content, "--trace", trace)
        assert said.startswith(f"{path}: the compressed stream ends early after record ")
        n_read = int(said.rpartition(" ")[2])
        assert n_read > 1000
        assert read_lines(trace) == whole.trace[:n_read]

    def test_it_is_not_compressed_as_its_name_says(self, tmp_path: Path, whole: Whole) -> None:
        path = tmp_path / "log.jsonl.gz"
        path.write_bytes(whole.log.read_bytes())
        assert self.said(path) == f"{path}: its name says gzip, its bytes do not"

    def test_its_name_says_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "log.xyz"
        path.touch()
        assert self.said(path).startswith(f"{path}: unknown extension")

    def test_its_folder_is_empty(self, tmp_path: Path) -> None:
        assert self.said(tmp_path).startswith(f"{tmp_path}: no logs in this directory")

    def test_the_catalogue_is_missing(self, tmp_path: Path, whole: Whole) -> None:
        path = tmp_path / "content.jsonl"
        assert self.said(whole.log, "--content", path) == f"{path}: no such file or directory"

    def test_a_rule_a_time_or_a_column_makes_no_sense(self, whole: Whole) -> None:
        said = self.said(whole.log, "--positive", "stars > 3")
        assert said.startswith("engine.positive: expected one of rating, watch_ratio, event_type")
        assert self.said(whole.log, "--from", "yesterday").startswith("'yesterday' is no time")
        assert self.said(whole.log, "--map", "user_id").startswith("--map user_id: write it as")
        assert "no such field" in self.said(whole.log, "--map", "film=x")
        assert "must be below" in self.said(whole.log, "--rating-min", 5, "--rating-max", 1)
        assert self.said(whole.log, "--k", 0).startswith("flag: engine.k must be")
        assert self.said(whole.log, "--partitions", 0).startswith("flag: replay.partitions must")
