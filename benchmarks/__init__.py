"""Measurements of quality, speed, scale and start-up; ``python -m benchmarks`` runs them."""
