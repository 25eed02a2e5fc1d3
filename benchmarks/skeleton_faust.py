"""The job in Faust; run by ``faust -A benchmarks.skeleton_faust worker`` in Faust's environment.

`BENCH_TAKE` events are taken at a time, or one by one without it. Once `BENCH_EVENTS` are through
and their records acknowledged, the rate is written to `BENCH_RESULT` and the process ends.
"""

# ruff: noqa: ANN401  (Faust's streams have no types here)
from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import faust  # type: ignore[import-not-found]  # it lives in an environment of its own

from benchmarks.skeleton_job import Job

N_EVENTS = int(os.environ["BENCH_EVENTS"])
WITHIN_S = 0.05

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BROKER']}",
    topic_disable_leader=True,
    topic_allow_declare=False,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}
views = app.topic(os.environ["BENCH_VIEWS"], **RAW)
answers = app.topic(os.environ["BENCH_ANSWERS"], **RAW)
job = Job()


@app.agent(views, concurrency=1)  # type: ignore[untyped-decorator]  # faust has no types here
async def answer(stream: Any) -> None:
    """Answer each view and stop the clock after the last."""
    n, began, sent = 0, 0.0, None
    async for values in _slices(stream):
        began = began or time.monotonic()
        for value in values:
            key, text = job.step(value)
            sent = await answers.send(key=key, value=text)
        n += len(values)
        if n >= N_EVENTS and sent is not None:
            await sent
            rate = n / (time.monotonic() - began)
            await asyncio.to_thread(Path(os.environ["BENCH_RESULT"]).write_text, str(rate))
            os._exit(0)


async def _slices(stream: Any) -> Any:
    if n := int(os.environ.get("BENCH_TAKE", "0")):
        async for values in stream.take(n, within=WITHIN_S):
            yield values
    else:
        async for value in stream:
            yield [value]
