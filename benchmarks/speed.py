"""Events a second from JSON lines to judged lists, and River's BiasedMF as the peer.

Each figure is the median of several processes bound to one core. The peer learns and ranks the
whole catalogue for the whole of MovieLens-100K, as `river.reco` offers it, one list a tie group as
we do; it is measured in the same run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import orjson
from river import reco

from benchmarks.logs import Log, every_log
from benchmarks.measuring import pinned, replay, table
from models.world import World, WorldSettings
from streams.simulator import SimulatedLog, write_simulation

N_RUNS = 5
N_SIMULATED = 200_000


def measure(folder: Path) -> str:
    """Return the table of speed and the comparison with the peer."""
    logs = [log for log in every_log(folder) if log.name in ("MovieLens-100K", "MovieTweetings")]
    logs.append(_simulated(folder))
    rows, rates, recalls = [], {}, {}
    for log in logs:
        found = [replay(log.events, log.content) for _ in range(N_RUNS)]
        speeds = sorted(summary["events_per_s"] for summary in found)
        rates[log.name] = statistics.median(speeds)
        recalls[log.name] = found[0]["recall@10"]
        peak = max(summary["peak_rss_bytes"] for summary in found) / 2**20
        spread = f"{speeds[0]:,.0f} to {speeds[-1]:,.0f}"
        rows.append([log.name, f"**{rates[log.name]:,.0f}**", spread, f"{peak:,.0f} MiB"])
        print(" | ".join(rows[-1]), flush=True)
    text = table(("log", "events/s (median)", "range", "peak memory"), rows)
    if (name := logs[0].name) == "MovieLens-100K":
        text += "\n\n" + _beside_peer(logs[0], rates[name], recalls[name])
    return text


def _simulated(folder: Path) -> Log:
    log = SimulatedLog.in_folder(folder / "simulated", "")
    world = World(WorldSettings(n_users=20_000, n_titles=10_000, days=60, seed=1))
    write_simulation(world, N_SIMULATED, log, overwrite=True)
    return Log("simulated", log.events, log.content)


def _beside_peer(log: Log, ours: float, own: float) -> str:
    done = subprocess.run(
        pinned([sys.executable, "-m", "benchmarks.speed", str(log.events)]),
        check=True,
        capture_output=True,
        text=True,
    )
    rate, recall = (float(word) for word in done.stdout.split())
    return (
        f"`river.reco.BiasedMF` ranking the whole catalogue of MovieLens-100K: {rate:,.0f} events/s"
        f" at recall@10 {recall:.4f}; driftline {ours:,.0f} events/s at {own:.4f}."
        f" **{ours / rate:.0f} times the rate, {own / recall:.1f} times the recall.**"
    )


def peer(events: Iterable[tuple[str, str, float, float]]) -> tuple[float, float]:
    """Learn and rank with BiasedMF under the same protocol; return events/s and recall@10.

    ``predict_one`` of the peer makes vectors for unseen ids; titles are ranked only once seen.
    """
    model = reco.BiasedMF(seed=0)
    seen: dict[str, None] = {}
    consumed: dict[str, set[str]] = {}
    groups: dict[str, tuple[float, list[str]]] = {}
    hits = judged = n = 0
    began = time.perf_counter()
    for user, title, when, rating in events:
        own = consumed.setdefault(user, set())
        if groups.get(user, (None,))[0] != when:
            scores = [(model.predict_one(user, x), x) for x in seen if x not in own] if own else []
            scores.sort(reverse=True)
            groups[user] = (when, [x for _, x in scores[:10]] if own else [""])
        listed = groups[user][1]
        if listed != [""]:
            judged += 1
            hits += title in listed
        model.learn_one(user, title, rating)
        own.add(title)
        seen[title] = None
        n += 1
    return n / (time.perf_counter() - began), hits / max(judged, 1)


def _events_of(path: Path) -> Iterable[tuple[str, str, float, float]]:
    with path.open("rb") as file:
        for line in file:
            event = orjson.loads(line)
            yield event["user_id"], event["content_id"], event["timestamp"], event["rating"]


if __name__ == "__main__":
    print(*peer(list(_events_of(Path(sys.argv[1])))))
