"""Watching: progress, tables, reports and metrics."""
