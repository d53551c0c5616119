"""Streams that come back by themselves: events as they are committed, answers as they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _json
from ._calls import Emit, Flow, Open, Read, Request, Response, Sleep, Unreachable, not_tallystick, path, query
from ._errors import TallyError
from ._operation import iteration
from ._retry import failure, jitter, report
from ._sse import Message, Messages
from ._views import encode_question

if TYPE_CHECKING:
    from ._types import Event


class WatchedAnswer(NamedTuple):
    """What a view answered, or why it cannot for now."""

    #: The log's sequence that the answer reflects; None where the server did not say.
    sequence: int | None
    #: Decoded JSON, or the text where the view answers in CSV or plain text; None with a problem.
    value: Any
    #: The answer's own text.
    text: str
    #: Why the view cannot answer for now; it may again. None with an answer.
    problem: TallyError | None


class Streams:
    @iteration
    def tail(
        self,
        log: str,
        *,
        after: int | None = None,
        type: str | None = None,  # noqa: A002
        on_trouble: Callable[[TallyError], object] | None = None,
    ) -> Flow[Event]:
        """Iterates over a log's events as they are committed, for ever: those after a sequence, or after the head.

        Each comes once and in order, over any number of connections: what is lost is opened again, with growing waits, and
        without end once it has been open; on_trouble is called with each reason for that. type filters. Raises TallyError
        where the server refuses, such as ``log_not_found``, or ``unknown_event_id`` when the log was set back behind what was
        seen.
        """
        request = Request("GET", path("logs", log, "tail"), query({"type": type}))
        last = -1 if after is None else int(after)

        def emit(message: Message) -> Any:
            nonlocal last
            if message.event != "event":
                return None  # of a later version
            event = _json.decode_event(message.data)
            if event["sequence"] <= last:
                return None  # had before
            last = event["sequence"]
            return event

        return _follow(self, request, emit, None if after is None else str(int(after)), on_trouble)

    @iteration
    def watch(
        self,
        log: str,
        view: str,
        question: Mapping[str, Any] | str | None = None,
        *,
        on_trouble: Callable[[TallyError], object] | None = None,
    ) -> Flow[WatchedAnswer]:
        """Iterates over a view's answers to a question, for ever: the one of now, then each that differs from the one before.
        While the view cannot answer, as when it is halted, there is a problem instead.

        Comes back by itself and calls on_trouble, as tail does. Raises TallyError where the server refuses.
        """
        request = Request("GET", path("logs", log, "views", view, "live"), encode_question(question))
        before: tuple[str, str] | None = None

        def emit(message: Message) -> Any:
            nonlocal before
            if message.event not in ("answer", "problem") or before == (message.event, message.data):
                return None
            before = message.event, message.data
            sequence = (
                int(message.id) if message.id.isascii() and message.id.isdigit() and len(message.id) < 20 else None
            )
            if message.event == "problem":
                return WatchedAnswer(sequence, None, message.data, _problem(message))
            return WatchedAnswer(sequence, _lenient(message.data), message.data, None)

        return _follow(self, request, emit, None, on_trouble)


def _problem(message: Message) -> TallyError:
    error = failure(Response(503, {}, message.data.encode()))
    status = error.problem.get("status")
    error.status = status if isinstance(status, int) else None
    return error


def _lenient(text: str) -> Any:
    try:
        return _json.decode(text)
    except ValueError:
        return text


def _follow(
    client: Any,
    request: Request,
    emit: Callable[[Message], Any],
    last_id: str | None,
    on_trouble: Callable[[TallyError], object] | None,
) -> Flow[Any]:
    """Emits what emit makes of each message, and opens the stream again where it was left."""
    give_up: float | None = time.monotonic() + client._patience.deadline
    failures = 0
    pace = 0.0  # the least wait, as the server sets it
    while True:
        named = {"Accept": "text/event-stream"} | ({} if last_id is None else {"Last-Event-ID": last_id})
        result = yield Open(request._replace(headers=named), client._silence)
        if isinstance(result, Response) and result.status == 200:
            if result.headers.get("content-type", "").split(";")[0].strip().lower() != "text/event-stream":
                raise not_tallystick(result, "no stream of events")
            messages = Messages(last_id or "")
            error = TallyError("the server ended the stream", code="connection")
            while chunk := (yield Read()):
                if isinstance(chunk, Unreachable):
                    error = client._explain(failure(chunk))
                    break
                give_up, failures = None, 0
                try:
                    for message in messages.feed(chunk):
                        if message.event == "end":
                            error = _problem(message)
                            continue  # the end of the stream follows
                        value = emit(message)
                        if value is not None:
                            yield Emit(value)
                except (ValueError, TypeError, KeyError) as cause:
                    raise not_tallystick(result, str(cause)) from cause
            last_id = messages.last_id or last_id
            pace = pace if messages.retry is None else messages.retry
            wait = pace + jitter(failures)
        else:
            error = client._explain(failure(result))
            wait = pace + jitter(failures) if error.retry_after is None else error.retry_after + jitter(failures)
            if _refused(error) or (give_up is not None and time.monotonic() + wait >= give_up):
                raise error from error.__cause__
        failures += 1
        if on_trouble is not None:
            on_trouble(error)
        report(False, f"{error}; coming back in {wait:.1f} s")
        yield Sleep(wait)


def _refused(error: TallyError) -> bool:
    if error.status is None:
        return error.final
    return error.status < 500 and error.retry_after is None
