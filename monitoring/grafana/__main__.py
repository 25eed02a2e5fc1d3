"""Write the dashboards: ``python -m monitoring.grafana``."""

from __future__ import annotations

from pathlib import Path

from monitoring.grafana import overview, quality, worker
from monitoring.grafana.build import dashboard_json

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = (overview.BOARD, quality.BOARD, worker.BOARD)

if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(dashboard_json(board), encoding="utf-8")
