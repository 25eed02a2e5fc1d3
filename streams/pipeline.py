"""The way of an event: decode, check, impute, recommend, judge, learn, emit.

One `Pipeline` is one partition; a replayed file and a live topic go through the same one. In: raw
records in the order of the partition. Out: dead letters, judged lists, recommendation records,
aggregated outcomes.
Nothing is kept half-done: when `process` returns, every record of the call is learned, dropped,
or refused.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.engine import Engine, EngineConfig, Segment
from models.engine import View as Learnable
from models.input_watch import Notice
from models.outcomes import Outcomes, Skip
from models.packing import prefixed, unprefixed
from models.state import POPULARITY_NAMES
from streams.arrivals import Arrival, Forget
from streams.breaker import Breaker
from streams.catalogue import Catalogue
from streams.drift_records import DriftRecord, DriftRecords
from streams.errors import RejectedEvent
from streams.events import Content, Recommendation, TraceLine, View
from streams.input_guard import Believed, InputGuard
from streams.outcome_records import SKIPPED, OutcomeRecord, OutcomeRecords
from streams.quality import Admitted, QualityGate
from streams.recommendations import Recommender
from streams.replayed import Replayed
from streams.rules import PositiveRule, parse_positive
from streams.runs import Run, marked_last, outcomes_of
from streams.settings import Settings
from streams.snapshots import fitting

_SECONDS_A_YEAR = 31_556_952.0
UNDECODED = ("decode", "schema", "key")


class Emission(enum.Enum):
    """Which events get a recommendation record."""

    NONE = "none"
    EVERY = "every"
    LAST_OF_USER = "last of a user in the call"


class Wanted(msgspec.Struct, frozen=True):
    """What a caller of `Pipeline.process` wants beside the judged numbers."""

    emission: Emission = Emission.NONE
    is_traced: bool = False
    is_aggregated: bool = False


class Handled(msgspec.Struct):
    """What came of the records of one call; integers are positions among them.

    Attributes
    ----------
    refused
        Dead letters.
    accepted
        Positions of the accepted events, in order.
    outcomes
        How they were judged, row by row of ``accepted``, in chunks.
    traces, recommendations
        As wanted, by position.
    forgotten
        Users forgotten: nothing before that position counts for them any more.
    aggregates
        If wanted, the outcomes of the seconds that passed.
    noticed
        What detectors said and what is done about it, by position.
    drift
        Episodes that opened, changed or closed, by position.
    """

    refused: list[tuple[int, RejectedEvent]] = []
    accepted: list[int] = []
    outcomes: list[Outcomes] = []
    traces: list[tuple[int, TraceLine]] = []
    recommendations: list[tuple[int, Recommendation]] = []
    forgotten: list[tuple[int, str]] = []
    aggregates: list[OutcomeRecord] = []
    noticed: list[tuple[int, Notice]] = []
    drift: list[tuple[int, DriftRecord]] = []


def engine_config(settings: Settings) -> EngineConfig:
    """Return the engine's part of the settings."""
    own = settings.engine
    return EngineConfig(
        k=own.k,
        max_users=own.max_users,
        max_titles=own.max_titles,
        n_neighbors=own.n_neighbors,
        slow_half_life=own.slow_half_life_events,
        fast_half_life=own.fast_half_life_events,
        events_per_title=own.events_per_title,
        learning_rate=own.learning_rate,
        step_every=own.step_every,
        weak_strength=own.weak_strength,
        protocol=own.protocol,
        watches=settings.drift.detect,
        adapts=settings.drift.adapt,
        patience=settings.drift.patience_events,
    )


class Pipeline:
    """All state of one partition, and the sequence that its events go through.

    Parameters
    ----------
    settings
        Settings of the run.
    partition
        Its number, for the records that name it.

    Attributes
    ----------
    undecoded : dict[str, int]
        Records refused before the gate, by reason.
    learn_s, recommend_s : float
        Seconds that the latest call took: to check, judge and learn, and to make records of lists.
    """

    def __init__(self, settings: Settings, partition: int = 0) -> None:
        self.settings = settings
        self.catalogue = Catalogue(settings.quality.max_titles)
        self.gate = QualityGate(settings.quality, self.catalogue)
        self.engine = Engine(engine_config(settings))
        self.undecoded = dict.fromkeys(UNDECODED, 0)
        self.learn_s = self.recommend_s = 0.0
        self.recommender = Recommender(self.engine, self.catalogue)
        worker = settings.worker
        self.breaker = Breaker(worker.breaker_window, worker.breaker_share)
        self.replayed = Replayed(worker.replayed_kept_s)
        self.outcomes = OutcomeRecords(POPULARITY_NAMES, k=settings.engine.k, partition=partition)
        self.drift = DriftRecords(partition)
        drift = settings.drift
        self.guard = InputGuard(drift, self.catalogue) if drift.detect else None
        self._positive: PositiveRule | None = (
            parse_positive(settings.engine.positive) if settings.engine.positive else None
        )

    @property
    def counts(self) -> dict[str, int]:
        """Records by what data quality made of them."""
        return {**self.undecoded, **self.gate.counts}

    def take_content(self, contents: Iterable[Content]) -> None:
        """Take in titles; they count from the next event on."""
        for content in contents:
            is_same = self.catalogue.get(content.content_id) == content
            is_known = is_same and content.content_id in self.engine.titles
            self.catalogue.put(content)
            if is_known:
                continue
            released = content.released
            self.engine.describe(
                content.content_id,
                year=None if released is None else 1970.0 + released / _SECONDS_A_YEAR,
                genres=content.genres,
                creators=content.creators,
            )

    def take_rows(self, rows: Mapping[str, Content | None]) -> None:
        """Take in titles; one without content is left out of every list from now on."""
        for content_id, content in rows.items():
            if content is not None:
                self.take_content([content])
            else:
                self.catalogue.withdraw(content_id)
                if content_id not in self.engine.titles:
                    self.engine.describe(content_id)  # it may be seen later
            self.engine.withdraw(content_id, is_withdrawn=content is None)

    def process(self, arrivals: Sequence[Arrival], wanted: Wanted) -> Handled:
        """Check, impute, recommend, judge, learn and emit, in the order of arrival."""
        handled, began_s, self.recommend_s = Handled(), perf_counter(), 0.0
        runs = self._check(arrivals, handled, wanted)
        if wanted.emission is Emission.LAST_OF_USER:
            runs = marked_last(runs)
        for run in runs:
            for segment in self.engine.learn(run.learnable):
                reported_s = perf_counter()
                self._report(segment, run, arrivals, handled, wanted)
                self.recommend_s += perf_counter() - reported_s
            if run.forget is not None:
                self.engine.forget(run.forget)
        self.breaker.take(len(arrivals), refused=[at for at, _ in handled.refused])
        handled.aggregates = self.outcomes.take(handled.outcomes, is_wanted=wanted.is_aggregated)
        learned = ((at, view.time) for run in runs for at, view in zip(*run[:2], strict=True))
        handled.drift = self.drift.take(arrivals, handled.noticed, learned)
        self.learn_s = perf_counter() - began_s - self.recommend_s
        return handled

    def new_users_list(self, arrival: Arrival) -> Recommendation:
        """Return the list for users unknown so far, based on the last record processed."""
        return self.recommender.record_for_new_users(arrival)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as named arrays."""
        arrays = {"undecoded": np.array([self.undecoded[name] for name in UNDECODED], np.int64)}
        for name, part in self._parts().items():
            arrays |= prefixed(name, part.snapshot())
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken, with the same settings.

        Raises
        ------
        SnapshotError
            Arrays of this version are missing or do not fit; the state is of no use then.
        """
        with fitting():
            for name, part in self._parts().items():
                part.restore(unprefixed(name, arrays))
            self.undecoded = dict(zip(UNDECODED, arrays["undecoded"].tolist(), strict=True))

    def _parts(self) -> dict[str, Any]:
        parts = {
            "engine": self.engine,
            "gate": self.gate,
            "catalogue": self.catalogue,
            "breaker": self.breaker,
            "replayed": self.replayed,
            "outcomes": self.outcomes,
            "drift": self.drift,
        }
        return parts if self.guard is None else {**parts, "inputs": self.guard}

    def _check(self, arrivals: Sequence[Arrival], handled: Handled, wanted: Wanted) -> list[Run]:
        """Refuse, drop or repair each record; return runs of accepted ones between forgets."""
        runs, run = [], Run([], [])
        watermark, outcomes, n_accepted = self.gate.watermark, self.outcomes, 0
        guard = self.guard
        for at, arrival in enumerate(arrivals):
            view = arrival.view
            if isinstance(view, Forget):
                self._forget_arrived(view.user_id)
                handled.forgotten.append((at, view.user_id))
                runs.append(run._replace(forget=view.user_id))
                run = Run([], [])
                continue
            believed = None if guard is None else guard.believed(view)
            before = watermark.value
            admitted = self._admit(view, arrival.replay_of, believed)
            if isinstance(admitted, RejectedEvent):
                handled.refused.append((at, admitted))
            elif admitted is not None:
                n_accepted += 1
                run.at.append(at)
                run.learnable.append(self._learnable(admitted, believed, wanted))
            if (
                guard is not None
                and arrival.replay_of is None
                and (notices := guard.take(view, before, admitted))
            ):
                handled.noticed += ((at, notice) for notice in notices)
            if watermark.value >= outcomes.end:
                outcomes.pass_second(watermark.value, n_accepted, self.counts)
        if guard is not None:
            guard.settle()
        runs.append(run)
        handled.accepted = [at for run in runs for at in run.at]
        return runs

    def _forget_arrived(self, user_id: str) -> None:
        self.gate.forget(user_id)
        if self.guard is not None:
            self.guard.forget(user_id)

    def _admit(
        self, view: View | RejectedEvent, replay_of: str | None, believed: Believed | None
    ) -> Admitted | RejectedEvent | None:
        """Return the event as it is learned, why it is refused, or None for a copy."""
        if isinstance(view, RejectedEvent):
            self.undecoded[view.reason] += 1
            return view
        try:
            if replay_of is not None:
                return self._admit_replayed(view, replay_of)
            if believed is None:
                return self.gate.admit(view)
            return self.gate.admit(
                believed.view, is_replayed=believed.may_be_late, clock=believed.clock
            )
        except RejectedEvent as rejected:
            return rejected

    def _admit_replayed(self, view: View, replay_of: str) -> Admitted | None:
        """Admit a replayed dead letter once; one that is refused again may come again."""
        watermark = self.gate.watermark
        if self.replayed.has_seen(replay_of, watermark.value):
            self.gate.counts["duplicate"] += 1
            return None
        admitted = self.gate.admit(view, is_replayed=True)
        self.replayed.remember(replay_of, watermark.value)
        return admitted

    def _learnable(
        self, admitted: Admitted, believed: Believed | None, wanted: Wanted
    ) -> Learnable:
        view, rule = admitted.view, self._positive
        strength = admitted.strength if self.settings.engine.weigh_by_strength else 1.0
        return Learnable(
            view.user_id,
            view.content_id,
            admitted.event_time,
            view.event_time,
            strength if believed is None or believed.teaches else 0.0,
            rule is None or rule.matches(view.rating, admitted.watched_share, view.event_type),
            wanted.emission is Emission.EVERY,
            view.device,
            view.source,
            believed is not None,
        )

    def _report(
        self,
        segment: Segment,
        run: Run,
        arrivals: Sequence[Arrival],
        handled: Handled,
        wanted: Wanted,
    ) -> None:
        """Note what came of a segment while its title rows can be named."""
        learned = run.learnable
        handled.outcomes.append(outcomes_of(segment, run))
        handled.noticed += ((run.at[row], notice) for row, notice in segment.notices)
        if not wanted.is_traced and wanted.emission is Emission.NONE:
            return
        for row in range(segment.begin, segment.end):
            at = run.at[row]
            if wanted.is_traced:
                handled.traces.append((at, self._trace(segment, row, arrivals[at])))
            if learned[row].is_emitted:
                record = self.recommender.record(segment.lists, row, learned[row], arrivals[at])
                handled.recommendations.append((at, record))

    def _trace(self, segment: Segment, row: int, arrival: Arrival) -> TraceLine:
        judged, view = segment.judged, arrival.view
        assert isinstance(view, View)  # noqa: S101 (only decoded records are accepted)
        skip, rank = int(judged.skip[row]), int(judged.rank[row])
        names = self.engine.titles.name
        listed = [names(title) for title in judged.listed[row].tolist() if title >= 0]
        return TraceLine(
            line=arrival.line,
            file=arrival.origin.file,
            user_id=view.user_id,
            content_id=view.content_id,
            items=None if skip == Skip.COLD else listed,
            skipped=None if skip == Skip.JUDGED else SKIPPED[Skip(skip)],
            rank=rank or None,
        )
