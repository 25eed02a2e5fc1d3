"""Plant a scenario into a recorded log.

In: a log in any format that replay reads. Out: ``events.jsonl``, the same records in the same
order as JSON lines with the fields that driftline knows, and ``truth.jsonl``. Records that are no
views stay as they are. The log is read twice, first to see how long it is and which titles are in
it, and never held in memory. The same log, scenario and seed give the same bytes.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streams.change_kinds import GENRE, WORLD_KINDS
from streams.complete_files import complete_file, refuse_to_replace
from streams.errors import InputError, RejectedEvent, SettingsError
from streams.events import View
from streams.faults import Fault, Surroundings, faulty
from streams.inputs import STANDARD_INPUT
from streams.logs import LogOptions, read_content, read_log
from streams.planted_lines import Line, written
from streams.scenarios import Scenario
from streams.simulator import SimulatedLog
from streams.spans import Span, spans_of
from streams.timebounds import TimeBound, parse_time_bound, possible_time
from streams.truth import PlantedChange, Traces, encode_truth

Genres = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A log to plant something into.

    Parameters
    ----------
    paths
        As for `streams.logs.read_log`, but not standard input.
    options
        How to read it.
    content
        Content metadata, which scopes of genres need.
    """

    paths: Sequence[str]
    options: LogOptions
    content: str | None = None

    def records(self) -> Iterator[tuple[bytes, View | None]]:
        """Yield each record with the view that it is, or None."""
        for batch in read_log(self.paths, options=self.options):
            for value in batch.values:
                try:
                    yield value, batch.decoder.decode_view(value)
                except RejectedEvent:
                    yield value, None


@dataclass(slots=True)
class Survey:
    """What the first reading of a log tells: a ruler whose unit is the number of a record.

    Parameters
    ----------
    bounds
        Event times whose places are wanted.

    Attributes
    ----------
    n_events : int
        Records, also those that are no views.
    first_time, last_time : float
        Event times of the first view, and the latest.
    ids : dict
        Titles in the order in which they first appear.
    """

    bounds: list[TimeBound] = field(default_factory=list)
    n_events: int = 0
    first_time: float = 0.0
    last_time: float = 0.0
    ids: dict[str, None] = field(default_factory=dict)
    _ahead: list[float] | None = None
    _places: dict[float, int] = field(default_factory=dict)

    def see(self, view: View | None) -> None:
        """Take in the next record."""
        event_time = possible_time(view)
        if view is not None and event_time is not None:
            if self._ahead is None:
                self.first_time = self.last_time = event_time
                self._ahead = sorted((b.resolve(event_time) for b in self.bounds), reverse=True)
            while self._ahead and event_time >= self._ahead[-1]:
                self._places[self._ahead.pop()] = self.n_events
            self.last_time = max(self.last_time, event_time)
            self.ids[view.content_id] = None
        self.n_events += 1

    def of_number(self, n_before: float) -> float:
        """Return the number of records."""
        return float(round(n_before))

    def of_time(self, event_time: float) -> float:
        """Return how many records are before the first view of that time or later."""
        return float(self._places[event_time])


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A scenario laid out in a recorded log.

    Parameters
    ----------
    recorded, scenario
        What is planted, and into what.
    survey, spans
        What was seen of the log, and the records that each change begins and ends at.
    around
        What faults need to know of it.
    """

    recorded: Recorded
    scenario: Scenario
    survey: Survey
    spans: Sequence[Span]
    around: Surroundings

    @classmethod
    def of(cls, recorded: Recorded, scenario: Scenario, seed: int = 0) -> Perturbation:
        """Read the log once and lay the scenario out.

        Raises
        ------
        InputError
            The log cannot be read or has no views; a change is none that a recorded log can have,
            is outside the log or overlaps another.
        """
        if STANDARD_INPUT in recorded.paths:
            raise InputError("standard input can be read only once; name a file to perturb")
        for number, change in enumerate(scenario.changes):
            if isinstance(change, WORLD_KINDS):
                raise scenario.refusal(
                    number,
                    f"people of a recorded log have watched what they have; a {change.kind} change "
                    "needs a simulated log, without --perturb",
                )
        genres = _genres(recorded, scenario)
        seen = _surveyed(recorded, scenario)
        around = Surroundings(seed, genres, list(seen.ids))
        return cls(recorded, scenario, seen, spans_of(scenario, seen), around)

    def lines(self) -> Iterator[Line]:
        """Yield the lines of the log with the scenario in them."""
        faults = [
            Fault(change, number, span, self.around)
            for number, (change, span) in enumerate(
                zip(self.scenario.changes, self.spans, strict=True)
            )
        ]
        return faulty(self._untouched(), faults)

    def _untouched(self) -> Iterator[Line]:
        event_time = self.survey.first_time
        for number, (value, view) in enumerate(self.recorded.records()):
            if view is None:
                yield Line(number, event_time, None, value)
            else:
                event_time = view.event_time
                yield Line(number, event_time, view)

    def truth(self, traces: Traces) -> list[PlantedChange]:
        """Return what was planted, as it shows in the log, or raise an `InputError`."""
        planted = [
            traces.planted(number, change, None)
            for number, change in enumerate(self.scenario.changes)
        ]
        for number, change in enumerate(planted):
            if change is None:
                scope = self.scenario.changes[number].scope
                raise self.scenario.refusal(
                    number, f"it shows in no line of the log; is there {scope} at that time?"
                )
        return [change for change in planted if change is not None]


def write_perturbed(
    perturbation: Perturbation,
    log: SimulatedLog,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the perturbed log and its truth.

    Parameters
    ----------
    perturbation
        What is planted.
    log
        Where to; folders are made. A catalogue is not written.
    overwrite
        Whether files that are there may be replaced.
    progress
        Called after each chunk with the number of lines that it wrote.

    Raises
    ------
    InputError
        A file is there already or cannot be written, the log cannot be read, or a change shows in
        no line.
    """
    if not overwrite:
        refuse_to_replace(log.events, log.truth)
    traces = Traces(len(perturbation.spans))
    try:
        with complete_file(log.events) as file:
            for text, n_lines in written(perturbation.lines(), traces):
                file.write(text)
                progress(n_lines)
            with complete_file(log.truth) as beside:
                beside.write(encode_truth(perturbation.truth(traces)))
    except OSError as error:
        raise InputError(f"cannot write the perturbed log: {error}") from error


def _surveyed(recorded: Recorded, scenario: Scenario) -> Survey:
    seen = Survey(list(_bounds(scenario)))
    for _, view in recorded.records():
        seen.see(view)
    if not seen.ids:
        raise InputError(f"{', '.join(recorded.paths)}: no view in {seen.n_events} records")
    return seen


def _bounds(scenario: Scenario) -> Iterator[TimeBound]:
    """Yield the event times that a scenario names."""
    for number, change in enumerate(scenario.changes):
        for name, bound in (("begin", change.begin), ("end", change.end)):
            try:
                if isinstance(bound, str):
                    yield parse_time_bound(bound)
            except SettingsError as error:
                raise scenario.refusal(number, str(error), name) from None


def _genres(recorded: Recorded, scenario: Scenario) -> Genres:
    """Return the genres of titles, if the scenario asks for them."""
    asked = {
        number: change.scope.removeprefix(f"{GENRE}:")
        for number, change in enumerate(scenario.changes)
        if change.scope.startswith(f"{GENRE}:")
    }
    if not asked:
        return {}
    if recorded.content is None:
        raise scenario.refusal(min(asked), "say with --content which titles have it", "scope")
    contents = read_content(recorded.content)
    genres = {c.content_id: c.genres for c in contents if not isinstance(c, RejectedEvent)}
    known = dict.fromkeys(name for names in genres.values() for name in names)
    for number, genre in asked.items():
        if genre not in known:
            near = difflib.get_close_matches(genre, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise scenario.refusal(number, f"no title has the genre {genre}; {hint}", "scope")
    return genres
