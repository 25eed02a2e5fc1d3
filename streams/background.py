"""Work beside the loop, in threads that the end of the process does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


def in_background(call: Callable[[], Answer], name: str) -> Future[Answer]:
    """Start a call in a thread of its own; its answer or its error is in the future.

    The interpreter joins the threads of its own pools before it ends. A call to storage that does
    not answer would hold a worker that was asked to stop.

    Examples
    --------
    >>> in_background(lambda: 6 * 7, "sum").result()
    42
    """
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  the one who waits for the future gets it
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
