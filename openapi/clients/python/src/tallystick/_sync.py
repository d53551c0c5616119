"""The synchronous client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._calls import Emit, Flow, Open, Read, Request, Response, Send, Sleep
from ._client import MAX_RESPONSE_BYTES, Client
from ._operation import iteration, methods, operation, procedure

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from ._batcher import Batcher
    from ._outcome import OnFailure


T = TypeVar("T")


class Link:
    """Takes the steps of one flow."""

    def __init__(self, client: Tally, sleep: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._stream = ExitStack()
        self._parts: Iterator[bytes] = iter(())

    def run(self, flow: Flow[T]) -> T:
        result: Any = None
        try:
            while True:
                result = self.take(flow.send(result))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            self.close()

    def iterate(self, flow: Flow[Any]) -> Iterator[Any]:
        result: Any = None
        try:
            while True:
                try:
                    step = flow.send(result)
                except StopIteration:
                    return
                if isinstance(step, Emit):
                    result = yield step.value
                else:
                    result = self.take(step)
        finally:
            flow.close()
            self.close()

    def take(self, step: Any) -> Any:
        from . import _transport

        if isinstance(step, Sleep):
            self.close()
            return self._sleep(step.seconds)
        try:
            if isinstance(step, Read):
                return next(self._parts, b"")
            return self._send(step) if isinstance(step, Send) else self._open(step)
        except _transport.FAILURES as error:
            return _transport.unreachable(error)

    def _send(self, step: Send) -> Response:
        from . import _transport

        until = None if step.timeout is None else time.monotonic() + step.timeout
        body = _transport.Body(MAX_RESPONSE_BYTES, until)
        with self._client._stream(step.request, step.timeout) as received:
            for part in received.iter_bytes():
                body.add(part, time.monotonic())
            return _transport.response(received, body.bytes())

    def _open(self, step: Open) -> Response:
        from . import _transport

        self.close()
        received = self._stream.enter_context(self._client._stream(step.request, step.silence))
        if received.status_code == 200:
            self._parts = received.iter_bytes()
            return _transport.response(received, b"")
        body = _transport.Body(MAX_RESPONSE_BYTES, time.monotonic() + step.silence)
        for part in received.iter_bytes():
            body.add(part, time.monotonic())
        self.close()
        return _transport.response(received, body.bytes())

    def close(self) -> None:
        self._parts = iter(())
        self._stream.close()
        self._stream = ExitStack()


class Tally(Client):
    """A client of one server. It may be shared by threads; close it, or use it in a with block.

    url and key are TALLY_URL and TALLY_KEY unless they are given; a server on this machine needs neither. tenant is the one
    to act in, for an operator's key; actor is recorded with what is done. timeout bounds each try of a call, deadline all
    of them, and silence says for how long a stream may be silent: a server says something every 15 seconds; all in seconds.
    http_client is an httpx.Client of your own, which close() leaves open. user_agent is added to that of the library.

    Every method raises TallyError where the server refuses, or cannot be reached until the deadline; and ValueError or
    TypeError for arguments that cannot be sent.
    """

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
        http_client: httpx.Client | None = None,
        user_agent: str | None = None,
    ) -> None:
        super().__init__(
            url,
            key,
            tenant=tenant,
            actor=actor,
            timeout=timeout,
            deadline=deadline,
            silence=silence,
            user_agent=user_agent,
        )
        import httpx

        from . import _transport

        self._owned = http_client is None
        self._http = http_client if http_client is not None else httpx.Client(**_transport.options())

    def _stream(self, request: Request, seconds: float | None) -> Any:
        from . import _transport

        method, address, named = self._outgoing(request)
        timeout = _transport.timeouts(seconds)
        return self._http.stream(
            method, address, headers=named, content=request.body, timeout=timeout, follow_redirects=False
        )

    def batcher(
        self,
        *,
        on_failure: OnFailure | None = None,
        max_events: int = 1_000,
        max_bytes: int = 1 << 20,
        linger: float = 0.1,
        max_buffer: int = 16 << 20,
        wait: bool = True,
        concurrency: int = 8,
    ) -> Batcher:
        """Returns a batcher: it gathers events of many logs and threads, and appends them in batches.

        A batch goes when it has max_events (at most 10,000) or max_bytes (at most 10 MiB), or its first event has waited for
        linger seconds; batches of up to concurrency logs go at once. max_buffer bounds what waits or is under way, in bytes:
        add waits for room, or raises without wait. What may pass is tried without end, until close. on_failure(log, events,
        error) is called, by a thread of the batcher, with what was refused for good; it must not wait for room by add.
        Without it, flush and close raise the first failure. Close the batcher before the client.
        """
        from ._batcher import Batcher
        from ._buffer import Buffer

        buffer = Buffer(max_events=max_events, max_bytes=max_bytes, max_buffer=max_buffer, linger=linger)
        return Batcher(self, buffer, concurrency=max(concurrency, 1), wait=wait, on_failure=on_failure)

    def close(self) -> None:
        """Closes the connections. Close batchers before."""
        if self._owned:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _method(declared: operation[Any, Any]) -> Callable[..., Any]:
    def method(self: Tally, *args: Any, **kwargs: Any) -> Any:
        return Link(self).run(self._flow(declared.build(self, *args, **kwargs)))

    return method


def _procedure(declared: procedure[Any, Any]) -> Callable[..., Any]:
    def method(self: Tally, *args: Any, **kwargs: Any) -> Any:
        return Link(self).run(declared.build(self, *args, **kwargs))

    return method


def _iterator(declared: iteration[Any, Any]) -> Callable[..., Any]:
    def method(self: Tally, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return Link(self).iterate(declared.build(self, *args, **kwargs))

    return method


methods(Tally, {operation: _method, procedure: _procedure, iteration: _iterator})
