"""A proxy that forwards to a server, and does to requests and responses what networks do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit


class Seen(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """An answer in place of the server's."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


#: Forward the request, and close the connection in place of its answer.
LOSE = object()
#: Close the connection without forwarding.
DROP = object()


class Cut(NamedTuple):
    """Forward, and close after so many bytes of the body."""

    after: int


class Proxy:
    """fault, if set, says for each request what becomes of it: None to forward it."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.seen: list[Seen] = []
        self.fault: Callable[[int, Seen], object] = lambda number, seen: None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ValueError):
                    self.close_connection = True

            def _any(self) -> None:
                proxy._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        seen = Seen(handler.command, handler.path, headers, body)
        self.seen.append(seen)
        fault = self.fault(len(self.seen), seen)
        if fault is DROP:
            handler.close_connection = True
        elif isinstance(fault, Answer):
            handler.send_response(fault.status)
            for name, value in {"Content-Length": str(len(fault.body)), **fault.headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(fault.body)
        else:
            self._forward(handler, seen, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, seen: Seen, fault: object) -> None:
        connection = http.client.HTTPConnection(self._target.hostname or "", self._target.port)
        headers = {name: value for name, value in seen.headers.items() if name not in ("host", "connection")}
        try:
            connection.request(seen.method, seen.path, seen.body or None, headers)
            response = connection.getresponse()
            if fault is LOSE:
                response.read()
                handler.close_connection = True
                return
            handler.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "date"):
                    handler.send_header(name, value)
            handler.send_header("Connection", "close")
            handler.end_headers()
            left = fault.after if isinstance(fault, Cut) else 1 << 60
            while left > 0 and (part := response.read1(min(left, 65_536))):
                handler.wfile.write(part)
                handler.wfile.flush()
                left -= len(part)
            handler.close_connection = True
        finally:
            connection.close()

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
