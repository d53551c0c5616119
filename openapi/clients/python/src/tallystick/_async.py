"""The asynchronous client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._calls import Emit, Flow, Open, Read, Request, Response, Send, Sleep
from ._client import MAX_RESPONSE_BYTES, Client
from ._operation import iteration, methods, operation, procedure

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from ._async_batcher import AsyncBatcher
    from ._outcome import OnFailure

T = TypeVar("T")


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


class Link:
    """Takes the steps of one flow."""

    def __init__(self, client: AsyncTally, sleep: Callable[[float], Awaitable[object]] = _sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._stream = AsyncExitStack()
        self._parts: AsyncIterator[bytes] = _nothing()

    async def run(self, flow: Flow[T]) -> T:
        result: Any = None
        try:
            while True:
                try:
                    step = flow.send(result)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                result = await self.take(step)
        finally:
            flow.close()
            await self.close()

    async def iterate(self, flow: Flow[Any]) -> AsyncIterator[Any]:
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
                    result = await self.take(step)
        finally:
            flow.close()
            await self.close()

    async def take(self, step: Any) -> Any:
        from . import _transport

        if isinstance(step, Sleep):
            await self.close()
            return await self._sleep(step.seconds)
        try:
            if isinstance(step, Read):
                return await anext(self._parts, b"")
            return await (self._send(step) if isinstance(step, Send) else self._open(step))
        except _transport.FAILURES as error:
            return _transport.unreachable(error)

    async def _send(self, step: Send) -> Response:
        from . import _transport

        until = None if step.timeout is None else time.monotonic() + step.timeout
        body = _transport.Body(MAX_RESPONSE_BYTES, until)
        async with self._client._stream(step.request, step.timeout) as received:
            async for part in received.aiter_bytes():
                body.add(part, time.monotonic())
            return _transport.response(received, body.bytes())

    async def _open(self, step: Open) -> Response:
        from . import _transport

        await self.close()
        received = await self._stream.enter_async_context(self._client._stream(step.request, step.silence))
        if received.status_code == 200:
            self._parts = received.aiter_bytes()
            return _transport.response(received, b"")
        body = _transport.Body(MAX_RESPONSE_BYTES, time.monotonic() + step.silence)
        async for part in received.aiter_bytes():
            body.add(part, time.monotonic())
        await self.close()
        return _transport.response(received, body.bytes())

    async def close(self) -> None:
        self._parts = _nothing()
        await self._stream.aclose()
        self._stream = AsyncExitStack()


class AsyncTally(Client):
    """A client of one server, for asyncio; close it, or use it in an async with block.

    The settings are those of Tally; http_client is an httpx.AsyncClient of your own, which close() leaves open. Methods
    are those of Tally: what returns a result there is awaited here, and what iterates is iterated by ``async for``.
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
        http_client: httpx.AsyncClient | None = None,
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
        self._http = http_client if http_client is not None else httpx.AsyncClient(**_transport.options())

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
    ) -> AsyncBatcher:
        """Returns a batcher of the running event loop. Options are those of Tally.batcher; on_failure is a plain function."""
        from ._async_batcher import AsyncBatcher
        from ._buffer import Buffer

        buffer = Buffer(max_events=max_events, max_bytes=max_bytes, max_buffer=max_buffer, linger=linger)
        return AsyncBatcher(self, buffer, concurrency=max(concurrency, 1), wait=wait, on_failure=on_failure)

    async def close(self) -> None:
        """Closes the connections. Close batchers before."""
        if self._owned:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _method(declared: operation[Any, Any]) -> Callable[..., Any]:
    async def method(self: AsyncTally, *args: Any, **kwargs: Any) -> Any:
        return await Link(self).run(self._flow(declared.build(self, *args, **kwargs)))

    return method


def _procedure(declared: procedure[Any, Any]) -> Callable[..., Any]:
    async def method(self: AsyncTally, *args: Any, **kwargs: Any) -> Any:
        return await Link(self).run(declared.build(self, *args, **kwargs))

    return method


def _iterator(declared: iteration[Any, Any]) -> Callable[..., Any]:
    def method(self: AsyncTally, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return Link(self).iterate(declared.build(self, *args, **kwargs))

    return method


methods(AsyncTally, {operation: _method, procedure: _procedure, iteration: _iterator})
