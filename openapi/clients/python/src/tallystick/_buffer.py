"""What a batcher holds, and what is to be sent next: no threads, no tasks, no clock of its own."""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple

from ._errors import TallyError
from ._events import Encoded

#: Bytes that an event takes beside its own: the end of its line, and what holds it here.
OVERHEAD = 64


class Failure(NamedTuple):
    """Events that a batcher could not append."""

    log: str
    #: As they were to be sent, byte for byte.
    events: list[bytes]
    error: TallyError


class Queue:
    """The events of one log, in their order."""

    def __init__(self, log: str) -> None:
        self.log = log
        self.events: deque[tuple[float, Encoded]] = deque()
        self.size = 0
        #: How many events were added, and how many of them are acknowledged or reported.
        self.added = 0
        self.settled = 0
        #: Up to which of them nothing may linger.
        self.urgent = 0
        #: A batch is under way: until it is settled, no other may be.
        self.busy = False
        #: It is among those that may be sent now, or among those that linger.
        self.ready = False
        self.lingers = False


class Batch(NamedTuple):
    queue: Queue
    events: list[Encoded]
    size: int


#: What the server takes at once.
LARGEST = {"max_events": 10_000, "max_bytes": 10 << 20}


class Buffer:
    """Cuts batches: when a log has enough for one, when its oldest event has waited for linger, when all is to go."""

    def __init__(self, *, max_events: int, max_bytes: int, max_buffer: int, linger: float) -> None:
        for name, value in (("max_events", max_events), ("max_bytes", max_bytes), ("max_buffer", max_buffer)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1")
            if value > LARGEST.get(name, value):
                raise ValueError(f"{name} must be at most {LARGEST[name]}: the server takes no larger batch")
        if not linger >= 0:
            raise ValueError("linger must be 0 seconds or more")
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._max_buffer = max_buffer
        self._linger = float(linger)
        self._queues: dict[str, Queue] = {}
        self._ready: deque[Queue] = deque()
        self._due: list[tuple[float, int, Queue]] = []
        self._number = 0
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether every event that was added is settled."""
        return not self._queues

    def offer(self, log: str, event: Encoded, now: float) -> bool:
        """Adds an event, unless it finds no room. Raises ValueError for one for which there never is."""
        size = len(event.text) + OVERHEAD
        if size > self._max_buffer:
            raise ValueError(f"an event of {len(event.text)} bytes, and max_buffer is {self._max_buffer}")
        if self._size + size > self._max_buffer:
            return False
        queue = self._queues.setdefault(log, Queue(log))
        queue.events.append((now, event))
        queue.added += 1
        queue.size += size
        self._size += size
        self._consider(queue)
        return True

    def hurry(self) -> list[tuple[Queue, int]]:
        """Lets nothing linger that is here, and returns what to wait for: until each queue has settled so many."""
        for queue in self._queues.values():
            queue.urgent = queue.added
            self._consider(queue)
        return [(queue, queue.added) for queue in self._queues.values()]

    def take(self, now: float) -> Batch | None:
        """Returns the next batch to send, if any may be sent now."""
        while self._due and self._due[0][0] <= now:
            queue = heapq.heappop(self._due)[2]
            queue.lingers = False
            self._consider(queue, now)
        if not self._ready:
            return None
        queue = self._ready.popleft()
        queue.ready = False
        queue.busy = True
        events: list[Encoded] = []
        size = 0
        while queue.events and len(events) < self._max_events:
            more = len(queue.events[0][1].text) + OVERHEAD
            if events and size + more > self._max_bytes:
                break
            events.append(queue.events.popleft()[1])
            size += more
        queue.size -= size
        return Batch(queue, events, size)

    @property
    def pending(self) -> tuple[int, float | None]:
        """What somebody may have to be woken for, when it changes: how many queues may be sent from, and when the next may."""
        return len(self._ready), self.next_due()

    def next_due(self) -> float | None:
        """Returns when take is worth asking again, though nothing else happens."""
        return self._due[0][0] if self._due else None

    def settle(self, batch: Batch) -> None:
        """Gives a batch's room free: each of its events is acknowledged or reported."""
        queue = batch.queue
        queue.busy = False
        queue.settled += len(batch.events)
        self._size -= batch.size
        if queue.events:
            self._consider(queue)
        elif self._queues.get(queue.log) is queue:
            del self._queues[queue.log]

    def drain(self) -> list[tuple[str, list[bytes]]]:
        """Takes out all that is not under way, so that it can be reported."""
        drained = []
        for queue in list(self._queues.values()):
            if queue.events:
                drained.append((queue.log, [event.text for _, event in queue.events]))
            self._size -= queue.size
            queue.settled += len(queue.events)
            queue.events.clear()
            queue.size = 0
            if not queue.busy:
                del self._queues[queue.log]
        self._ready.clear()
        self._due.clear()
        return drained

    def _consider(self, queue: Queue, now: float | None = None) -> None:
        """Puts a queue where it belongs: it may be sent now, or lingers."""
        if queue.busy or queue.ready or not queue.events:
            return
        due = queue.events[0][0] + self._linger
        full = len(queue.events) >= self._max_events or queue.size >= self._max_bytes
        if full or queue.settled < queue.urgent or (now is not None and due <= now):
            queue.ready = True
            self._ready.append(queue)
        elif not queue.lingers:
            queue.lingers = True
            self._number += 1
            heapq.heappush(self._due, (due, self._number, queue))
