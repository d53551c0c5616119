"""Appends events from many threads in batches."""

from __future__ import annotations

import atexit
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._buffer import Batch, Buffer, Failure
from ._deliver import Plan, deliver, unsent
from ._errors import TallyError
from ._events import encode_event
from ._outcome import Outcome
from ._sync import Link

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._events import EventInput
    from ._outcome import OnFailure
    from ._sync import Tally


class Batcher:
    """Gathers events and appends them in batches; made by Tally.batcher. Threads may share it.

    Events of one log keep their order, with one batch under way at a time; several logs go at once. Each event that was
    added is acknowledged by the server, or given to on_failure: nothing is dropped in silence, also not at the end.
    """

    def __init__(
        self,
        client: Tally,
        buffer: Buffer,
        *,
        concurrency: int,
        wait: bool,
        on_failure: OnFailure | None,
    ) -> None:
        self._client = client
        self._buffer = buffer
        self._concurrency = concurrency
        self._wait = wait
        self._outcome = Outcome(on_failure)
        lock = threading.Lock()
        self._work_changed = threading.Condition(lock)  # workers wait for it
        self._changed = threading.Condition(lock)  # all others do
        self._workers: list[threading.Thread] = []
        self._idle = 0
        self._under_way: list[Batch] = []
        self._closing = False
        self._abandoned = threading.Event()
        atexit.register(self.close)

    def add(self, log: str, event: EventInput) -> None:
        """Adds an event, encoded now: what becomes of the object later does not matter.

        Where the buffer is full, waits until there is room, or raises TallyError ``buffer_full``, as the batcher was made.
        Raises TallyError ``closed`` after close; ValueError and TypeError for what is no event.
        """
        encoded = encode_event(event)
        with self._changed:
            while True:
                if self._closing:
                    raise TallyError("the batcher is closed: add events before close()", code="closed")
                before = self._buffer.pending
                if self._buffer.offer(log, encoded, time.monotonic()):
                    break
                if not self._wait:
                    raise TallyError(
                        "the batcher's buffer is full: wait, or make max_buffer larger", code="buffer_full"
                    )
                self._changed.wait()
            if self._buffer.pending != before or not self._workers:
                self._wake()

    def flush(self, timeout: float | None = None) -> None:
        """Waits until each event that was added before is acknowledged or reported.

        Raises TimeoutError after timeout seconds; without on_failure, the first failure's TallyError.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            waiting = self._buffer.hurry()
            self._wake()
            for queue, added in waiting:
                while queue.settled < added:
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        raise TimeoutError(
                            f"not all events were appended within {timeout} seconds; the batcher goes on"
                        )
                    self._changed.wait(left)
        self._outcome.check()

    def close(self, deadline: float = 30.0) -> list[Failure]:
        """Sends what is left, for at most deadline seconds, and ends the batcher. May be called twice.

        Returns what could not be sent until then, which on_failure is called with, too, with TallyError ``unsent``. Without
        on_failure, raises the first failure's TallyError. It is called at the end of the program unless you do.
        """
        atexit.unregister(self.close)
        end = time.monotonic() + deadline
        with self._changed:
            self._closing = True
            self._buffer.hurry()
            self._changed.notify_all()
            self._work_changed.notify_all()
            while not self._buffer.empty and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            left_over = [unsent(log, events, False) for log, events in self._buffer.drain()]
            for batch in self._under_way:
                left_over.append(unsent(batch.queue.log, [event.text for event in batch.events], True))
                self._buffer.settle(batch)
            self._under_way.clear()
            self._abandoned.set()
            self._changed.notify_all()
            self._work_changed.notify_all()
        self._outcome.report(left_over)
        self._outcome.check()
        return left_over

    def _wake(self) -> None:
        """Has somebody look for a batch; whoever finds one wakes the next."""
        if self._idle:
            self._work_changed.notify()
        elif len(self._workers) < self._concurrency:
            self._start()

    def _start(self) -> None:
        worker = threading.Thread(target=self._work, name="tallystick-batcher", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # the program ends, or has no room for threads
            if not self._workers:
                raise
            return
        self._workers.append(worker)

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            plan = Plan(self._client._patience.timeout, self._client._explain, self._abandoned.is_set)
            flow: Any = deliver(batch.queue.log, batch.events, plan)
            try:
                failures = Link(self._client, self._abandoned.wait).run(flow)
            except Exception as error:
                failures = [self._outcome.unexpected(batch, error)]
            with self._changed:
                known = any(other is batch for other in self._under_way)  # else close has reported it
                self._under_way = [other for other in self._under_way if other is not batch]
            if known:
                self._outcome.report(failures)
                with self._changed:
                    self._buffer.settle(batch)
                    self._changed.notify_all()
                    if self._buffer.pending != (0, None):
                        self._wake()

    def _next(self) -> Batch | None:
        with self._changed:
            while True:
                now = time.monotonic()
                batch = self._buffer.take(now)
                if batch is not None:
                    self._under_way.append(batch)
                    if self._buffer.pending != (0, None):
                        self._wake()
                    return batch
                if self._abandoned.is_set() or (self._closing and self._buffer.empty):
                    self._work_changed.notify_all()
                    return None
                due = self._buffer.next_due()
                self._idle += 1
                self._work_changed.wait(None if due is None else max(due - now, 0.0))
                self._idle -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
