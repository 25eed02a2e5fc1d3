"""What an uninterrupted run makes of views, and how it is held against what workers wrote."""

import hashlib
import json

import msgspec

from streams.arrivals import Forget, arrival_of
from streams.decoding import JsonDecoder
from streams.pipeline import Emission, Pipeline, Wanted
from streams.recommendations import NEW_USERS

_EVERYTHING = Wanted(Emission.EVERY, is_aggregated=True)
_SLICE = 500


class Oracle:
    """What one uninterrupted pipeline makes of the records of a partition.

    Attributes
    ----------
    lists : dict[tuple[str, int], bytes]
        The record of each user at each of the user's events, by offset.
    last : dict[str, int | None]
        Offset of each user's last list; None where the user was forgotten after it.
    refused : list[tuple[int, str]]
        Offset and reason of each dead letter.
    aggregates : list[bytes]
        Outcomes.
    drift : list[bytes]
        Drift records.
    next_offset : int
        Behind the last record.
    """

    def __init__(self, settings, number, content=()):
        self.pipeline = Pipeline(settings, number)
        self._see_nothing()
        self.next_offset = 0
        decoder = JsonDecoder()
        rows = [decoder.decode_content(line.rstrip()) for line in content]
        self.pipeline.take_rows({row.content_id: row for row in rows})
        self._decoder = JsonDecoder(max_bytes=settings.quality.max_event_bytes)

    def take(self, records, listed=()):
        """Process records in slices that end wherever the list for new users is asked for."""
        ends = sorted({*listed, *(r.offset() for r in records[_SLICE - 1 :: _SLICE])})
        batch = []
        for record in records:
            batch.append(record)
            if ends and record.offset() == ends[0]:
                self._process(batch, is_listed=ends.pop(0) in listed)
                batch = []
        if batch:
            self._process(batch, is_listed=False)

    def pass_over(self, records):
        """Process records whose results nobody sees."""
        if records:
            self._process(records, is_listed=False)
        self._see_nothing()

    def _see_nothing(self):
        self.lists, self.last = {}, {}
        self.refused, self.aggregates, self.drift = [], [], []

    def _process(self, records, *, is_listed):
        arrivals = [arrival_of(record, self._decoder) for record in records]
        self.next_offset = records[-1].offset() + 1
        handled = self.pipeline.process(arrivals, _EVERYTHING)
        at = {position: (record.user_id, record) for position, record in handled.recommendations}
        for position, arrival in enumerate(arrivals):
            if isinstance(arrival.view, Forget):
                self.last[arrival.view.user_id] = None
            elif position in at:
                user_id, record = at[position]
                self.lists[user_id, arrival.origin.offset] = msgspec.json.encode(record)
                self.last[user_id] = arrival.origin.offset
        self.refused += [
            (records[position].offset(), rejected.reason) for position, rejected in handled.refused
        ]
        self.aggregates += [msgspec.json.encode(aggregate) for aggregate in handled.aggregates]
        self.drift += [msgspec.json.encode(record) for _, record in handled.drift]
        if is_listed:
            new_users = self.pipeline.new_users_list(arrivals[-1])
            self.lists[NEW_USERS, arrivals[-1].origin.offset] = msgspec.json.encode(new_users)

    def check_lists(self, folded):
        """Check the folded output of workers: no list differs, none of the last is missing."""
        for user_id, lists in folded.items():
            for offset, value in lists.items():
                if value is not None:
                    assert value == self.lists[user_id, offset], f"{user_id} at offset {offset}"
        folded = {user_id: lists for user_id, lists in folded.items() if user_id != NEW_USERS}
        assert {user_id: list(lists)[-1] for user_id, lists in folded.items()} == self.last


def folded_lists(records, number):
    """Give each user's lists by the offset they are based on, in the order written.

    That offset must grow from list to list; None is the offset of a tombstone.
    """
    folded = {}
    for record in records:
        user_id, value = record.key().decode(), record.value()
        lists = folded.setdefault(user_id, {})
        if value is None:
            lists.pop(None, None)
            lists[None] = None
            continue
        based_on = json.loads(value)["based_on"]
        assert based_on["partition"] == number
        offset = based_on["offset"]
        before = max((o for o in lists if o is not None), default=-1)
        assert offset > before, f"{user_id}: a list based on {offset} came after {before}"
        lists[offset] = value
    return folded


def digest(arrays):
    """Give the sha256 of a state: names, types, shapes and bytes of its arrays."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def assert_same_state(found, expected):
    if digest(found) != digest(expected):
        names = sorted({*found, *expected})
        other = [
            n
            for n in names
            if digest({n: found[n]} if n in found else {})
            != digest({n: expected[n]} if n in expected else {})
        ]
        raise AssertionError(f"arrays differ: {', '.join(other)}")
