"""A health check for images without curl: ``python -m monitoring.probe URL`` ends with 0 or 1."""

from __future__ import annotations

import sys
import urllib.request

TIMEOUT_S = 4.0


def complaint(url: str, *, timeout_s: float = TIMEOUT_S) -> str | None:
    """Say why a page does not answer with success; None when it does.

    Parameters
    ----------
    url
        Of plain HTTP.
    timeout_s
        Seconds that it may take.

    Raises
    ------
    ValueError
        The URL is of another kind.
    """
    if not url.startswith("http://"):
        raise ValueError(f"{url!r} is no http:// address")
    # No proxy of the environment stands between a container and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s):
            return None
    except OSError as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    found = complaint(sys.argv[1])
    if found:
        print(found, file=sys.stderr)  # noqa: T201  health checks show it
    sys.exit(1 if found else 0)
