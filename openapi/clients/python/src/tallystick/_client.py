"""What Tally and AsyncTally have in common: their settings, and how a call is sent and explained."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from . import _follow
from ._alerts import Alerts
from ._calls import Call, Flow, Request, headers
from ._errors import TallyError
from ._events import Events
from ._keys import Keys
from ._logs import Logs
from ._raw import Raw
from ._retry import Patience, attempts
from ._sources import Sources
from ._version import __version__
from ._views import Views
from ._webhooks import Webhooks

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8080"
#: The most that a response may have: the server ends a page of events at 8 MiB, and an escaped byte takes six.
MAX_RESPONSE_BYTES = 96 << 20


class Operations(Logs, Events, Views, Sources, Keys, Alerts, Webhooks, Raw, _follow.Streams):
    """The operations of the API, one method each."""


class Client(Operations):
    """Settings and helpers; use Tally or AsyncTally."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        tenant: str | None = None,
        actor: str | None = None,
        timeout: float = 30.0,
        deadline: float = 60.0,
        silence: float = 45.0,
        user_agent: str | None = None,
    ) -> None:
        url = url if url is not None else os.environ.get("TALLY_URL") or DEFAULT_URL
        parts = urlsplit(url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise ValueError(f"{_without_secret(url)!r} is no address of a server: it must be such as {DEFAULT_URL}")
        #: The server's address.
        self.url = url.rstrip("/")
        key = key if key is not None else os.environ.get("TALLY_KEY")
        self._key_given = bool(key)
        self._patience = Patience(_positive("timeout", timeout), _positive("deadline", deadline))
        self._silence = _positive("silence", silence)
        agent = f"tally-python/{__version__}" + (f" {user_agent}" if user_agent else "")
        named = {
            "User-Agent": agent,
            "Authorization": f"Bearer {key.strip()}" if key else None,
            "Tally-Tenant": tenant,
            "Tally-Actor": actor,
        }
        self._headers = headers(named)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self.url!r})"  # without the key

    def _outgoing(self, request: Request) -> tuple[str, str, list[tuple[bytes, bytes]]]:
        """Returns the method, the address and the headers of a request."""
        merged = {**self._headers, **request.headers}
        address = self.url + request.path + (f"?{request.query}" if request.query else "")
        return request.method, address, [(name.encode(), value.encode()) for name, value in merged.items()]

    def _flow(self, call: Call[T]) -> Flow[T]:
        return attempts(call, self._patience, self._explain)

    def _explain(self, error: TallyError) -> TallyError:
        """Says what to do about errors whose reason is on this side."""
        if error.code == "unauthorized" and not self._key_given:
            error.detail = "the server asks for a key, and none was given: pass key=…, or set TALLY_KEY"
        elif error.code == "connection":
            error.detail = f"no answer from {self.url}: {error.detail}"
            if "refused" in error.detail.lower() or "attempts failed" in error.detail.lower():
                error.detail += "; start a server, such as by tally dev, or give another url (TALLY_URL)"
            elif error.final and "certificate" in error.detail.lower():
                error.detail += "; trust its authority by SSL_CERT_FILE, or by an http_client of your own"
        return error


def _positive(name: str, seconds: float) -> float:
    if not seconds > 0:
        raise ValueError(f"{name} must be more than 0 seconds")
    return seconds


def _without_secret(url: str) -> str:
    return url if "@" not in url else "…@" + url.rsplit("@", 1)[1]


Perform = Callable[[Any], Any]
