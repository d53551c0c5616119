"""How a case's calls are made: by Tally, or by AsyncTally on a loop of its own."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from itertools import islice
from typing import Any

from tallystick import Answer, AsyncTally, Tally, TallyError, WatchedAnswer

from .values import shown

ITERATIONS = {
    "events", "logs", "keys", "modules", "tenants", "sources", "audit-log", "view-states", "view-versions",
    "source-versions", "webhooks", "deliveries", "alerts", "crossings", "tail", "watch",
}  # fmt: skip
KEYWORDS = {"from": "from_", "as": "as_"}


class Report:
    """What a batcher gave to on_failure."""

    def __init__(self) -> None:
        self.failures: list[dict[str, Any]] = []

    def __call__(self, log: str, events: list[bytes], error: TallyError) -> None:
        self.failures.append({"log": log, "events": [shown(event) for event in events], "error": described(error)})

    def answer(self, batcher: Any) -> dict[str, Any]:
        waiting = sum(queue.added - queue.settled for queue in batcher._buffer._queues.values())
        return {"failures": self.failures, "unsent": waiting}


def described(error: TallyError) -> dict[str, Any]:
    names = (
        "status", "code", "detail", "head", "sequence", "line", "log_id", "fields", "view", "answer", "retry_after", "request_id"
    )  # fmt: skip
    return {name: value for name in names if (value := getattr(error, name)) is not None}


def bound(method: Any, args: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments by the names that the method has for them."""
    renamed = {KEYWORDS.get(name, name): value for name, value in args.items()}
    parameters = set(inspect.signature(method).parameters)
    unknown = set(renamed) - parameters
    assert not unknown, f"{method.__name__} has no {', '.join(sorted(unknown))}"
    return renamed


def answered(value: Any) -> Any:
    """Makes an answer of the documents' form of what the SDK returned."""
    if isinstance(value, WatchedAnswer):
        return {"answer": value.value, "sequence": value.sequence}
    if isinstance(value, Answer):
        return value.value
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class SyncDriver:
    def __init__(self, **options: Any) -> None:
        self.client = Tally(**options)

    def call(self, name: str, args: dict[str, Any]) -> Any:
        take = args.pop("take", None)
        if name == "batcher":
            return self._batcher(**args)
        method = getattr(self.client, name.replace("-", "_"))
        if name not in ITERATIONS:
            return answered(method(**bound(method, args)))
        values = method(**bound(method, args))
        try:
            wanted = (value for value in values if not (isinstance(value, WatchedAnswer) and value.problem))
            return [answered(value) for value in islice(wanted, take)]
        finally:
            values.close()

    def _batcher(self, add: list[Any], options: dict[str, Any] | None = None, flush: bool = False) -> Any:
        report = Report()
        batcher = self.client.batcher(on_failure=report, **options or {})
        for each in add:
            batcher.add(each["log"], each["event"])
        if flush:
            batcher.flush(timeout=60)
        batcher.close(deadline=60)
        return report.answer(batcher)

    def close(self) -> None:
        self.client.close()


class AsyncDriver:
    def __init__(self, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.client: AsyncTally = self._run(self._made(options))

    @staticmethod
    async def _made(options: dict[str, Any]) -> AsyncTally:
        return AsyncTally(**options)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def call(self, name: str, args: dict[str, Any]) -> Any:
        return self._run(self._call(name, args))

    async def _call(self, name: str, args: dict[str, Any]) -> Any:
        take = args.pop("take", None)
        if name == "batcher":
            return await self._batcher(**args)
        method = getattr(self.client, name.replace("-", "_"))
        if name not in ITERATIONS:
            return answered(await method(**bound(method, args)))
        return await self._collect(method(**bound(method, args)), take)

    async def _collect(self, values: Any, take: int | None) -> list[Any]:
        collected: list[Any] = []
        async with aclosing(values) as iterator:
            if take == 0:
                return collected
            stream: AsyncIterator[Any] = iterator
            async for value in stream:
                if not (isinstance(value, WatchedAnswer) and value.problem):
                    collected.append(answered(value))
                if len(collected) == take:
                    break
        return collected

    async def _batcher(self, add: list[Any], options: dict[str, Any] | None = None, flush: bool = False) -> Any:
        report = Report()
        batcher = self.client.batcher(on_failure=report, **options or {})
        for each in add:
            await batcher.add(each["log"], each["event"])
        if flush:
            await batcher.flush(timeout=60)
        await batcher.close(deadline=60)
        return report.answer(batcher)

    def close(self) -> None:
        self._run(self.client.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


DRIVERS = {"sync": SyncDriver, "async": AsyncDriver}
