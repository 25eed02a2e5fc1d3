"""``driftline drift-bench``: detectors of drift side by side, on logs whose truth is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streams.cli import Invocation
    from streams.drift_bench import Case, Request

RESULTS, TABLES = "drift-bench.json", "drift-bench.md"


@click.command("drift-bench", short_help="Compare detectors of drift where the truth is known.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME|FILE.toml",
    help="What to plant; may be repeated. By default every scenario that has a name.",
)
@click.option("--events", type=click.IntRange(min=10_000), help="Of a log; by default 100,000.")
@click.option("--seeds", type=click.IntRange(min=1), help="Logs a scenario; by default 3.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the tables, their numbers as JSON, and a picture a scenario.",
)
@click.option("--quick", is_flag=True, help="Four scenarios, one log of 30,000 events each.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> None:
    """Compare driftline's episodes with River's detectors where the truth is known.

    Simulates logs with planted changes and scores what was noticed: delay, missed changes, false
    alarms, precision, recall and mean time ratio, beside an alarm every 5,000 events and beside no
    detector. A second table has recall before and after the change, with adaptation, without, and
    without any forgetting.
    """
    from tempfile import TemporaryDirectory

    from streams.drift_bench import cases_of

    request = _request(given)
    settings = invocation.load().settings
    n_cases = len(request.scenarios) * request.seeds
    with (
        TemporaryDirectory(prefix="drift-bench-") as name,
        click.progressbar(
            cases_of(request, settings, Path(name)),
            length=n_cases,
            label="benching",
            file=sys.stderr,
        ) as bar,
    ):
        cases = list(bar)
    _tell(request, cases, given)


def _request(given: dict[str, Any]) -> Request:
    from streams.drift_bench import QUICK, Request
    from streams.scenarios import NAMED, scenario_of

    is_quick = given["quick"]
    # `none` is another name of `stationary`; a permutation is for recorded logs as well.
    named = QUICK if is_quick else tuple(name for name in NAMED if name != "none")
    scenarios = given["scenarios"] or named
    for name in scenarios:
        scenario_of(name)
    return Request(
        scenarios=tuple(scenarios),
        n_events=given["events"] or (30_000 if is_quick else 100_000),
        seeds=given["seeds"] or (1 if is_quick else 3),
    )


def _tell(request: Request, cases: list[Case], given: dict[str, Any]) -> None:
    import msgspec

    from monitoring.drift_bench_tables import markdown
    from streams.drift_bench import detection_rows, recall_rows

    results = {
        **msgspec.to_builtins(request),
        "detection": detection_rows(cases, request.horizon),
        "recall": recall_rows(cases),
    }
    text = markdown(results)
    if given["out"] is not None:
        _write(given["out"], results, text, cases)
    click.echo(msgspec.json.encode(results) if given["as_json"] else text)


def _write(folder: Path, results: dict[str, Any], text: str, cases: list[Case]) -> None:
    import msgspec

    from monitoring.drift_picture import write_picture
    from streams.cli.drift_drawing import picture_of_case
    from streams.errors import InputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULTS).write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
        (folder / TABLES).write_text(f"{text}\n", encoding="utf-8")
        for case in cases:
            if case.seed == 0:
                write_picture(picture_of_case(case), folder / f"{case.scenario}.svg", (8, 3))
    except OSError as error:
        raise InputError(f"{error.filename}: cannot write: {error.strerror}") from error
