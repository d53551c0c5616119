"""Appends events from many tasks in batches."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from ._async import Link
from ._buffer import Batch, Buffer, Failure
from ._deliver import Plan, deliver, unsent
from ._errors import TallyError
from ._events import encode_event
from ._outcome import Outcome

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._async import AsyncTally
    from ._events import EventInput
    from ._outcome import OnFailure


class AsyncBatcher:
    """Gathers events and appends them in batches; made by AsyncTally.batcher. It promises what Batcher does.

    It belongs to one event loop. Close it before the loop ends: nothing can be sent afterwards.
    """

    def __init__(
        self, client: AsyncTally, buffer: Buffer, *, concurrency: int, wait: bool, on_failure: OnFailure | None
    ) -> None:
        self._client = client
        self._buffer = buffer
        self._concurrency = concurrency
        self._wait = wait
        self._outcome = Outcome(on_failure)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: dict[asyncio.Task[None], Batch] = {}
        self._closing = False

    async def add(self, log: str, event: EventInput) -> None:
        """Adds an event: see Batcher.add."""
        encoded = encode_event(event)
        while True:
            if self._closing:
                raise TallyError("the batcher is closed: add events before close()", code="closed")
            if self._buffer.offer(log, encoded, self._loop.time()):
                break
            if not self._wait:
                raise TallyError("the batcher's buffer is full: wait, or make max_buffer larger", code="buffer_full")
            await self._change()
        self._dispatch()

    async def flush(self, timeout: float | None = None) -> None:
        """Waits until each event that was added before is acknowledged or reported: see Batcher.flush."""
        waiting = self._buffer.hurry()
        self._dispatch()
        end = None if timeout is None else self._loop.time() + timeout
        for queue, added in waiting:
            while queue.settled < added:
                left = None if end is None else end - self._loop.time()
                if left is not None and left <= 0:
                    raise TimeoutError(f"not all events were appended within {timeout} seconds; the batcher goes on")
                await self._change(left)
        self._outcome.check()

    async def close(self, deadline: float = 30.0) -> list[Failure]:
        """Sends what is left, for at most deadline seconds, and ends the batcher: see Batcher.close."""
        end = self._loop.time() + deadline
        self._closing = True
        self._buffer.hurry()
        self._dispatch()
        self._announce()
        while not self._buffer.empty and (left := end - self._loop.time()) > 0:
            await self._change(left)
        left_over = [unsent(log, events, False) for log, events in self._buffer.drain()]
        abandoned, self._under_way = self._under_way, {}
        for task, batch in abandoned.items():
            task.cancel()
            left_over.append(unsent(batch.queue.log, [event.text for event in batch.events], True))
            self._buffer.settle(batch)
        if self._timer:
            self._timer.cancel()
        self._announce()
        self._outcome.report(left_over)
        self._outcome.check()
        return left_over

    def _dispatch(self) -> None:
        """Sends what may be sent now, and comes back when more may."""
        while len(self._under_way) < self._concurrency:
            batch = self._buffer.take(self._loop.time())
            if batch is None:
                break
            task = self._loop.create_task(self._deliver(batch))
            self._under_way[task] = batch
        else:
            return  # whoever is done comes here
        if self._timer:
            self._timer.cancel()
        due = self._buffer.next_due()
        self._timer = None if due is None else self._loop.call_at(due, self._dispatch)

    async def _deliver(self, batch: Batch) -> None:
        plan = Plan(self._client._patience.timeout, self._client._explain, lambda: False)
        try:
            failures = await Link(self._client).run(deliver(batch.queue.log, batch.events, plan))
        except Exception as error:
            failures = [self._outcome.unexpected(batch, error)]
        task = asyncio.current_task()
        if task is None or self._under_way.pop(task, None) is None:
            return  # close has reported it
        self._outcome.report(failures)
        self._buffer.settle(batch)
        self._announce()
        self._dispatch()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self, seconds: float | None = None) -> None:
        with suppress(TimeoutError, asyncio.TimeoutError):  # two classes until Python 3.11
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
