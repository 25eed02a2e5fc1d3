"""``python -m tests.kafka.failing_worker POINT N SIGNAL worker …``: a worker with bad luck.

It is the command as it is, but at the N-th time that it comes to a point of its protocol the
process sends itself a signal: KILL ends it as a power cut would, STOP freezes it.
"""

import os
import signal
import sys
from functools import wraps

import streams.local_store
import streams.snapshots
from streams.cli import main
from streams.kafka import TransactionalProducer
from streams.object_store import ObjectStore
from streams.partition import AssignedPartition


def before(owner, name):
    """Strike at the N-th call, before it does anything."""

    def spoil(befall):
        method = getattr(owner, name)

        @wraps(method)
        def spoiled(*arguments, **named):
            befall()
            return method(*arguments, **named)

        setattr(owner, name, spoiled)

    return spoil


def after(owner, name):
    """Strike once the N-th call has come back."""

    def spoil(befall):
        method = getattr(owner, name)

        @wraps(method)
        def spoiled(*arguments, **named):
            answer = method(*arguments, **named)
            befall()
            return answer

        setattr(owner, name, spoiled)

    return spoil


def half_written(befall):
    """Strike when half of a state file is on disk."""
    save_file = streams.snapshots.save_file

    def spoiled(arrays, path):
        save_file(arrays, path)
        os.truncate(path, path.stat().st_size // 2)
        befall()

    streams.snapshots.save_file = spoiled


POINTS = {
    "before the records are flushed": before(TransactionalProducer, "flush"),
    "before the offsets are sent": before(TransactionalProducer, "send_offsets"),
    "between offsets and commit": before(TransactionalProducer, "commit"),
    "after the commit": after(TransactionalProducer, "commit"),
    "in the middle of a state file": half_written,
    "before a snapshot appears": before(streams.local_store, "_sync"),
    "during a restore": after(AssignedPartition, "_tell_progress"),
}
STORE_POINTS = {"before an object is sent": before(ObjectStore, "upload")}


def befallen_at(n_calls, number):
    """Give what sends this process a signal when it is called for the n-th time."""
    n_left = n_calls

    def befall():
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            os.kill(os.getpid(), number)

    return befall


if __name__ == "__main__":
    point, n_calls, name = sys.argv[1:4]
    sys.argv[1:4] = []
    spoil = {**POINTS, **STORE_POINTS}[point]
    spoil(befallen_at(int(n_calls), signal.Signals[f"SIG{name}"]))
    main()
