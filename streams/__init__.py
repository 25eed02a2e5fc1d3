"""Wiring: events, logs, data quality, snapshots and the command line."""
