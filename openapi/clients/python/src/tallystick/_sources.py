"""Sources, and what gateways send to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import JSON, Call, Flow, Request, Response, Retry, as_nothing, as_object, headers, path, query
from ._json import encode
from ._logs import JSON_BODY
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._types import (
        Delivery,
        ReadySourceList,
        ReplaySource,
        Source,
        SourceHistory,
        SourcePage,
        SourceReplay,
        SourceTest,
        SourceVersion,
    )

    #: What is sent to a source: exact bytes or text, or what is to be encoded as JSON.
    Payload: TypeAlias = bytes | str | Mapping[str, Any] | Sequence[Mapping[str, Any]]

PROTOBUF = "application/x-protobuf"


def _bytes(payload: Payload) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    return payload if isinstance(payload, bytes) else encode(payload)


def _send(
    name: str, payload: Payload, content_type: str, key: str | None, read: Callable[[Response, int], Any], *tail: str
) -> Call[Any]:
    # No key of our own: it would have records stored that lack the identity which the source's mapping asks for.
    named = headers({"Content-Type": content_type, "Idempotency-Key": key})
    return Call(Request("POST", path("sources", name, *tail), "", named, _bytes(payload)), read, Retry.SAFE)


def _otlp(response: Response, tries: int) -> Any:
    return as_object()(response, tries) if response.media_type() == JSON else response.body


class Sources:
    @operation
    def put_source(
        self, source: str, body: Mapping[str, Any] | str | bytes, *, actor: str | None = None
    ) -> Call[Source]:
        """Says what a source does with what is sent to it. To put what it does already changes nothing."""
        named = headers({**JSON_BODY, "Tally-Actor": actor})
        return Call(Request("PUT", path("sources", source), "", named, _bytes(body)), as_object(), Retry.SAFE)

    @operation
    def get_source(self, source: str, *, version: int | None = None) -> Call[Source]:
        """Returns what a source does, or did in an earlier version."""
        return Call(Request("GET", path("sources", source), query({"version": version})), as_object(), Retry.SAFE)

    @operation
    def delete_source(self, source: str, *, actor: str | None = None) -> Call[None]:
        """Deletes a source."""
        request = Request("DELETE", path("sources", source), "", headers({"Tally-Actor": actor}))
        return Call(request, as_nothing, Retry.SAFE, done="source_not_found")

    @operation
    def list_sources(self, *, limit: int | None = None, cursor: str | None = None) -> Call[SourcePage]:
        """Returns a page of sources by name: 100, or limit, at most 1,000. sources() goes through all pages."""
        return Call(Request("GET", "/sources", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def sources(self, *, limit: int | None = None) -> Flow[Source]:
        """Iterates over all sources by name; limit is that of a page."""
        return pages(self, "sources", lambda cursor: Sources.list_sources.call(limit=limit, cursor=cursor))

    @operation
    def list_source_versions(
        self, source: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Call[SourceHistory]:
        """Returns a page of a source's versions, newest first."""
        asked = query({"limit": limit, "cursor": cursor})
        return Call(Request("GET", path("sources", source, "versions"), asked), as_object(), Retry.SAFE)

    @iteration
    def source_versions(self, source: str, *, limit: int | None = None) -> Flow[SourceVersion]:
        """Iterates over all versions of a source, newest first; limit is that of a page."""
        return pages(
            self, "versions", lambda cursor: Sources.list_source_versions.call(source, limit=limit, cursor=cursor)
        )

    @operation
    def list_ready_sources(self) -> Call[ReadySourceList]:
        """Returns the mappings that come with the server."""
        return Call(Request("GET", "/ready-sources"), as_object(), Retry.SAFE)

    @operation
    def test_source(
        self,
        source: str,
        body: Payload,
        *,
        as_: str | None = None,
        version: int | None = None,
        content_type: str = JSON,
    ) -> Call[SourceTest]:
        """Shows what a source would make of a payload of at most 1 MiB, and stores nothing. as_ is events, logs or traces."""
        asked = query({"as": as_, "version": version})
        request = Request("POST", path("sources", source, "test"), asked, {"Content-Type": content_type}, _bytes(body))
        return Call(request, as_object(), Retry.SAFE)

    @operation
    def replay_source(self, source: str, body: ReplaySource | None = None) -> Call[SourceReplay]:
        """Maps what the source could not store again: ``{"from": 1, "limit": 1000}`` of its log of rejects, 10,000 at most.
        ``next`` in the result is where to go on."""
        request = Request("POST", path("sources", source, "replay"), "", JSON_BODY, encode(body or {}))
        return Call(request, as_object(), Retry.REFUSED)

    @operation
    def send_events(
        self, source: str, body: Payload, *, content_type: str = JSON, idempotency_key: str | None = None
    ) -> Call[Delivery]:
        """Sends a delivery to a source, as gateways do: one object, several, or lines; at most 32 MiB.

        When this returns, what could be stored is durable, and the rest is in the source's log of rejects. It is sent again
        after lost connections: records are known by the identity that the source's mapping takes from them. Give
        idempotency_key, one for each delivery, where the mapping says that there is none.
        """
        return _send(source, body, content_type, idempotency_key, as_object(), "events")

    @operation
    def send_openmeter_events(
        self,
        source: str,
        body: Payload,
        *,
        content_type: str = "application/cloudevents+json",
        idempotency_key: str | None = None,
    ) -> Call[None]:
        """Sends CloudEvents to a source, as OpenMeter's clients do; content_type says whether it is one or a batch."""
        return _send(source, body, content_type, idempotency_key, as_nothing, "api", "v1", "events")

    @operation
    def send_otlp_logs(
        self, source: str, body: Payload, *, content_type: str | None = None, idempotency_key: str | None = None
    ) -> Call[Any]:
        """Sends log records by OTLP: protobuf where body is bytes, else JSON. Returns the response likewise."""
        return _send(source, body, _otlp_type(body, content_type), idempotency_key, _otlp, "v1", "logs")

    @operation
    def send_otlp_traces(
        self, source: str, body: Payload, *, content_type: str | None = None, idempotency_key: str | None = None
    ) -> Call[Any]:
        """Sends spans by OTLP: protobuf where body is bytes, else JSON. Returns the response likewise."""
        return _send(source, body, _otlp_type(body, content_type), idempotency_key, _otlp, "v1", "traces")


def _otlp_type(payload: Payload, content_type: str | None) -> str:
    return content_type or (PROTOBUF if isinstance(payload, bytes) else JSON)
