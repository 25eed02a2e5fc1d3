"""What observers hear of drift, against the records that are written of it."""

import pytest

from models.alarms import Alarm, Kind, Reaction
from monitoring.watcher import Watcher
from streams.drift_settings import DriftSettings
from streams.drift_telling import REACTIONS, STATISTICS, levels_of_drift, open_episodes
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from streams.telling import Teller
from tests.drifting import lacking
from tests.replays import arrivals, simulated

N_EVENTS, BEGIN, END = 3_600, 2_400, 2_800


class Noting(Watcher):
    """Keeps what it is told of drift."""

    def __init__(self):
        self.changes = []
        self.sizes = {}

    def drifted(self, change):
        self.changes.append(change)

    def measured(self, partition, sizes):  # noqa: ARG002  there is one
        self.sizes = sizes


def states(changes):
    return [change["state"] for change in changes]


def without_view_times(begin=BEGIN, end=END):
    """Give a log in which view times go missing, and are back later."""
    return arrivals(lacking(simulated(N_EVENTS)[0], "view_time", begin, end))


def told(records, *, pipeline=None, step=500):
    """Let a pipeline take records; give what an observer was told, and all that came of them."""
    noting, pipeline, handled = Noting(), pipeline or Pipeline(Settings(), 7), []
    teller = Teller(noting, k=10)
    teller.begin(7, pipeline)
    for at in range(0, len(records), step):
        handled.append(pipeline.process(records[at : at + step], Wanted()))
        teller.processed(7, pipeline, handled[-1], decode_s=0.1, batch_s=0.2)
    teller.finish({7: pipeline})
    return noting, pipeline, handled


@pytest.fixture(scope="module")
def whole():
    return told(without_view_times())


def test_an_episode_is_told_as_its_records_say(whole):
    noting, _, handled = whole
    records = [record for part in handled for _, record in part.drift]
    episodes = [change for change in noting.changes if "episode" in change]
    assert [(c["episode"], c["state"]) for c in episodes] == [(r.episode, r.state) for r in records]
    assert states(episodes)[0] == "opened"
    assert states(episodes)[-1] == "closed"
    first, record = episodes[0], records[0]
    assert first == {
        "partition": 7,
        "episode": "7-1",
        "state": "opened",
        "kind": Kind.INPUT_FAULT,
        "severity": record.severity,
        "statistic": "missing:view_time",
        "scope": "all",
        "detector": record.detector,
        "onset": record.onset,
        "detected": record.detected,
        "before": record.before,
        "after": record.after,
    }
    assert type(first["kind"]) is str


def test_every_alarm_is_told(whole):
    noting, _, handled = whole
    alarms = [n for part in handled for _, n in part.noticed if isinstance(n, Alarm)]
    found = [change for change in noting.changes if change["state"] == "alarm"]
    assert [(c["statistic"], c["detected"]) for c in found] == [
        (alarm.statistic, alarm.detected) for alarm in alarms
    ]
    assert len(alarms) >= 1


def test_an_episode_that_is_open_where_a_partition_begins_is_told_as_an_update():
    records = without_view_times()
    _, pipeline, _ = told(records[:END])
    (episode,) = pipeline.drift.episodes.open
    noting, _, _ = told(records[END:], pipeline=pipeline)
    first, *rest = noting.changes
    assert (first["episode"], first["state"]) == ("7-1", "updated")
    assert (first["kind"], first["onset"]) == (episode.kind, episode.onset)
    assert "opened" not in states(rest)
    assert states(rest)[-1] == "closed"
    assert list(open_episodes(7, pipeline)) == []


def test_a_reaction_is_told_when_it_begins():
    noting, pipeline = Noting(), Pipeline(Settings(), 7)
    teller = Teller(noting, k=10)
    teller.begin(7, pipeline)
    handled = pipeline.process([], Wanted())
    for is_on in (True, False):
        reaction = Reaction("rating_ignored", "rating", "device:tv", is_on=is_on, at=9.0)
        handled.noticed.append((0, reaction))
    teller.processed(7, pipeline, handled, decode_s=0.1, batch_s=0.2)
    assert noting.changes == [
        {
            "partition": 7,
            "state": "reaction",
            "reaction": "rating_ignored",
            "statistic": "rating",
            "scope": "device:tv",
            "detected": 9.0,
        }
    ]
    assert "rating_ignored" in REACTIONS


def test_levels_are_those_of_all_statistics_and_of_known_scopes():
    noting, pipeline, _ = told(without_view_times()[: BEGIN + 300])
    levels = {name: value for name, value in noting.sizes.items() if name.startswith("level:")}
    assert set(levels) == {f"level:{statistic}" for statistic in STATISTICS}
    assert levels["level:missing:view_time"] == 1
    assert levels["level:missing:rating"] < 1
    recalls = {name: value for name, value in noting.sizes.items() if name.startswith("recall:")}
    assert {"recall:all", "recall:user:known", "recall:device:tv"} <= set(recalls)
    assert recalls["recall:all"] == pipeline.engine.quality.state.level[1, 0]


def test_where_nothing_is_watched_there_are_no_levels():
    pipeline = Pipeline(Settings(drift=DriftSettings(detect=False)))
    pipeline.process(without_view_times()[:100], Wanted())
    assert levels_of_drift(pipeline) == {}
