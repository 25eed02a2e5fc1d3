"""Grafana dashboards as code; ``python -m monitoring.grafana`` writes the committed JSON."""
