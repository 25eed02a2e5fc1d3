import threading

import numpy as np
import pytest

from streams import saving
from streams.errors import StoreError
from streams.saving import Saved, Saver
from streams.snapshots import Manifest, offsets

ARRAYS = {"a": np.arange(10)}
N_KEPT = 2
LONG_S = 30


@pytest.fixture
def saver():
    return Saver(N_KEPT)


def manifest(next_offset):
    return Manifest("pipeline", next_offset, "f00d")


def save(saver, folder, *next_offsets, is_only=False):
    """Save snapshots one after the other; give how the last one ended."""
    for offset in next_offsets:
        saver.save(folder, manifest(offset), ARRAYS, is_only=is_only)
        assert saver.finish(LONG_S)
        ended = saver.result(folder)
    return ended


def refuse(*_, **__):
    raise StoreError("the storage is away")


def test_old_ones_go_and_later_ones_stay(saver, folder):
    assert save(saver, folder, 10, 20, 90, 30, 40) == Saved(40, is_only=False)
    assert offsets(folder) == [30, 40, 90]


def test_one_that_is_alone_leaves_no_other(saver, folder):
    save(saver, folder, 10, 90)
    assert save(saver, folder, 40, is_only=True) == Saved(40, is_only=True)
    assert offsets(folder) == [40]


def test_storage_that_refuses_is_told_and_tried_again_with_the_next(
    saver, folder, monkeypatch, caplog
):
    save(saver, folder, 10)
    with monkeypatch.context() as patch:
        patch.setattr(saving, "write_snapshot", refuse)
        assert save(saver, folder, 20) == Saved(None, is_only=False)
    assert caplog.messages == ["the storage is away; the ones before it stay"]
    assert saver.n_failures == 1
    assert save(saver, folder, 30) == Saved(30, is_only=False)
    assert offsets(folder) == [10, 30]


def test_old_ones_that_cannot_be_removed_cost_nothing_unless_they_had_to_go(
    saver, folder, monkeypatch, caplog
):
    monkeypatch.setattr(saving, "prune_earlier", refuse)
    monkeypatch.setattr(saving, "prune", refuse)
    assert save(saver, folder, 10) == Saved(10, is_only=False)
    assert save(saver, folder, 20, is_only=True) == Saved(None, is_only=True)
    assert caplog.messages == ["the storage is away; old snapshots stay until the next one"] * 2


def test_nobody_waits_and_one_is_written_at_a_time(saver, folder, monkeypatch):
    begun, may_end, at_work = threading.Semaphore(0), threading.Event(), []
    write = saving.write_snapshot

    def slow(place, what, arrays):
        at_work.append(what.next_offset)
        begun.release()
        may_end.wait(LONG_S)
        assert len(at_work) == 1
        at_work.pop()
        return write(place, what, arrays)

    monkeypatch.setattr(saving, "write_snapshot", slow)
    first, second = folder / "a", folder / "b"
    saver.save(first, manifest(1), ARRAYS)
    saver.save(second, manifest(2), ARRAYS)
    begun.acquire()
    assert saver.is_writing(first)
    assert saver.is_writing(second)
    assert saver.result(first) is None
    assert not saver.finish(0.0)
    may_end.set()
    assert saver.finish(LONG_S)
    assert (saver.result(first), saver.result(second)) == (Saved(1, False), Saved(2, False))
    assert saver.result(first) is None


def test_what_waits_for_its_turn_when_it_is_closed_is_not_begun(saver, folder, monkeypatch):
    begun, may_end = threading.Event(), threading.Event()
    write = saving.write_snapshot

    def slow(*arguments):
        begun.set()
        may_end.wait(LONG_S)
        return write(*arguments)

    monkeypatch.setattr(saving, "write_snapshot", slow)
    saver.save(folder / "a", manifest(1), ARRAYS)
    begun.wait(LONG_S)
    saver.save(folder / "b", manifest(2), ARRAYS)
    saver.close()
    may_end.set()
    assert saver.finish(LONG_S)
    assert offsets(folder / "a") == [1]
    assert offsets(folder / "b") == []


def test_arrays_may_be_made_by_the_thread_that_writes(saver, folder):
    threads = []

    def arrays():
        threads.append(threading.current_thread())
        return ARRAYS

    saver.save(folder, manifest(1), arrays)
    assert saver.finish(LONG_S)
    assert threads != [threading.current_thread()]
    assert offsets(folder) == [1]


def test_an_error_that_nobody_foresaw_is_not_swallowed(saver, folder, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(saving, "write_snapshot", broken)
    saver.save(folder, manifest(1), ARRAYS)
    assert saver.finish(LONG_S)
    with pytest.raises(ZeroDivisionError):
        saver.result(folder)
