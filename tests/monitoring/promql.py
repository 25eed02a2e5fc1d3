"""Looking into expressions of PromQL."""

import promql_parser as promql

from monitoring.metric_table import TABLE

RATES = {"rate", "increase", "irate"}


def children(node):
    """Give the expressions right below an expression."""
    for name in ("expr", "lhs", "rhs", "param", "vector_selector", "vs"):
        found = getattr(node, name, None)
        if isinstance(found, promql.Expr):
            yield found
    yield from getattr(node, "args", None) or ()


def selectors(node, inside=()):
    """Give every selector of a metric, with the functions around it."""
    if isinstance(node, promql.VectorSelector):
        yield node, inside
    elif isinstance(node, promql.MatrixSelector):
        yield node.vector_selector, (*inside, "[]")
    else:
        around = (*inside, node.func.name) if isinstance(node, promql.Call) else inside
        for child in children(node):
            yield from selectors(child, around)


def names_in(node):
    """Give the names of all metrics of an expression."""
    return {selector.name for selector, _ in selectors(node)}


def series_names():
    """Give the names that may be queried: those of the table, and the three of a histogram."""
    names = {}
    for metric in TABLE.values():
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {metric.name + end: metric for end in ends}
    return names
