"""What a replay tells an observer."""

from __future__ import annotations

from streams.observer import Observer
from streams.replay import Replay
from streams.telling import Teller

RECENT = 5000
"""Judged events of the recall that a display shows as recent."""


class ReplayWatch:
    """Tells an observer of every batch of a replay, from the state it is in on.

    Parameters
    ----------
    observer
        Who is told.
    replay
        Of what; restored before.
    is_stepped
        Whether all is told with every batch, rather than sums and levels once a second.
    """

    def __init__(self, observer: Observer, replay: Replay, *, is_stepped: bool) -> None:
        self._observer = observer
        self._replay = replay
        self._is_stepped = is_stepped
        self._teller = Teller(observer, k=replay.settings.engine.k)
        for partition, pipeline in enumerate(replay.pipelines):
            self._teller.begin(partition, pipeline)
        states = dict.fromkeys(range(len(replay.pipelines)), "ready")
        observer.assigned(states, change="assigned")

    def batch(self, share: float | None) -> None:
        """Tell of the batch just processed, and of how far the replay is."""
        replay, observer = self._replay, self._observer
        decode_s = replay.decode_s / len(replay.handled)
        parts = zip(replay.pipelines, replay.handled, strict=True)
        for partition, (pipeline, handled) in enumerate(parts):
            batch_s = decode_s + pipeline.learn_s + pipeline.recommend_s
            times = {"decode_s": decode_s, "batch_s": batch_s}
            self._teller.processed(partition, pipeline, handled, **times)
        if self._is_stepped:
            self.finish()
        observer.ticked(is_ready=True, is_broker_away=False)
        observer.update(
            share,
            replay.n_records,
            event_time=replay.latest,
            recall=replay.evaluation.recall(),
            recall_recent=replay.evaluation.recall(RECENT),
        )

    def finish(self) -> None:
        """Tell what is left."""
        self._teller.finish(dict(enumerate(self._replay.pipelines)))
