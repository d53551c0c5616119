"""Appending events, and reading them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from . import _json
from ._calls import Call, Flow, Request, Response, Retry, as_object, headers, path, query
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypeAlias

    from ._types import Appended, AppendedBatch, Event, EventExplanation, EventPage

    #: An event to append: an object, or exactly the JSON text that is to be stored.
    EventInput: TypeAlias = Mapping[str, Any] | str | bytes


class Encoded(NamedTuple):
    """An event as it is sent, by each try the same."""

    text: bytes
    #: The event has an identity of its own, which goes before any key.
    identified: bool


def encode_event(event: EventInput) -> Encoded:
    """Encodes an event, once for all tries. Raises TypeError and ValueError for what is no event."""
    if isinstance(event, Mapping):
        return Encoded(_json.encode(event if isinstance(event, dict) else dict(event)), event.get("id") is not None)
    if isinstance(event, str):
        event = event.encode()
    elif isinstance(event, (bytearray, memoryview)):
        event = bytes(event)
    if not isinstance(event, bytes):
        raise TypeError(f"an event is a mapping, or JSON as str or bytes, not a {type(event).__name__}")
    event = event.strip(b" \t\n\r")
    if not event:
        raise ValueError("an event of nothing but white space")
    return Encoded(event, b'"id"' in event or b"\\u" in event)


def encode_batch(events: list[Encoded]) -> tuple[str, bytes]:
    """Encodes a batch: lines, or an array where an event has line breaks, which no line could hold.

    Returns its media type and the bytes. Raises ValueError for an event that is not one JSON object, where that could make
    another number of events of it.
    """
    if not any(b"\n" in event.text or b"\r" in event.text for event in events):
        return "application/x-ndjson", b"\n".join(event.text for event in events)
    for number, event in enumerate(events, 1):
        try:
            one_object = isinstance(_json.decode(event.text.decode()), dict)
        except ValueError as error:
            raise ValueError(f"event {number} is not valid JSON: {error}") from error
        if not one_object:
            raise ValueError(f"event {number} is no JSON object")
    return "application/json", b"[" + b",".join(event.text for event in events) + b"]"


def new_key() -> str:
    """Makes an idempotency key that nobody else has."""
    return f"py-{os.urandom(16).hex()}"


def _appended(own: bool) -> Callable[[Response, int], Any]:
    """Reads the response of an append. own: a duplicate can only be of a key that we made."""

    def read(response: Response, tries: int) -> Any:
        appended = as_object()(response, tries)
        if not isinstance(appended["sequence"], int):
            raise ValueError("no sequence")
        if own and tries > 0 and appended.get("duplicate"):
            appended["duplicate"] = False  # the event of an earlier try, whose answer was lost
        return appended

    return read


def _appended_batch(own: Callable[[int], bool]) -> Callable[[Response, int], Any]:
    """Reads the response of a batch. own: whether a line's duplicate can only be of a key that we made."""

    def read(response: Response, tries: int) -> Any:
        batch = as_object()(response, tries)
        if not isinstance(batch["last_sequence"], int) or not isinstance(batch["duplicates"], list):
            raise ValueError("no sequences")
        if tries > 0:  # some may be of an earlier try, whose answer was lost
            others = [duplicate for duplicate in batch["duplicates"] if not own(duplicate["line"])]
            batch["appended"] += len(batch["duplicates"]) - len(others)
            batch["duplicates"] = others
        return batch

    return read


class Events:
    @operation
    def append_event(
        self,
        log: str,
        event: EventInput,
        *,
        idempotency_key: str | None = None,
        expected_sequence: int | None = None,
        dry_run: bool = False,
    ) -> Call[Appended]:
        """Appends an event; when this returns, it is durable, and counted in every live view.

        event is a mapping, or JSON as str or bytes, which is stored byte for byte; at most 1 MiB. It is encoded once, and
        sent again after lost connections without being counted twice: an event with an ``id`` is known by that and its
        ``source``, another one by idempotency_key, or by a random key where none is given. ``duplicate`` in the result says
        that somebody had appended it before. expected_sequence: append only if the log's last sequence is this one. dry_run: say
        what would happen, and store nothing.

        Raises TallyError, such as ``log_not_found``, ``sequence_mismatch`` (with ``head``), ``idempotency_key_reused``, and
        ``refused_by_guard``, with the ``view`` and its ``answer``, where the guard of a view does not admit the event.
        """
        encoded = encode_event(event)
        own = idempotency_key is None and not encoded.identified
        named = headers(
            {
                "Content-Type": "application/json",
                "Idempotency-Key": new_key() if idempotency_key is None else idempotency_key,
                "Expected-Sequence": expected_sequence,
            }
        )
        request = Request("POST", path("logs", log, "append"), _dry(dry_run), named, encoded.text)
        return Call(request, _appended(own), Retry.SAFE)

    @operation
    def append_events(
        self,
        log: str,
        events: Iterable[EventInput] | str | bytes,
        *,
        idempotency_key: str | None = None,
        expected_sequence: int | None = None,
        dry_run: bool = False,
    ) -> Call[AppendedBatch]:
        """Appends events, in order, all or none: at most 10,000, and 10 MiB. See append_event.

        events are as those of append_event, or all of them as text: a JSON object a line, or a JSON array. Raises
        TallyError; its ``line`` is the number of the event at fault, from 1.
        """
        if isinstance(events, Mapping):
            raise TypeError("events are several: pass a list, or use append_event")
        if isinstance(events, (str, bytes)):
            text = encode_event(events)
            media_type = "application/json" if text.text.startswith(b"[") else "application/x-ndjson"
            own = lambda _: not text.identified  # noqa: E731
            return batch_call(log, media_type, text.text, own, idempotency_key, expected_sequence, dry_run)
        encoded = [encode_event(event) for event in events]
        media_type, body = encode_batch(encoded)
        return batch_call(log, media_type, body, owns(encoded), idempotency_key, expected_sequence, dry_run)

    @operation
    def get_event(self, log: str, sequence: int) -> Call[Event]:
        """Returns one event. raw() of it are its bytes as they were sent. Raises TallyError ``sequence_not_found``."""
        request = Request("GET", path("logs", log, "events", str(int(sequence))))
        return Call(request, _event, Retry.SAFE)

    @operation
    def explain_event(self, log: str, sequence: int, *, view: str | None = None) -> Call[EventExplanation]:
        """Tells how an event was counted by each view of its log, or by one, and what it changed. The log is folded again
        up to the event: on a long one that takes up to a minute or so, whatever the client's timeout."""
        request = Request("GET", path("logs", log, "events", str(int(sequence)), "explanation"), query({"view": view}))
        return Call(request, as_object(), Retry.SAFE, slow=True)

    @operation
    def list_events(
        self,
        log: str,
        *,
        from_: int | None = None,
        to: int | None = None,
        after: int | None = None,
        time_from: datetime | str | None = None,
        time_to: datetime | str | None = None,
        recorded_from: datetime | str | None = None,
        recorded_to: datetime | str | None = None,
        type: str | None = None,  # noqa: A002
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Call[EventPage]:
        """Returns a page of a log's events: 100, or limit, at most 10,000. events() goes through all pages.

        from_ and to are sequences, both included; after is one below the first. Times are aware datetimes, or RFC 3339: the
        first is included, the second is not. A page can be short, or empty, before the range is done: the last one is that
        without ``next_cursor``. Integers of any size stay exact, other numbers are Decimal.
        """
        asked = query(
            {
                "from": from_,
                "to": to,
                "after": after,
                "time_from": time_from,
                "time_to": time_to,
                "recorded_from": recorded_from,
                "recorded_to": recorded_to,
                "type": type,
                "limit": limit,
                "cursor": cursor,
            }
        )
        request = Request("GET", path("logs", log, "events"), asked)
        return Call(request, _page, Retry.SAFE)

    @iteration
    def events(
        self,
        log: str,
        *,
        from_: int | None = None,
        to: int | None = None,
        after: int | None = None,
        time_from: datetime | str | None = None,
        time_to: datetime | str | None = None,
        recorded_from: datetime | str | None = None,
        recorded_to: datetime | str | None = None,
        type: str | None = None,  # noqa: A002
        limit: int | None = 1_000,
    ) -> Flow[Event]:
        """Iterates over a log's events in the order of their sequences. Parameters are those of list_events; limit is that of
        a page. What is appended meanwhile comes at the end."""
        return pages(
            self,
            "events",
            lambda cursor: Events.list_events.call(
                log,
                from_=from_,
                to=to,
                after=after,
                time_from=time_from,
                time_to=time_to,
                recorded_from=recorded_from,
                recorded_to=recorded_to,
                type=type,
                limit=limit,
                cursor=cursor,
            ),
        )


def owns(events: list[Encoded]) -> Callable[[int], bool]:
    """Tells for a line, from 1, whether its event is known by the batch's key alone."""
    return lambda line: 0 < line <= len(events) and not events[line - 1].identified


def _dry(run: bool) -> str:
    return "dry_run=true" if run else ""


def batch_call(
    log: str,
    media_type: str,
    body: bytes,
    own: Callable[[int], bool],
    idempotency_key: str | None = None,
    expected_sequence: int | None = None,
    dry_run: bool = False,
) -> Call[AppendedBatch]:
    """Makes the call that appends a batch."""
    named = headers(
        {
            "Content-Type": media_type,
            "Idempotency-Key": new_key() if idempotency_key is None else idempotency_key,
            "Expected-Sequence": expected_sequence,
        }
    )
    request = Request("POST", path("logs", log, "append_batch"), _dry(dry_run), named, body)
    return Call(request, _appended_batch(own if idempotency_key is None else lambda line: False), Retry.SAFE)


def _event(response: Response, tries: int) -> Event:
    return cast("Event", _json.decode_event(response.text()))


def _page(response: Response, tries: int) -> EventPage:
    return cast("EventPage", _json.decode_page(response.text()))
