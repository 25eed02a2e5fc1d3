"""Dashboards as classic JSON, from rows of panels, by Grafana's Foundation SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard as made
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.grafana.drawing import SOURCE, panel_builder
from monitoring.grafana.panels import Board, Panel, Row

WIDTH = 24
MATCHERS = 'job=~"$job", instance=~"$instance"'
PLACED = f'{MATCHERS}, topic=~"$topic"'
TAG = "driftline"
RUNBOOKS = "docs/runbooks"
IN_SIGHT = ""
"""Where links and marks are switched: above the panels, not in a menu, the SDK's default."""


def expression(text: str) -> str:
    """Write out the matchers of an expression.

    >>> expression("sum(driftline_users{$W})")
    'sum(driftline_users{job=~"$job", instance=~"$instance"})'
    """
    return text.replace("$W", MATCHERS).replace("$P", PLACED)


def dashboard_json(board: Board) -> str:
    """Return the text of a dashboard's file."""
    builder = (
        made.Dashboard(board.title)
        .uid(board.uid)
        .description(board.sentence)
        .tags([TAG])
        .editable()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .variables(list(_variables(has_segment=board.has_segment)))
        .annotations([_drift()])
        .links([_siblings()])
    )
    built = builder.build()
    built.schema_version = 42
    built.panels = list(_placed(board.rows))
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _placed(rows: tuple[Row, ...]) -> Iterator[dashboard.Panel | dashboard.RowPanel]:
    """Give headings and panels with their numbers and places, no holes between."""
    number, y = 1, 0
    for row in rows:
        place = dashboard.GridPos(x=0, y=y, h=1, w=WIDTH)
        yield made.Row(row.title).id(number).grid_pos(place).build()
        number, y, x = number + 1, y + 1, 0
        for panel in row.panels:
            place = dashboard.GridPos(x=x, y=y, h=row.height, w=panel.width)
            yield _panel(panel, number, place)
            number, x = number + 1, x + panel.width
            if x == WIDTH:
                x, y = 0, y + row.height


def _panel(panel: Panel, number: int, place: dashboard.GridPos) -> dashboard.Panel:
    targets = [
        _target(expression(query.expr), query.legend, chr(ord("A") + at), panel)
        for at, query in enumerate(panel.queries)
    ]
    builder = panel_builder(panel).id(number).grid_pos(place).datasource(SOURCE)
    built: dashboard.Panel = builder.targets(targets).build()
    return built


def _target(expr: str, legend: str, name: str, panel: Panel) -> prometheus.Dataquery:
    query = prometheus.Dataquery().ref_id(name).expr(expr).datasource(SOURCE)
    if panel.kind == "table":
        return query.instant().format(PromQueryFormat.TABLE)
    if panel.kind == "heatmap":
        return query.range().format(PromQueryFormat.HEATMAP).legend_format(legend)
    return query.range().legend_format(legend or "__auto")


def _variables(*, has_segment: bool) -> Iterator[Builder[dashboard.VariableModel]]:
    yield made.DatasourceVariable("datasource").label("Data source").type("prometheus")
    yield _values("job", "Job", "label_values(driftline_build_info, job)")
    yield _values("instance", "Worker", 'label_values(driftline_build_info{job=~"$job"}, instance)')
    yield _values("topic", "Topic", 'label_values(driftline_events_total{job=~"$job"}, topic)')
    if has_segment:
        yield _values(
            "segment",
            "Segment",
            'label_values(driftline_segment_judged_events_total{job=~"$job"}, segment)',
        )
    chosen = dashboard.VariableOption(text="1h", value="1h", selected=True)
    window = made.IntervalVariable("window").label("Window of means").values("5m,15m,1h,6h,1d")
    yield window.current(chosen)
    yield made.ConstantVariable("runbooks").label("Where the runbooks are").value(RUNBOOKS)


def _values(name: str, label: str, query: str) -> made.QueryVariable:
    """Give a variable of the values of a label, several or all."""
    return (
        made.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(dashboard.VariableOption(text="All", value="$__all", selected=True))
    )


def _drift() -> made.AnnotationQuery:
    """Give a mark where drift was detected: the value is the time, in milliseconds."""
    return (
        made.AnnotationQuery()
        .name("Drift")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("orange")
        .expr(expression("driftline_drift_detected_timestamp_seconds{$W} * 1000"))
        .use_value_for_time(True)
        .title_format("Drift: {{kind}}")
        .text_format("detected by {{instance}}")
        .tag_keys("kind")
        .step("60s")
        .placement(IN_SIGHT)
    )


def _siblings() -> made.DashboardLink:
    return (
        made.DashboardLink("driftline")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
        .placement(IN_SIGHT)
    )
