"""What is wrong with a log, as named checks that people and scripts can read.

The checks stand on the outcomes of decoding and of the quality gate, so a log that passes here
is learned from as it is in ``replay``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from streams import quality
from streams.errors import RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.catalogue import Catalogue
    from streams.events import Content, View
    from streams.logs import RecordBatch
    from streams.quality import Admitted, QualityGate

Status = Literal["PASS", "WARN", "FAIL"]

MAX_EXAMPLES = 5
LOST = 0.01
"""Above this share of dead letters the log does not say what happened any more."""
REPAIRED = 0.5
"""Where most events need the same repair, a column means something else than its name says."""
NEVER = 1.0


class Check(msgspec.Struct, frozen=True):
    """One thing to look for: none is a PASS, some a WARN, more than a share a FAIL.

    Parameters
    ----------
    name
        Name of the check.
    finding
        What is counted.
    fail_above
        Share above which the check fails.
    meaning
        What was found and what happens to it, in words.
    of
        Share of what: of all ``records``, of ``accepted`` events or of ``content`` records.
    is_optional
        Whether a finding in every event means that the log has no such column, which is fine.
    """

    name: str
    finding: str
    fail_above: float
    meaning: str
    of: Literal["records", "accepted", "content"] = "accepted"
    is_optional: bool = False


CHECKS = (
    Check("decodable", "decode", LOST, "unreadable: dead letter", "records"),
    Check("schema", "schema", LOST, "not an event: dead letter", "records"),
    Check("range", "range", LOST, "impossible: dead letter", "records"),
    Check("lateness", "late", LOST, "too late: dead letter", "records"),
    Check("duplicates", "duplicate", REPAIRED, "seen before: dropped", "records"),
    Check("order", "out_of_order", NEVER, "out of order; see --sort"),
    Check("future timestamps", "clipped_future", REPAIRED, "ahead of the log: clipped"),
    Check(
        "missing view_time", "missing_view_time", NEVER, "imputed where possible", is_optional=True
    ),
    Check("missing rating", "missing_rating", NEVER, "left missing", is_optional=True),
    Check("view_time outliers", "clipped_outlier", REPAIRED, "implausible: clipped"),
    Check("view_time above duration", "clipped_to_duration", REPAIRED, "clipped to the duration"),
    Check("unknown content", "unknown_content", REPAIRED, "not in the catalogue, accepted"),
    Check("content", "content", LOST, "left out of the catalogue", "content"),
)


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record that a check found.

    Parameters
    ----------
    error
        What was found, in one sentence.
    line
        Record number, from 1 without the header; a content record is named in the sentence.
    file
        Name of the log, when several are read.
    """

    error: str
    line: int | None = None
    file: str | None = None


class CheckResult(msgspec.Struct, frozen=True):
    """Outcome of one check."""

    name: str
    status: Status
    count: int
    of: int
    share: float
    fail_above: float
    meaning: str
    examples: list[Example]


class Report(msgspec.Struct, frozen=True):
    """Outcome of all checks; its status is the worst of theirs."""

    status: Status
    records: int
    accepted: int
    checks: list[CheckResult]


class Findings:
    """Counts of what was found and the first few examples of each.

    Attributes
    ----------
    counts
        By finding.
    examples
        By finding, at most five.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[Example]] = {}

    def add(
        self, finding: str, error: str, *, line: int | None = None, file: str | None = None
    ) -> None:
        """Count one and keep it as an example while there are few."""
        self.counts[finding] = self.counts.get(finding, 0) + 1
        examples = self.examples.setdefault(finding, [])
        if len(examples) < MAX_EXAMPLES:
            examples.append(Example(error, line, file))


class Validation:
    """Runs a log through decoding and the gate and notes what they find.

    Parameters
    ----------
    gate
        A fresh gate.
    catalogue
        The catalogue that the gate reads.
    """

    def __init__(self, gate: QualityGate, catalogue: Catalogue) -> None:
        self.gate = gate
        self.catalogue = catalogue
        self.findings = Findings()
        self.n_records = 0
        self.n_content = 0
        self._previous_time = 0.0

    def take_content(self, records: Iterable[Content | RejectedEvent]) -> None:
        """Fill the catalogue; call it before the first batch of views."""
        for record in records:
            self.n_content += 1
            if isinstance(record, RejectedEvent):
                self.findings.add("content", record.error)
            else:
                self.catalogue.put(record)

    def take(self, batch: RecordBatch) -> None:
        """Check one batch of records."""
        decode, admit, add = batch.decoder.decode_view, self.gate.admit, self.findings.add
        self.n_records += len(batch.values)
        for line, value in zip(batch.numbers, batch.values, strict=True):
            try:
                view = decode(value)
                admitted = admit(view)
            except RejectedEvent as error:
                add(error.reason, error.error, line=line, file=batch.source)
                continue
            for finding, sentence in self._found(view, admitted):
                add(finding, sentence, line=line, file=batch.source)

    def _found(self, view: View, admitted: Admitted | None) -> Iterable[tuple[str, str]]:
        if admitted is None:
            what = "user, content and time" if view.event_id is None else "event_id"
            yield "duplicate", f"same {what} as an earlier event"
            return
        if view.event_time < self._previous_time:
            behind = self._previous_time - view.event_time
            yield "out_of_order", f"{behind:g} s earlier than the event before it"
        self._previous_time = view.event_time
        if view.view_time is None:
            yield "missing_view_time", "no view_time"
        if view.rating is None:
            yield "missing_rating", "no rating"
        if admitted.marks:
            yield from _repairs(view, admitted)

    def report(self) -> Report:
        """Return the outcome of all checks so far."""
        totals = {
            "records": self.n_records,
            "accepted": self.gate.counts["accepted"],
            "content": self.n_content,
        }
        checks = [_volume(self.n_records, totals["accepted"])]
        checks += [_judge(check, totals[check.of], self.findings) for check in CHECKS]
        worst = max((result.status for result in checks), key=("PASS", "WARN", "FAIL").index)
        return Report(worst, self.n_records, totals["accepted"], checks)


def _repairs(view: View, admitted: Admitted) -> Iterable[tuple[str, str]]:
    marks = admitted.marks
    if marks & quality.CLIPPED_FUTURE:
        ahead = view.event_time - admitted.event_time
        yield "clipped_future", f"{ahead:g} s further ahead of the watermark than allowed"
    if marks & quality.CLIPPED_VIEW_TIME:
        yield "clipped_outlier", f"view_time {view.view_time:g} clipped to {admitted.view_time:g}"
    if marks & quality.CLIPPED_TO_DURATION:
        sentence = f"view_time {view.view_time:g} is above duration {admitted.view_time:g}"
        yield "clipped_to_duration", sentence
    if marks & quality.UNKNOWN_CONTENT:
        yield "unknown_content", "content_id is not in the catalogue"


def _volume(n_records: int, n_accepted: int) -> CheckResult:
    """Fail a log that teaches nothing."""
    status: Status = "PASS" if n_accepted else "FAIL"
    share = n_accepted / n_records if n_records else 0.0
    return CheckResult("volume", status, n_accepted, n_records, share, 0.0, "accepted events", [])


def _judge(check: Check, total: int, findings: Findings) -> CheckResult:
    count = findings.counts.get(check.finding, 0)
    share = count / total if total else 0.0
    is_absent = check.is_optional and count == total
    return CheckResult(
        name=check.name,
        status=_status(share, check.fail_above) if count and not is_absent else "PASS",
        count=count,
        of=total,
        share=share,
        fail_above=check.fail_above,
        meaning="not in this log, which is fine" if is_absent and count else check.meaning,
        examples=[] if is_absent else findings.examples.get(check.finding, []),
    )


def _status(share: float, fail_above: float) -> Status:
    return "FAIL" if share > fail_above else "WARN"
