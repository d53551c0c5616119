"""Alerts, and what they have told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._calls import Call, Flow, Request, Retry, as_nothing, as_object, headers, path, query
from ._json import encode
from ._logs import JSON_BODY
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from ._types import (
        Alert,
        AlertCrossing,
        AlertCrossingPage,
        AlertDefinition,
        AlertPage,
        AlertStatus,
        AlertTest,
        ListedAlert,
        TestAlert,
    )


class Alerts:
    @operation
    def put_alert(self, alert: str, body: AlertDefinition, *, actor: str | None = None) -> Call[Alert]:
        """Makes or changes an alert: ``{"logs": "customer-*", "view": "quota", "value": "/balance", "thresholds": ["10"]}``.

        The same again changes nothing.
        """
        named = headers({**JSON_BODY, "Tally-Actor": actor})
        return Call(Request("PUT", path("alerts", alert), "", named, encode(dict(body))), as_object(), Retry.SAFE)

    @operation
    def get_alert(
        self, alert: str, *, only: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Call[AlertStatus]:
        """Returns an alert with how it stands on a page of its logs; only: those where it is ``firing`` or ``failing``."""
        asked = query({"only": only, "limit": limit, "cursor": cursor})
        return Call(Request("GET", path("alerts", alert), asked), as_object(), Retry.SAFE)

    @operation
    def list_alerts(self, *, limit: int | None = None, cursor: str | None = None) -> Call[AlertPage]:
        """Returns a page of alerts by name. alerts() goes through all pages."""
        return Call(Request("GET", "/alerts", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def alerts(self, *, limit: int | None = None) -> Flow[ListedAlert]:
        """Iterates over all alerts by name; limit is that of a page."""
        return pages(self, "alerts", lambda cursor: Alerts.list_alerts.call(limit=limit, cursor=cursor))

    @operation
    def delete_alert(self, alert: str, *, actor: str | None = None) -> Call[None]:
        """Ends an alert; nothing is resolved."""
        request = Request("DELETE", path("alerts", alert), "", headers({"Tally-Actor": actor}))
        return Call(request, as_nothing, Retry.REFUSED)

    @operation
    def list_crossings(
        self, alert: str, *, log: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Call[AlertCrossingPage]:
        """Returns a page of what of an alert has fired or was resolved, newest first. crossings() goes through all."""
        asked = query({"log": log, "limit": limit, "cursor": cursor})
        return Call(Request("GET", path("alerts", alert, "crossings"), asked), as_object(), Retry.SAFE)

    @iteration
    def crossings(self, alert: str, *, log: str | None = None, limit: int | None = None) -> Flow[AlertCrossing]:
        """Iterates over what of an alert has fired or was resolved, newest first; limit is that of a page."""

        def page(cursor: str | None) -> Call[Any]:
            return Alerts.list_crossings.call(alert, log=log, limit=limit, cursor=cursor)

        return pages(self, "crossings", page)

    @operation
    def test_alert(self, alert: str, body: TestAlert) -> Call[AlertTest]:
        """Evaluates an alert on a log, ``{"log": …}``, now and without consequences."""
        request = Request("POST", path("alerts", alert, "test"), "", JSON_BODY, encode(dict(body)))
        return Call(request, as_object(), Retry.SAFE)
