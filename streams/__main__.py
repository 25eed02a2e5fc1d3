"""``python -m streams`` is ``driftline``."""

from streams.cli import main

if __name__ == "__main__":
    main(prog_name="driftline")
