"""How each kind of panel is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import common as shown
from grafana_foundation_sdk.builders import dashboard as made
from grafana_foundation_sdk.builders import heatmap, stat, table, timeseries
from grafana_foundation_sdk.models import common, dashboard

from monitoring.grafana.panels import Panel, Step

SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
# Each kind has its own builder class with the same methods, and no class in common.
Builder = Any


def panel_builder(panel: Panel) -> Builder:
    """Return what all panels have, on the builder of its kind."""
    drawn = {
        "stat": _stat,
        "lines": _lines,
        "stacked": _stacked,
        "table": _table,
        "heatmap": _heatmap,
    }
    builder = drawn[panel.kind](panel).title(panel.title).description(panel.sentence)
    builder = builder.unit(panel.unit).thresholds(_thresholds(panel.steps))
    for set_it, value in (
        (builder.min, panel.minimum),
        (builder.max, panel.maximum),
        (builder.decimals, panel.decimals),
    ):
        if value is not None:
            set_it(value)
    return builder


def _stat(panel: Panel) -> Builder:
    latest = shown.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    has_verdict = len(panel.steps) > 1
    by = dashboard.FieldColorModeId.THRESHOLDS
    return (
        stat.Panel()
        .reduce_options(latest)
        .color_mode(
            common.BigValueColorMode.BACKGROUND if has_verdict else common.BigValueColorMode.VALUE
        )
        .graph_mode(common.BigValueGraphMode.AREA)
        .color_scheme(made.FieldColor().mode(by))
        .no_value("–")
    )


def _lines(panel: Panel) -> Builder:
    legend = (
        shown.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    tooltip = shown.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    builder = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(tooltip.sort(common.SortOrder.DESCENDING))
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(5)
        .show_points(common.VisibilityMode.NEVER)
    )
    if len(panel.steps) > 1:
        style = shown.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        builder = builder.thresholds_style(style)
    return builder


def _stacked(panel: Panel) -> Builder:
    stacking = shown.StackingConfig().mode(common.StackingMode.NORMAL).group("A")
    return _lines(panel).stacking(stacking).fill_opacity(40)


def _heatmap(_: Panel) -> Builder:
    return heatmap.Panel().calculate(False).show_legend()


def _table(_: Panel) -> Builder:
    """Labels as columns; of an alert, its name leads to the runbook."""
    link = made.DashboardLink("Runbook").url("${runbooks}/${__data.fields.alertname}.md")
    links = dashboard.DynamicConfigValue(id_val="links", value=[link.build()])
    hidden = dict.fromkeys(("Time", "Value", "__name__", "job"), True)
    columns = dashboard.DataTransformerConfig(
        id_val="organize", options={"excludeByName": hidden, "renameByName": {}}
    )
    return (
        table.Panel()
        .show_header(True)
        .with_transformation(columns)
        .override_by_name("alertname", [links])
        .no_value("none")
    )


def _thresholds(steps: Sequence[Step]) -> made.ThresholdsConfig:
    built = [dashboard.Threshold(value=step.value, color=step.color) for step in steps]
    return made.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(built)
