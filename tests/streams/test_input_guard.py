"""Input faults are found, named with their scope, and kept from the model while they last."""

from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

from models import raw_statistics as raw
from models.alarms import Kind, Reaction
from streams.drift_settings import DriftSettings
from streams.events import Content
from streams.pipeline import Handled, Pipeline, Wanted
from streams.settings import Settings
from tests.streams.planted_faults import (
    arrivals_of,
    on,
    planted,
    process,
    recovered,
    skewed,
    steady_views,
    told,
    with_factor,
    without,
)

BEGIN, END, N = 10_000, 13_000, 15_000
VIEWS = steady_views(N)


def pipeline(**drift):
    return Pipeline(Settings(drift=DriftSettings(**drift)))


def checked(views, **drift):
    """Send views through the gate, without the engine; return what was noticed, and the gate."""
    made = pipeline(**drift)
    handled = Handled()
    runs = made._check(arrivals_of(views), handled, Wanted())
    return made, handled, [view for run in runs for view in run.learnable]


def stuck(views):
    """Let one client repeat its view for a fifth of the records."""
    return [
        view
        for at, each in enumerate(views)
        for view in ((each, views[BEGIN]) if BEGIN <= at < END and at % 5 == 0 else (each,))
    ]


def with_bots(views):
    """Let three users make a fifth of the views."""
    return [
        replace(view, user_id=f"bot{at % 3}") if BEGIN <= at < END and at % 5 == 0 else view
        for at, view in enumerate(views)
    ]


FAULTS = {
    "unit": (with_factor(1 / 60), "view_time", "all", "view_time_imputed"),
    "unit of a device": (
        on("tablet", with_factor(1_000)),
        "view_time",
        "device:tablet",
        "view_time_imputed",
    ),
    "field missing": (without("view_time"), "missing:view_time", "all", None),
    "field missing on a device": (
        on("phone", without("rating")),
        "missing:rating",
        "device:phone",
        None,
    ),
    "another scale": (
        lambda view: replace(view, rating=view.rating / 2),
        "rating",
        "all",
        "rating_ignored",
    ),
    "clock ahead": (on("tablet", skewed(3)), "clock", "device:tablet", "clock_replaced"),
    "clock behind": (on("phone", skewed(-5)), "clock", "device:phone", "clock_replaced"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_soon_named_with_its_scope_and_ended(name):
    fault, statistic, scope, reaction = FAULTS[name]
    views = planted(VIEWS, fault, BEGIN, END)
    _, handled, _ = checked(views)
    place = {(s, where): at for at, s, where in reversed(told(handled.noticed))}
    also = {("lateness", "all"), ("view_time:implausible", scope)}
    assert {(statistic, scope)} <= set(place) <= {(statistic, scope), *also}
    n_faulty = sum(
        a is not b for a, b in zip(views, VIEWS[: place[statistic, scope]], strict=False)
    )
    assert n_faulty <= 500
    alarms = [n for _, n in handled.noticed if getattr(n, "kind", "") == Kind.INPUT_FAULT]
    assert len(alarms) == len(told(handled.noticed))
    assert (statistic, scope, True) in recovered(handled.noticed)
    done = [
        (n.name, n.scope, n.is_on)
        for _, n in handled.noticed
        if isinstance(n, Reaction) and n.statistic == statistic
    ]
    assert done == ([(reaction, scope, True), (reaction, scope, False)] if reaction else [])


def test_a_stuck_client_is_found_and_teaches_once():
    _, handled, learned = checked(stuck(VIEWS))
    (at, statistic, scope), *others = told(handled.noticed)
    assert (statistic, scope.partition(":")[0]) in {
        ("duplicate", "device"),
        ("duplicate", "source"),
    }
    assert at - BEGIN <= 1_500
    assert {statistic for _, statistic, _ in others} <= {"duplicate"}
    assert len(learned) == N


def test_users_busier_than_people_are_found_and_not_learned():
    _, handled, learned = checked(with_bots(VIEWS))
    (at, statistic, scope), *others = told(handled.noticed)
    assert (statistic, scope, others) == ("user_concentration", "all", [])
    assert at - BEGIN <= 2_500
    silent = {view.user_id for view in learned if view.strength == 0.0}
    assert silent == {"bot0", "bot1", "bot2"}
    assert all(view.strength == 0.0 for view in learned[at + 1 : END] if "bot" in view.user_id)
    assert ("user_concentration", "all", True) in recovered(handled.noticed)


def test_nothing_is_told_of_a_steady_log():
    _, handled, _ = checked(steady_views(30_000, seed=2))
    assert handled.noticed == []


def test_people_who_watch_less_are_data_and_nothing_is_done():
    _, handled, _ = checked(planted(VIEWS, with_factor(0.5), BEGIN, END))
    assert {place[1:] for place in told(handled.noticed)} == {
        ("view_time", "all"),
        ("watched_share", "all"),
    }
    assert {n.kind for _, n in handled.noticed if hasattr(n, "kind")} == {Kind.DATA}
    assert not [n for _, n in handled.noticed if isinstance(n, Reaction)]


def test_a_field_that_is_seldom_there_cannot_go_missing():
    views = [view if at % 5 == 0 else without("rating")(view) for at, view in enumerate(VIEWS)]
    _, handled, _ = checked(planted(views, without("rating"), BEGIN, END))
    assert handled.noticed == []


def usual_view_time(gate):
    return float(np.median([gate._view_times.of_title(f"t{title}") for title in range(40)]))


def test_view_times_in_another_unit_do_not_teach_what_is_usual():
    views = planted(VIEWS, with_factor(1 / 60), BEGIN, N)
    unharmed = usual_view_time(checked(VIEWS)[0].gate)
    # Of a title's last 15 view times, about seven came before the fault was found.
    assert usual_view_time(checked(views)[0].gate) > 0.3 * unharmed
    assert usual_view_time(checked(views, protect=False)[0].gate) < 0.05 * unharmed


def test_clocks_far_ahead_make_the_others_late_only_until_they_are_found():
    views = planted(VIEWS, on("tablet", skewed(30)), BEGIN, END)
    made, handled, learned = checked(views)
    found = next(
        at for at, s, scope in told(handled.noticed) if (s, scope) == ("clock", "device:tablet")
    )
    assert all(at <= found for at, _ in handled.refused)
    times = [view.time for view in learned[END - 1_500 : END]]
    assert max(times) - min(times) < 6 * 3_600.0
    assert made.gate.counts["late"] < 1_500
    unprotected, _, _ = checked(views, protect=False)
    assert unprotected.gate.counts["late"] > 3_000


def test_protection_can_be_turned_off():
    views = planted(VIEWS, with_factor(1 / 60), BEGIN, END)
    _, handled, _ = checked(views, protect=False)
    assert ("view_time", "all") in {place[1:] for place in told(handled.noticed)}
    assert not [n for _, n in handled.noticed if isinstance(n, Reaction)]


def test_detection_can_be_turned_off():
    made, handled, _ = checked(planted(VIEWS, with_factor(1 / 60), BEGIN, END), detect=False)
    assert made.guard is None
    assert handled.noticed == []
    other = pipeline(detect=False)
    other.restore(made.snapshot())


def test_a_forgotten_user_is_no_suspect_and_leaves_no_name():
    made, _, _ = checked(with_bots(VIEWS)[: END - 500])
    assert "bot1" in made.guard.watch.distrust.suspects
    made.guard.forget("bot1")
    assert "bot1" not in made.guard.watch.distrust.suspects
    assert not any(b"bot1" in array.tobytes() for array in made.guard.snapshot().values())


def test_a_replayed_dead_letter_says_nothing_of_the_inputs():
    made = pipeline()
    records = [a._replace(replay_of="views/0/1") for a in arrivals_of(VIEWS[:10])]
    made.process(records, Wanted())
    assert made.guard.snapshot()["records"].size == 0
    process(made, VIEWS[10:20])
    assert made.guard.snapshot()["records"].size > 0


def test_a_share_is_of_the_length_that_was_known_when_its_record_came():
    views = [replace(view, content_id="t", duration=None) for view in VIEWS[:20]]
    views = [replace(view, rating=50.0) for view in views]  # refused: the gate gives no share
    shares = []
    for cuts in ([10], [3, 10, 17]):
        made, ends = pipeline(), [0, *cuts, len(views)]
        made.take_content([Content("t", duration=100.0)])
        for begin, end in pairwise(ends):
            if begin == 10:
                made.take_content([Content("t", duration=200.0)])
            process(made, views[begin:end])
        records = made.guard.snapshot()["records"].reshape(-1, raw.N_COLUMNS)
        shares.append(records[:, raw.C_SHARE].tolist())
    times = [view.view_time for view in views]
    assert shares[0] == shares[1]
    assert shares[0] == [t / 100.0 for t in times[:10]] + [t / 200.0 for t in times[10:]]


def test_garbage_hides_no_fault():
    garbage = [
        replace(VIEWS[0], rating=1e308),
        replace(VIEWS[0], view_time=1e308),
        replace(VIEWS[0], view_time=float("inf")),
        replace(VIEWS[0], view_time=5e-324, duration=5e-324),
        replace(VIEWS[0], event_time=1e300),
        replace(VIEWS[0], event_time=float("inf")),
        replace(VIEWS[0], event_time=-1e300),
    ]
    views = planted(VIEWS, with_factor(1 / 60), BEGIN, END)
    for at in range(50, N, 400):
        views[at] = replace(garbage[at // 400 % len(garbage)], user_id=f"odd{at}")
    made, handled, _ = checked(views)
    assert ("view_time", "all") in {place[1:] for place in told(handled.noticed)[:2]}
    state = made.guard.watch.watch.levels
    assert all(np.isfinite(state[name]).all() for name in ("mean", "variance", "spread", "total"))


def test_ratings_beyond_the_scale_are_refused_and_told_so():
    _, handled, _ = checked(planted(VIEWS, lambda v: replace(v, rating=50.0), BEGIN, END))
    assert ("refused:range", "all") in {place[1:] for place in told(handled.noticed)}
    assert {n.kind for _, n in handled.noticed if hasattr(n, "kind")} == {Kind.INPUT_FAULT}
