"""Webhooks, and the deliveries of their messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._calls import Call, Flow, Request, Retry, as_nothing, as_object, headers, path, query
from ._json import encode
from ._logs import JSON_BODY
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from ._types import (
        AcceptedDelivery,
        CreatedWebhook,
        CreateWebhook,
        ReplayedDeliveries,
        UpdateWebhook,
        Webhook,
        WebhookDelivery,
        WebhookDeliveryDetail,
        WebhookDeliveryPage,
        WebhookPage,
    )


def _order(method: str, where: str, actor: str | None, body: Mapping[str, Any] | None = None) -> Call[Any]:
    named = headers({**(JSON_BODY if body is not None else {}), "Tally-Actor": actor})
    request = Request(method, where, "", named, None if body is None else encode(dict(body)))
    return Call(request, as_nothing if method == "DELETE" else as_object(), Retry.REFUSED)


class Webhooks:
    @operation
    def create_webhook(self, body: CreateWebhook, *, actor: str | None = None) -> Call[CreatedWebhook]:
        """Makes a webhook: ``{"url": "https://…", "types": ["alert.fired"], "logs": "customer-*"}``.

        ``secret`` of the result is its only showing: the ``standardwebhooks`` library verifies messages with it.
        """
        return _order("POST", "/webhooks", actor, body)

    @operation
    def list_webhooks(self, *, limit: int | None = None, cursor: str | None = None) -> Call[WebhookPage]:
        """Returns a page of webhooks: 50, or limit. webhooks() goes through all pages."""
        return Call(Request("GET", "/webhooks", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def webhooks(self, *, limit: int | None = None) -> Flow[Webhook]:
        """Iterates over all webhooks, in the order in which they were made; limit is that of a page."""
        return pages(self, "webhooks", lambda cursor: Webhooks.list_webhooks.call(limit=limit, cursor=cursor))

    @operation
    def get_webhook(self, webhook: str) -> Call[Webhook]:
        """Returns a webhook by its id, without its secret."""
        return Call(Request("GET", path("webhooks", webhook)), as_object(), Retry.SAFE)

    @operation
    def update_webhook(self, webhook: str, body: UpdateWebhook, *, actor: str | None = None) -> Call[Webhook]:
        """Changes, enables or disables a webhook; what is absent in body stays."""
        return _order("PATCH", path("webhooks", webhook), actor, body)

    @operation
    def delete_webhook(self, webhook: str, *, actor: str | None = None) -> Call[None]:
        """Ends a webhook."""
        return _order("DELETE", path("webhooks", webhook), actor)

    @operation
    def test_webhook(self, webhook: str, *, actor: str | None = None) -> Call[AcceptedDelivery]:
        """Sends a message of the type ``webhook.test``; get_delivery says what became of it."""
        return _order("POST", path("webhooks", webhook, "test"), actor)

    @operation
    def rotate_webhook_secret(self, webhook: str, *, actor: str | None = None) -> Call[CreatedWebhook]:
        """Gives a webhook another secret; for 24 hours messages are signed with the one from before, too."""
        return _order("POST", path("webhooks", webhook, "rotate-secret"), actor)

    @operation
    def list_deliveries(
        self, webhook: str, *, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Call[WebhookDeliveryPage]:
        """Returns a page of a webhook's deliveries, newest first: 100, or limit, at most 200. deliveries() goes through all.

        status is ``pending``, ``delivered`` or ``dead``; without it, all are listed.
        """
        asked = query({"status": status, "limit": limit, "cursor": cursor})
        return Call(Request("GET", path("webhooks", webhook, "deliveries"), asked), as_object(), Retry.SAFE)

    @iteration
    def deliveries(self, webhook: str, *, status: str | None = None, limit: int | None = None) -> Flow[WebhookDelivery]:
        """Iterates over a webhook's deliveries, newest first; limit is that of a page."""
        return pages(
            self,
            "deliveries",
            lambda cursor: Webhooks.list_deliveries.call(webhook, status=status, limit=limit, cursor=cursor),
        )

    @operation
    def get_delivery(self, webhook: str, delivery: str) -> Call[WebhookDeliveryDetail]:
        """Returns a delivery with its message and the answers that it got."""
        return Call(Request("GET", path("webhooks", webhook, "deliveries", delivery)), as_object(), Retry.SAFE)

    @operation
    def replay_delivery(self, webhook: str, delivery: str, *, actor: str | None = None) -> Call[AcceptedDelivery]:
        """Sends a delivery that has ended again."""
        return _order("POST", path("webhooks", webhook, "deliveries", delivery, "replay"), actor)

    @operation
    def replay_dead_deliveries(self, webhook: str, *, actor: str | None = None) -> Call[ReplayedDeliveries]:
        """Sends up to 1,000 dead deliveries again; ``more`` says that there may be others."""
        return _order("POST", path("webhooks", webhook, "replay"), actor)
