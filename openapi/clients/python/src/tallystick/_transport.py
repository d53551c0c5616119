"""What both clients know of httpx, which is imported when the first client is made."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from ._calls import Response, Unreachable

CONNECT_TIMEOUT = 10.0
#: Errors for which nothing came, or not all of it. httpx.StreamError and such are mistakes of ours.
FAILURES = (httpx.TransportError, httpx.DecodingError)


def options() -> dict[str, Any]:
    """Returns the settings of a client of our own. Redirects are not followed: the key would go elsewhere, and a POST become
    a GET. Streams each keep a connection, so their number is not bounded."""
    return {
        "follow_redirects": False,
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=32),
    }


def timeouts(seconds: float | None) -> httpx.Timeout:
    connect = CONNECT_TIMEOUT if seconds is None else min(CONNECT_TIMEOUT, seconds)
    return httpx.Timeout(seconds, connect=connect, pool=None)


def response(received: httpx.Response, body: bytes) -> Response:
    return Response(received.status_code, {name.lower(): value for name, value in received.headers.items()}, body)


def unreachable(error: Exception) -> Unreachable:
    """Tells what is worth another try from what is not: a request that cannot be sent, a server that is not trusted."""
    final = isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError))
    cause: BaseException | None = error
    while cause is not None:
        final = final or isinstance(cause, ssl.SSLCertVerificationError)
        cause = cause.__cause__ or cause.__context__
    return Unreachable(error, final)


class Body:
    """Gathers a response's body, within a size and until a time."""

    def __init__(self, most: int, until: float | None) -> None:
        self.most = most
        self.until = until
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes, now: float) -> None:
        self.size += len(part)
        self.parts.append(part)
        if self.size > self.most:
            raise httpx.DecodingError(f"a response of more than {self.most} bytes is not Tallystick's")
        if self.until is not None and now > self.until:
            raise httpx.ReadTimeout("the response took too long")

    def bytes(self) -> bytes:
        return b"".join(self.parts)
