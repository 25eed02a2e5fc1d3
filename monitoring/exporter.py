"""An HTTP server beside the loop: ``/metrics``, ``/healthz``, ``/readyz`` and ``/status``.

It runs in a thread of its own and shares nothing with the loop but the numbers of
:class:`~monitoring.metrics.Metrics`. It answers whatever Kafka does: healthy means that the loop
has begun a turn lately. Whoever connects has ten seconds, and no more than 16 do at a time.

Serving a page, the thread waits for Python's lock some six times, by default 5 ms each beside a
loop that is busy. While it serves, threads take turns every half millisecond: that makes pages
quicker, and what the loop waits for them shorter.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self

from prometheus_client.exposition import choose_encoder

from monitoring.collector import registry_of
from monitoring.metrics import Metrics
from monitoring.status import status_of

CLIENT_S = 10.0
"""Seconds for one connection, however slowly it reads or writes."""
MAX_CLIENTS = 16
TURN_S = 0.0005
_LOOK_S = 0.1
TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What a path answers."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Exporter:
    """Serves what is known of a worker or replay, as a context manager.

    Parameters
    ----------
    metrics
        What is served.
    host, port
        Where; port 0 takes a free one.
    healthy_within_s
        Age of the latest turn of the loop from which it counts as stuck.

    Attributes
    ----------
    address : str
        Where it is served.

    Raises
    ------
    OSError
        The port is taken, or not ours to take.
    """

    def __init__(
        self, metrics: Metrics, *, host: str, port: int, healthy_within_s: float = 30.0
    ) -> None:
        self.metrics = metrics
        self.healthy_within_s = healthy_within_s
        self._registry = registry_of(metrics.copy)
        self._server = _Server((host, port), self.answer)
        named = f"[{host}]" if ":" in host else host
        self.address = f"http://{named}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="exporter", daemon=True
        )

    def __enter__(self) -> Self:
        self._turn_before_s = sys.getswitchinterval()
        sys.setswitchinterval(TURN_S)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        sys.setswitchinterval(self._turn_before_s)

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a request for a path."""
        if path == "/metrics":
            encode, content_type = choose_encoder(headers.get("Accept", ""))
            return Answer(HTTPStatus.OK, content_type, encode(self._registry))
        if path == "/healthz":
            return _verdict(self._sickness())
        if path == "/readyz":
            return _verdict(self._sickness() or self._unreadiness())
        if path == "/status":
            is_alive = self._sickness() is None
            found = status_of(self.metrics, is_alive=is_alive, now=time.time())
            body = json.dumps(found, indent=2).encode() + b"\n"
            return Answer(HTTPStatus.OK, "application/json", body)
        known = "/metrics, /healthz, /readyz, /status"
        if path == "/":
            return Answer(HTTPStatus.OK, TEXT, f"driftline: {known}\n".encode())
        return Answer(HTTPStatus.NOT_FOUND, TEXT, f"no such page; there are {known}\n".encode())

    def _sickness(self) -> str | None:
        """Say why the loop counts as stuck; None while it ticks."""
        age_s = self.metrics.tick_age_s()
        if age_s <= self.healthy_within_s:
            return None
        return f"the loop has not begun a turn for {age_s:.0f} s"

    def _unreadiness(self) -> str | None:
        if self.metrics.is_draining():
            return "draining"
        if self.metrics.is_ready:
            return None
        states = list(self.metrics.states.values())
        n_ready = states.count("ready")
        return f"{n_ready} of {len(states)} partitions are restored" if states else "joining"


def _verdict(complaint: str | None) -> Answer:
    if complaint is None:
        return Answer(HTTPStatus.OK, TEXT, b"ok\n")
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, f"{complaint}\n".encode())


# As typeshed has them for any server of sockets.
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Server(ThreadingHTTPServer):
    """Bounds how many connections there are and how long each lasts."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, place: tuple[str, int], answer: Callable[[str, Mapping[str, str]], Answer]
    ) -> None:
        self.answer = answer
        self._open: dict[_Connection, float] = {}
        self._lock = threading.Lock()
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(place, _Request)

    def server_bind(self) -> None:
        # HTTPServer asks the name service who we are, which may take long.
        if sys.platform != "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: _Connection, client_address: object) -> None:
        with self._lock:
            is_full = len(self._open) >= MAX_CLIENTS
            if not is_full:
                self._open[request] = time.monotonic()
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End connections whose time is up; called every `_LOOK_S`."""
        with self._lock:
            late = [c for c, at in self._open.items() if time.monotonic() - at > CLIENT_S]
        for connection in late:
            with suppress(OSError):
                if isinstance(connection, socket.socket):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """Say nothing: a client that went away is no event of ours."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    server_version = "driftline"
    sys_version = ""
    timeout = CLIENT_S
    wbufsize = 1 << 18  # head and page in one call

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer())

    def _answer(self) -> Answer:
        path = self.path.partition("?")[0]
        try:
            return self.server.answer(path, dict(self.headers.items()))
        except Exception as error:  # noqa: BLE001  a page that fails must not end as a broken pipe
            text = f"{type(error).__name__}: {error}\n".encode()
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, text)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request of ours, in plain text."""
        status = HTTPStatus(code)
        if status == HTTPStatus.NOT_IMPLEMENTED:
            status, message = HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD"
        self.close_connection = True
        self._send(Answer(status, TEXT, f"{message or explain or status.phrase}\n".encode()))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""
