"""What `streams` tells and what `monitoring` knows go by the same names."""

from itertools import product

from models.alarms import Kind, Severity
from models.spread import Spread
from monitoring.labels import FINDINGS, REFUSALS, STAGES
from monitoring.metric_table import TABLE
from streams.checkpoint import Outcome
from streams.cli.watching import new_metrics
from streams.drift_telling import REACTIONS, STATISTICS
from streams.judged import SKIPPED
from streams.observing import Observers
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from streams.telling import Teller, levels_of
from tests.replays import arrivals, simulated


def values_of(metric, label):
    return {value for own in TABLE[metric].labels if own.name == label for value in own.values}


def test_every_count_of_a_pipeline_has_its_place():
    known = {"accepted", "duplicate", *REFUSALS, *FINDINGS}
    assert set(Pipeline(Settings()).counts) == known


def test_reasons_and_outcomes_are_the_same():
    assert values_of("driftline_skipped_events_total", "reason") == set(SKIPPED.values())
    outcomes = {outcome.value for outcome in Outcome}
    assert values_of("driftline_transactions_total", "outcome") == outcomes
    assert {"decode", "learn", "recommend", "produce", "commit"} == set(STAGES)


def test_every_level_has_a_metric():
    pipeline = Pipeline(Settings())
    pipeline.process(arrivals(simulated()[0][:50]), Wanted())
    levels = levels_of(pipeline, Spread())
    metrics = new_metrics(Settings(), Observers())
    for name, value in levels.items():
        before = dict(metrics.copy().numbers)
        metrics.measured(0, {name: value + 1})
        assert metrics.copy().numbers != before, name


def test_no_model_segment_or_feature_is_new_to_the_metrics():
    """Else its first counts would be lost to rates, and its values bounded."""
    settings = Settings()
    observers = Observers()
    metrics = new_metrics(settings, observers)
    observers.observers.append(metrics)
    metrics.assigned({0: "ready"}, change="assigned")
    begun = {name: set(own) for name, own in metrics.copy().numbers.items()}
    pipeline, teller = Pipeline(settings), Teller(observers, k=settings.engine.k)
    teller.begin(0, pipeline)
    handled = pipeline.process(arrivals(simulated()[0][:500]), Wanted())
    teller.processed(0, pipeline, handled, decode_s=0.1, batch_s=0.2)
    assert observers.n_failures == 0
    store = metrics.copy()
    counters = {name for name in store.numbers if TABLE[name].kind == "counter"}
    assert {name: set(store.numbers[name]) - begun[name] for name in counters} == {
        name: set() for name in counters
    }
    assert store.numbers["driftline_judged_events_total"][()] > 0


def test_everything_that_drift_may_be_called_begins_at_zero():
    store = new_metrics(Settings(), Observers()).copy()
    alarms = store.numbers["driftline_drift_alarms_total"]
    assert set(alarms) == set(product(STATISTICS, Severity))
    episodes = store.numbers["driftline_drift_episodes_total"]
    assert set(episodes) == set(product(Kind, Severity))
    reactions = store.numbers["driftline_drift_reactions_total"]
    assert set(reactions) == {(name,) for name in REACTIONS}
