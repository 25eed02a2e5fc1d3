"""Run benchmarks and write ``benchmarks/results/<name>.md``: ``python -m benchmarks [NAME …]``.

Options behind the name of one benchmark are its own; what ``--quick`` gives is shown, not kept.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import time

from benchmarks.measuring import ROOT, machine

NAMES = (
    "startup",
    "quality",
    "speed",
    "worker",
    "monitoring",
    "scale",
    "scenarios",
    "drift",
    "drift_calibration",
)
WORK = ROOT / "data" / "benchmarks"
RESULTS = ROOT / "benchmarks" / "results"


def main(words: list[str]) -> None:
    """Run the named benchmarks, or all."""
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    options = words[len(names) :]
    if options and len(names) != 1:
        sys.exit(f"{options[0]} is an option of one benchmark; name that")
    unknown = set(names) - set(NAMES)
    if unknown:
        sys.exit(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    RESULTS.mkdir(exist_ok=True)
    for name in names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} …", flush=True)
        found = module.measure(WORK, options) if options else module.measure(WORK)
        text = (
            f"# {name.capitalize()}\n\n{module.__doc__}\n{found}\n\n"
            f"Made by `python -m benchmarks {name}` on {time.strftime('%Y-%m-%d')}; {machine()}.\n"
        )
        if "--quick" not in options:
            (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
