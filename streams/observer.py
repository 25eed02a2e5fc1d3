"""What watches a run from outside; `monitoring` implements it, the command line joins the two."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Is told how far a run has come.

    Called after every batch, on the thread that processes, with plain values. It must return
    soon, may drop what comes too often, and never raises.
    """

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        """Take note of progress.

        Parameters
        ----------
        share
            Share of the input read, None when its size is unknown.
        n_events
            Records handled so far.
        event_time
            Epoch seconds of the latest event.
        recall, recall_recent
            Recall of all judged events and of the latest ones; None before the first.
        """
        ...
