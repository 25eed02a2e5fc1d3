"""What drift is noticed, blamed on whom, and adapted to: real logs and simulated ones, known truth.

Parts, each measured by itself and kept in the work folder until the page is made of all there are:

- `permute`: MovieLens-100K with all item ids permuted at event 50,000, catalogue unchanged;
- `genres`: the ids of one genre permuted, for each genre of 3 to 22 % of the events;
- `flips`: simulated tastes that change for all, in one genre, for one device, or gradually;
- `faults`: input faults in simulated logs, and what they cost;
- `stationary`: simulated logs in which nothing changes, and the real logs as they are;
- `cost`: throughput with and without all of it.

Scores are those of `models/drift_scores.py`: an alarm tells of a change until 5,000 records after
it is complete; the delay is in records of the log. *Named* means that the episode is of the right
kind and names the right scope first. `no forgetting` is the same engine that counts every view
alike for ever, with nothing to boost.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import msgspec

from benchmarks import drift_flips

PARTS = ("permute", "genres", "flips", "faults", "stationary", "cost")


def measure(folder: Path, arguments: list[str] | None = None) -> str:
    """Measure the parts that are asked for, by default all; return the page of all there are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks drift")
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated")
    parser.add_argument(
        "--flip",
        action="append",
        choices=drift_flips.SCENARIOS,
        help="of the flips only this one; the others stay as they were measured; may be repeated",
    )
    parser.add_argument("--page", action="store_true", help="make the page, measure nothing")
    parser.add_argument("--quick", action="store_true", help="a trial run, not to be kept")
    given = parser.parse_args(arguments or [])
    own = folder / ("drift-quick" if given.quick else "drift")
    own.mkdir(parents=True, exist_ok=True)
    if given.flip and given.part != ["flips"]:
        parser.error("--flip is an option of --part flips alone")
    for part in () if given.page else given.part or PARTS:
        module = importlib.import_module(f"benchmarks.drift_{part}")
        print(f"drift, {part} …", file=sys.stderr, flush=True)
        chosen = {"names": given.flip} if given.flip else {}
        found = module.measure(folder, is_quick=given.quick, **chosen)
        kept = own / f"{part}.json"
        if chosen and kept.exists():
            found = module.merged(msgspec.json.decode(kept.read_bytes()), found)
        kept.write_bytes(msgspec.json.encode(found))
    texts = []
    for part in PARTS:
        kept = own / f"{part}.json"
        if kept.exists():
            module = importlib.import_module(f"benchmarks.drift_{part}")
            texts.append(module.page(msgspec.json.decode(kept.read_bytes())))
    return "\n\n".join(texts)
