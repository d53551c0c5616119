"""Logs, and what proves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._calls import Call, Flow, Request, Retry, as_json, as_object, as_text, path, query
from ._json import encode
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from ._types import Activity, CreatedLog, CreateLog, EnsureLog, Health, Log, LogPage, LogVerification, Readiness

_activity = as_object(
    ("events_per_second",),
    ("append_p50_ms",),
    ("append_p99_ms",),
    ("intervals", "append_p50_ms"),
    ("intervals", "append_p99_ms"),
)

JSON_BODY = {"Content-Type": "application/json"}


class Logs:
    @operation
    def create_log(self, body: CreateLog) -> Call[CreatedLog]:
        """Creates a log: ``{"name": "customer-acme", "labels": {…}}``.

        A name has at most 200 bytes of letters, digits and ``. _ : @ + = ~ -``; labels are at most 32, and yours. Not sent
        again after a lost answer: see ensure_log. Raises TallyError: ``name_taken``.
        """
        return Call(Request("POST", "/logs", headers=JSON_BODY, body=encode(body)), as_object(), Retry.REFUSED)

    @operation
    def ensure_log(self, log: str, body: EnsureLog | None = None) -> Call[Log]:
        """Creates a log of this name unless there is one, and returns it; body may be ``{"labels": {…}}``.

        Raises TallyError ``name_taken`` where it is there with other labels than those asked for.
        """
        request = Request("PUT", path("logs", log), headers=JSON_BODY, body=encode(body or {}))
        return Call(request, as_object(), Retry.SAFE)

    @operation
    def get_log(self, log: str) -> Call[Log]:
        """Returns a log and its head: its last sequence, and the hash of everything up to it."""
        return Call(Request("GET", path("logs", log)), as_object(), Retry.SAFE)

    @operation
    def list_logs(
        self,
        *,
        prefix: str | None = None,
        search: str | None = None,
        label: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Call[LogPage]:
        """Returns a page of logs by name: 100, or limit, at most 1,000. logs() goes through all pages.

        search is a text in their name or in the value of a label, whatever the case of its letters. label is one that they
        have, ``plan=gold``, or up to four with commas between them; a comma, and in a name ``=``, is written with ``\\`` before
        it, and so is ``\\`` itself. sort="activity" has the log with the latest event first.
        """
        asked = query(
            {"prefix": prefix, "search": search, "label": label, "sort": sort, "limit": limit, "cursor": cursor}
        )
        return Call(Request("GET", "/logs", asked), as_object(), Retry.SAFE)

    @iteration
    def logs(
        self,
        *,
        prefix: str | None = None,
        search: str | None = None,
        label: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> Flow[Log]:
        """Iterates over all logs that list_logs would list, in its order; limit is that of a page."""
        return pages(
            self,
            "logs",
            lambda cursor: Logs.list_logs.call(
                prefix=prefix, search=search, label=label, sort=sort, limit=limit, cursor=cursor
            ),
        )

    @operation
    def verify_log(
        self,
        log: str,
        *,
        views: str | Sequence[str] | None = None,
        sequence: int | None = None,
        hash: str | None = None,  # noqa: A002
    ) -> Call[LogVerification]:
        """Has the server read a log again, and check its chain and its views.

        views are ``all``, ``none``, or names; sequence and hash are a head that was noted earlier. Takes as long as reading
        the log does: up to an hour, whatever the client's timeout. What was found is in ``faults``, and is no error.
        """
        asked = query({"views": views, "sequence": sequence, "hash": hash})
        floats = (("seconds",), ("views", "audit", "seconds"))
        return Call(Request("GET", path("logs", log, "verify"), asked), as_object(*floats), Retry.SAFE, slow=True)

    @operation
    def get_checkpoint(self, log: str) -> Call[str]:
        """Returns the log's head as a signed note."""
        return Call(Request("GET", path("logs", log, "checkpoint")), as_text, Retry.SAFE)

    @operation
    def get_checkpoint_key(self) -> Call[str]:
        """Returns the public key, a line, with which checkpoints are verified."""
        return Call(Request("GET", "/checkpoint-key"), as_text, Retry.SAFE)

    @operation
    def get_activity(self, *, minutes: int | None = None) -> Call[Activity]:
        """Returns what happened in the tenant in the last 15, or minutes, at most 60, on all servers.

        Intervals have five seconds. The key must be for all logs.
        """
        return Call(Request("GET", "/activity", query({"minutes": minutes})), _activity, Retry.SAFE)

    @operation
    def health(self) -> Call[Health]:
        """Returns whether the process is alive."""
        return Call(Request("GET", "/healthz"), as_json, Retry.SAFE)

    @operation
    def ready(self) -> Call[Readiness]:
        """Returns whether the server can store events, and what its operator should see to. Raises TallyError ``not_ready``."""
        return Call(Request("GET", "/readyz"), as_json, Retry.SAFE)
