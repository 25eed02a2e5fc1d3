"""What a partition's events gave, as records that are held until they are committed.

Out: ``recommendations`` (key user id, the partition of the input), where a user's later list takes
the place of an earlier one of the same transaction and a forgotten user leaves a tombstone;
``views.dead-letter``, ``outcomes`` and ``drift`` (key episode) in the order of the events.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.arrivals import Arrival
from streams.checkpoint import Held
from streams.dead_letter_records import dead_letter_output
from streams.kafka_records import Output, Record
from streams.partition import AssignedPartition
from streams.pipeline import Handled

_encode = msgspec.json.Encoder().encode


def hold(
    held: Held,
    found: AssignedPartition,
    handled: Handled,
    records: Sequence[Record],
    arrivals: Sequence[Arrival],
) -> None:
    """Add what the records of one call gave to what the partition holds."""
    topics, number = found.settings.topics, found.partition.number
    for at, rejected in handled.refused:
        held.others.append(dead_letter_output(records[at], rejected, topics.dead_letter))
    for aggregate in handled.aggregates:
        held.others.append(Output(topics.outcomes, str(number).encode(), _encode(aggregate)))
    for _, episode in handled.drift:
        held.others.append(Output(topics.drift, episode.episode.encode(), _encode(episode)))
    for _, user_id in handled.forgotten:
        key = user_id.encode()
        held.lists[key] = Output(topics.recommendations, key, None, partition=number)
        found.is_save_forced = True
    made = [record for _, record in handled.recommendations]
    if handled.accepted:
        made.append(found.pipeline.new_users_list(arrivals[handled.accepted[-1]]))
    for record in made:
        key = record.user_id.encode()
        held.lists[key] = Output(topics.recommendations, key, _encode(record), partition=number)
    held.position = found.position()
    held.n_records += len(records)
