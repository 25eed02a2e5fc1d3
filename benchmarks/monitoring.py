"""What watching costs: taking note beside processing, and scrapes under load.

Taking note is measured on the thread that works, in its own processor time, so that other programs
do not disturb it, for batches as small as a worker with little to do has them and as large as a
replay's. Scrapes are of 64 partitions, as many as a worker should have, asked for by another
process while the loop takes batches through its pipeline as fast as it can; their latency includes
waiting for the loop.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from pathlib import Path

from prometheus_client import generate_latest

from models.world import World, WorldSettings
from monitoring.collector import registry_of
from monitoring.exporter import Exporter
from streams.arrivals import Arrival, arrive
from streams.cli.watching import new_metrics
from streams.decoding import JsonDecoder
from streams.observing import Observers
from streams.pipeline import Emission, Pipeline, Wanted
from streams.settings import Settings
from streams.simulator import SimulatedLog, write_simulation
from streams.telling import Teller
from tests.monitoring import feeding

N_EVENTS = 20_000
BATCHES = (50, 200, 2_048)
N_SCRAPES = 500
N_PARTITIONS = 64
SCRAPE_EVERY_S = 15.0
_CLIENT = """
import random, sys, time, urllib.request
for _ in range(int(sys.argv[2])):
    time.sleep(random.uniform(0, 0.05))
    began_s = time.perf_counter()
    with urllib.request.urlopen(sys.argv[1], timeout=60) as answer:
        answer.read()
    print(time.perf_counter() - began_s)
"""
_WANTED = Wanted(emission=Emission.LAST_OF_USER, is_aggregated=True)


def measure(work: Path) -> str:
    """Return the tables of the page."""
    records = _records(work)
    _shares(records[:2_048], 512)  # kernels are loaded
    rows = ""
    for size in BATCHES:
        process_s, note_s = _shares(records, size)
        per_batch_us = 1e6 * note_s * size / len(records)
        rows += f"| {size:,} | {per_batch_us:.0f} | {note_s / process_s:.1%} |\n"
    head = "\n| records a batch | taking note, µs a batch | beside processing |\n|---:|---:|---:|\n"
    return head + rows + _scraping(records)


def _records(work: Path) -> list[Arrival]:
    log = SimulatedLog.in_folder(work / "monitoring", "")
    world = World(WorldSettings(n_users=2_000, n_titles=2_000, days=14, seed=0))
    write_simulation(world, N_EVENTS, log, overwrite=True)
    decoder = JsonDecoder()
    lines = log.events.read_bytes().splitlines()
    return [arrive(n, None, line, decoder) for n, line in enumerate(lines, start=1)]


def _shares(records: list[Arrival], size: int) -> tuple[float, float]:
    """Return processor seconds of processing and of taking note."""
    settings, observers = Settings(), Observers()
    metrics = new_metrics(settings, observers)
    observers.observers.append(metrics)
    observers.assigned({0: "ready"}, change="assigned")
    pipeline, teller = Pipeline(settings), Teller(observers, k=settings.engine.k)
    teller.begin(0, pipeline)
    process_s = note_s = 0.0
    for begin in range(0, len(records), size):
        began_s = time.thread_time()
        handled = pipeline.process(records[begin : begin + size], _WANTED)
        processed_s = time.thread_time()
        teller.processed(0, pipeline, handled, decode_s=0.0, batch_s=0.0)
        observers.ticked(is_ready=True, is_broker_away=False)
        process_s += processed_s - began_s
        note_s += time.thread_time() - processed_s
    return process_s, note_s


def _scraping(records: list[Arrival]) -> str:
    metrics = feeding.feed(feeding.new_metrics(), N_PARTITIONS)
    registry, costs = registry_of(metrics.copy), []
    for _ in range(N_SCRAPES // 10):
        began_s = time.thread_time()
        text = generate_latest(registry)
        costs.append(time.thread_time() - began_s)
    n_series = sum(not line.startswith(b"#") for line in text.splitlines())
    cost_s, cuts = statistics.median(costs), statistics.quantiles(_latencies(records), n=100)
    return (
        f"\nA page of {n_series:,} series takes {1e3 * cost_s:.1f} ms of processor, "
        f"{cost_s / SCRAPE_EVERY_S:.2%} of a core when it is scraped every"
        f" {SCRAPE_EVERY_S:.0f} s.\n"
        "\n| scrapes under load | median, ms | p99, ms |\n|---:|---:|---:|\n"
        f"| {N_SCRAPES} | {1e3 * cuts[49]:.1f} | {1e3 * cuts[98]:.1f} |\n"
    )


def _latencies(records: list[Arrival]) -> list[float]:
    """Return seconds that scrapes take while batches are processed without a pause."""
    metrics = feeding.feed(feeding.new_metrics(), N_PARTITIONS)
    gc.collect()
    gc.freeze()  # as a worker does, so that no collection looks at everything again
    with (
        Exporter(metrics, host="127.0.0.1", port=0) as exporter,
        subprocess.Popen(
            [sys.executable, "-c", _CLIENT, f"{exporter.address}/metrics", str(N_SCRAPES)],
            stdout=subprocess.PIPE,
        ) as client,
    ):
        while client.poll() is None:
            pipeline = Pipeline(Settings())
            for begin in range(0, len(records), BATCHES[-1]):
                pipeline.process(records[begin : begin + BATCHES[-1]], _WANTED)
        found, _ = client.communicate()
    return [float(line) for line in found.split()]
