"""Run benchmarks and write ``benchmarks/results/<name>.md``: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import importlib
import sys
import time

from benchmarks.measuring import ROOT, machine

NAMES = ("startup", "quality", "speed", "worker", "scale")
WORK = ROOT / "data" / "benchmarks"
RESULTS = ROOT / "benchmarks" / "results"


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    unknown = set(names) - set(NAMES)
    if unknown:
        sys.exit(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    RESULTS.mkdir(exist_ok=True)
    for name in names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} …", flush=True)
        text = (
            f"# {name.capitalize()}\n\n{module.__doc__}\n{module.measure(WORK)}\n\n"
            f"Made by `python -m benchmarks {name}` on {time.strftime('%Y-%m-%d')}; {machine()}.\n"
        )
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
