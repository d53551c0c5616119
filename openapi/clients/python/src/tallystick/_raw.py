"""Requests of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _calls
from ._calls import Call, Response, Retry
from ._json import encode
from ._operation import operation


class Raw:
    @operation
    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        repeatable: bool | None = None,
    ) -> Call[Response]:
        """Sends any request of the API, with the client's key: for what has no method here, such as a call that only a newer
        server knows. path is percent-encoded and begins with a slash; body is bytes or a str as they are, or is encoded as JSON.

        A GET is sent again after a lost connection, and so is what is repeatable: what the server does once, however often it
        is asked. Raises TallyError as all calls do; the result has ``status``, ``headers`` (lower case), ``body`` and ``text()``.
        """
        asked = query if isinstance(query, str) else _calls.query(query or {})
        named = _calls.headers({"Content-Type": None if body is None else _calls.JSON, **(headers or {})})
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body = encode(body)
        safe = method.upper() == "GET" if repeatable is None else repeatable
        sent = _calls.Request(method.upper(), "/" + path.lstrip("/"), asked.lstrip("?"), named, body)
        return Call(sent, lambda response, tries: response, Retry.SAFE if safe else Retry.REFUSED)
