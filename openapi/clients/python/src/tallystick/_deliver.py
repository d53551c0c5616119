"""How a batch becomes appended or reported: its bytes and its key are made before the first try, and stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ._buffer import Failure
from ._calls import Flow, Response, Retry, Send, Sleep, read
from ._errors import TallyError
from ._events import Encoded, batch_call, encode_batch, owns
from ._retry import failure, jitter, report, wait_before_next

#: Statuses by which a proxy says that the server did not answer: as good as a lost connection, since a batch has its key.
UNANSWERED = (408, 502, 503, 504)


class Plan(NamedTuple):
    """What a delivery needs of its batcher."""

    timeout: float
    explain: Callable[[TallyError], TallyError]
    #: Whether to stop trying: what is left will be reported by whoever says so.
    abandoned: Callable[[], bool]


def deliver(log: str, events: list[Encoded], plan: Plan) -> Flow[list[Failure]]:
    """Appends events in their order, and returns those that were refused for good.

    Where the server names one event, that one is reported, and the others, of which nothing was stored, go on as new
    batches; likewise where it wants fewer at once. What may pass is tried without end, until the plan is abandoned.
    """
    failures: list[Failure] = []
    batches = _lines(events)
    while batches and not plan.abandoned():
        batch = batches.pop(0)
        error = yield from _append(log, batch, plan)
        if error is None:
            continue
        at = error.line
        if at is not None and 1 <= at <= len(batch):
            failures.append(Failure(log, [batch[at - 1].text], error))
            after = batch[at:]
            # A guard may refuse all that follow, too, and names one at a time: halves send none of them often.
            half = len(after) // 2 if error.code == "refused_by_guard" else 0
            batches[:0] = [part for part in (batch[: at - 1], after[:half], after[half:]) if part]
        elif error.status == 413 and len(batch) > 1:
            most = error.events if error.events and 0 < error.events < len(batch) else len(batch) // 2
            batches[:0] = [batch[n : n + most] for n in range(0, len(batch), most)]
        else:
            failures.append(Failure(log, [event.text for event in batch], error))
    return failures


def _lines(events: list[Encoded]) -> list[list[Encoded]]:
    """Cuts a batch where an event has line breaks: it goes by itself, in an array, so that nobody else's fault can be its own."""
    batches: list[list[Encoded]] = []
    joins = False
    for event in events:
        alone = b"\n" in event.text or b"\r" in event.text
        if joins and not alone:
            batches[-1].append(event)
        else:
            batches.append([event])
        joins = not alone
    return batches


def _append(log: str, batch: list[Encoded], plan: Plan) -> Flow[TallyError | None]:
    """Sends one batch until it is acknowledged, refused, or abandoned; returns why it was refused."""
    try:
        media_type, body = encode_batch(batch)
    except ValueError as invalid:
        return TallyError(str(invalid), code="invalid_json")
    call = batch_call(log, media_type, body, owns(batch))
    tries = 0
    while True:
        result: Any = yield Send(call.request, plan.timeout)
        if isinstance(result, Response) and 200 <= result.status < 300:
            try:
                read(call, result, tries)
            except TallyError as strange:
                return strange
            return None
        error = plan.explain(failure(result))
        wait = wait_before_next(error, tries, Retry.SAFE)
        if wait is None and error.status in UNANSWERED and error.code != "refused_by_guard":
            wait = jitter(tries)
        if wait is None:
            return error
        tries += 1
        report(tries in (1, 10), f"{len(batch)} events for log {log} wait: {error}")
        yield Sleep(wait)
        if plan.abandoned():
            return None


def unsent(log: str, events: list[bytes], tried: bool) -> Failure:
    """Reports events that were left when a batcher had to be closed."""
    detail = "the batcher was closed before the server took these events"
    if tried:
        detail += "; some may be stored: to send them again counts them twice, unless they have an id"
    return Failure(log, events, TallyError(detail, code="unsent"))
