"""The record that makes workers forget a user."""

from __future__ import annotations

from streams.arrivals import FORGET_HEADER
from streams.canonical import canonical_id
from streams.errors import RejectedEvent, SettingsError
from streams.kafka_records import Output
from streams.recommendations import NEW_USERS


def forget_record(topic: str, user_id: str) -> Output:
    """Return the record for the views topic; the owner of its partition acts on it in turn.

    Raises
    ------
    SettingsError
        The id can be nobody's.

    Examples
    --------
    >>> forget_record("views", " 7 ").key
    b'7'
    """
    try:
        key = canonical_id(user_id, "USER")
    except RejectedEvent as rejected:
        raise SettingsError(rejected.error) from None
    if key == NEW_USERS:
        raise SettingsError(f"{NEW_USERS} is the key of the list for users unknown so far")
    return Output(topic, key.encode(), None, headers=[(FORGET_HEADER, b"1")])
