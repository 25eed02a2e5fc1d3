"""Expressions of the dashboards as a server is asked them, with variables filled in."""

import json
import re

from monitoring.grafana.__main__ import BOARDS
from monitoring.grafana.build import dashboard_json

SHORT = "5s"


def questions(window=SHORT):
    """Give every expression of every panel and mark by where it stands."""
    found = {}
    for board in BOARDS:
        built = json.loads(dashboard_json(board))
        for panel in built["panels"]:
            for target in panel.get("targets") or ():
                place = f"{board.uid}/{panel['title']}/{target['refId']}"
                found[place] = filled(target["expr"], window)
        for mark in built["annotations"]["list"]:
            found[f"{board.uid}/{mark['name']}"] = filled(mark["expr"], window)
    return found


def filled(expression, window=SHORT):
    """Give an expression with all values chosen and a window."""
    for name in ("$__rate_interval", "$window"):
        expression = expression.replace(name, window)
    return re.sub(r'"\$\w+"', '".+"', expression)


def silent(server, asked):
    """Give the places of those expressions that return no data; what is NaN is no data."""
    return sorted(
        place
        for place, expression in asked.items()
        if not any(value == value for _, value in server.query(expression))  # noqa: PLR0124
    )
