"""Modules, and the views that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ._calls import Call, Flow, Request, Response, Retry, as_nothing, as_object, headers, path, query
from ._errors import TallyError
from ._json import decode, encode
from ._logs import JSON_BODY
from ._operation import iteration, operation, procedure
from ._pages import pages

if TYPE_CHECKING:
    from ._types import (
        DeployModule,
        Module,
        ModulePage,
        PreviewView,
        ReadyViewList,
        ResumeView,
        RollbackView,
        View,
        ViewAudit,
        ViewHistory,
        ViewList,
        ViewPattern,
        ViewPatternList,
        ViewPreview,
        ViewState,
        ViewStatePage,
    )

_view = as_object(("progress", "events_per_second"), ("successor", "progress", "events_per_second"))
_views = as_object(("views", "progress", "events_per_second"), ("views", "successor", "progress", "events_per_second"))
_history = as_object(("versions", "progress", "events_per_second"))


def encode_question(asked: Mapping[str, Any] | str | None) -> str:
    """Encodes what a view is asked: parameters of its own, or a query string that is encoded already."""
    return asked.lstrip("?") if isinstance(asked, str) else query(asked or {})


def answer(body: str, media_type: str) -> Any:
    return decode(body) if media_type == "application/json" else body


class Answer(NamedTuple):
    """What a view answers."""

    #: Decoded JSON, or the text where the view answers in CSV or plain text.
    value: Any
    #: The answer reflects the log's events up to this one, and none after it.
    sequence: int
    #: The answer as it came.
    text: str
    #: ``application/json``, ``text/csv`` or ``text/plain``.
    media_type: str


def _answer(response: Response, tries: int) -> Answer:
    text, media_type = response.text(), response.media_type()
    return Answer(answer(text, media_type), int(response.headers["tally-sequence"]), text, media_type)


class Views:
    @operation
    def put_module(self, sha256: str, body: bytes) -> Call[Module]:
        """Uploads a view's module, a ``.wasm`` of at most 4 MiB, which the server then knows by its SHA-256 in hexadecimal."""
        request = Request(
            "PUT", path("modules", sha256), headers={"Content-Type": "application/wasm"}, body=bytes(body)
        )
        return Call(request, as_object(), Retry.SAFE)

    @operation
    def get_module(self, sha256: str) -> Call[Module]:
        """Returns what the server knows of a module. Raises TallyError ``module_not_found``."""
        return Call(Request("GET", path("modules", sha256)), as_object(), Retry.SAFE)

    @operation
    def list_modules(self, *, limit: int | None = None, cursor: str | None = None) -> Call[ModulePage]:
        """Returns a page of the tenant's modules by SHA-256, uploaded and deployed: 100, or limit, at most 1,000."""
        return Call(Request("GET", "/modules", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def modules(self, *, limit: int | None = None) -> Flow[Module]:
        """Iterates over the tenant's modules by SHA-256; limit is that of a page."""
        return pages(self, "modules", lambda cursor: Views.list_modules.call(limit=limit, cursor=cursor))

    @operation
    def list_ready_views(self) -> Call[ReadyViewList]:
        """Returns the views that come with the server, and the JSON schema of each one's configuration."""
        return Call(Request("GET", "/ready-views"), as_object(), Retry.SAFE)

    @operation
    def deploy_view(self, log: str, view: str, body: DeployModule, *, actor: str | None = None) -> Call[View]:
        """Deploys a view on a log: ``{"ready": "meter", "config": {…}}``, or ``{"module": "<SHA-256>", "config": {…}}``.

        Answers when the view is live, or after about two seconds, while it is building. The same again changes nothing.
        """
        return Call(_post(path("logs", log, "views", view), body, actor), _view, Retry.SAFE)

    @operation
    def deploy_view_pattern(
        self, view: str, body: DeployModule, *, logs: str | None = None, actor: str | None = None
    ) -> Call[ViewPattern]:
        """Deploys a view on every log whose name matches logs, such as ``customer-*``, now and later. See deploy_view."""
        return Call(_post(path("views", view), body, actor, query({"logs": logs})), as_object(), Retry.SAFE)

    @procedure
    def upload_module(self: Any, module: bytes) -> Flow[str]:
        """Uploads a module, a ``.wasm`` of at most 4 MiB, unless the server has it, and returns its SHA-256 in hexadecimal."""
        return (yield from _upload(self, module))

    @procedure
    def deploy_module(
        self: Any,
        log: str,
        view: str,
        module: bytes,
        *,
        config: Any = None,
        gas: int | None = None,
        on_halt: Literal["admit", "refuse"] | None = None,
        actor: str | None = None,
    ) -> Flow[View]:
        """Deploys a view of your own on a log: uploads its module, unless the server has it, and deploys it."""
        sha256 = yield from _upload(self, module)
        deployment: DeployModule = _present(module=sha256, config=config, gas=gas, on_halt=on_halt)
        deployed: View = yield from self._flow(Views.deploy_view.call(log, view, deployment, actor=actor))
        return deployed

    @procedure
    def deploy_module_pattern(
        self: Any,
        view: str,
        module: bytes,
        *,
        logs: str | None = None,
        config: Any = None,
        gas: int | None = None,
        on_halt: Literal["admit", "refuse"] | None = None,
        actor: str | None = None,
    ) -> Flow[ViewPattern]:
        """Deploys a view of your own on every log whose name matches: see deploy_module and deploy_view_pattern."""
        sha256 = yield from _upload(self, module)
        deployment: DeployModule = _present(module=sha256, config=config, gas=gas, on_halt=on_halt)
        call = Views.deploy_view_pattern.call(view, deployment, logs=logs, actor=actor)
        deployed: ViewPattern = yield from self._flow(call)
        return deployed

    @operation
    def list_views(self, log: str) -> Call[ViewList]:
        """Returns a log's views."""
        return Call(Request("GET", path("logs", log, "views")), _views, Retry.SAFE)

    @operation
    def get_view(self, log: str, view: str) -> Call[View]:
        """Returns the version of a view that answers, with ``successor`` while a newer one is built in its place."""
        return Call(Request("GET", path("logs", log, "views", view)), _view, Retry.SAFE)

    @operation
    def list_view_states(
        self,
        *,
        status: str | Sequence[str] | None = None,
        view: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Call[ViewStatePage]:
        """Returns a page of the versions of views of all logs, by log, view and version. view_states() goes through all pages.

        status is one of ``building``, ``live``, ``halted`` and ``retired``, or several; all but ``retired`` when absent. Those
        that are halted or building are found at once, however many logs there are.
        """
        statuses = status if status is None or isinstance(status, str) else ",".join(status)
        asked = query({"status": statuses, "view": view, "limit": limit, "cursor": cursor})
        return Call(Request("GET", "/view-states", asked), _views, Retry.SAFE)

    @iteration
    def view_states(
        self, *, status: str | Sequence[str] | None = None, view: str | None = None, limit: int | None = None
    ) -> Flow[ViewState]:
        """Iterates over the versions of views of all logs, by log, view and version; limit is that of a page."""
        return pages(
            self,
            "views",
            lambda cursor: Views.list_view_states.call(status=status, view=view, limit=limit, cursor=cursor),
        )

    @operation
    def list_view_versions(
        self, log: str, view: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Call[ViewHistory]:
        """Returns a page of a view's versions, newest first, and the last 500 things that were done to it."""
        asked = query({"limit": limit, "cursor": cursor})
        return Call(Request("GET", path("logs", log, "views", view, "versions"), asked), _history, Retry.SAFE)

    @iteration
    def view_versions(self, log: str, view: str, *, limit: int | None = None) -> Flow[View]:
        """Iterates over all versions of a view, newest first; limit is that of a page."""
        return pages(
            self, "versions", lambda cursor: Views.list_view_versions.call(log, view, limit=limit, cursor=cursor)
        )

    @operation
    def query_view(self, log: str, view: str, question: Mapping[str, Any] | str | None = None) -> Call[Answer]:
        """Asks a view, which answers in JSON, CSV or plain text.

        question has the parameters of the view, or is an encoded query string. The answer reflects every event whose append
        returned before. Integers of any size stay exact, other numbers are Decimal.

        Raises TallyError, such as ``view_building`` (sent again until the deadline), ``query_refused``, ``view_halted``.
        """
        return Call(
            Request("GET", path("logs", log, "views", view, "query"), encode_question(question)), _answer, Retry.SAFE
        )

    @operation
    def resume_view(
        self, log: str, view: str, body: ResumeView | None = None, *, actor: str | None = None
    ) -> Call[View]:
        """Takes a halted view on at the event that it could not fold, or past it, for ever, with ``{"skip": true}``."""
        return Call(_post(path("logs", log, "views", view, "resume"), body or {}, actor), _view, Retry.REFUSED)

    @operation
    def rollback_view(self, log: str, view: str, body: RollbackView, *, actor: str | None = None) -> Call[View]:
        """Makes an earlier version live again, ``{"version": 2}``: it folds what it has missed first."""
        return Call(_post(path("logs", log, "views", view, "rollback"), body, actor), _view, Retry.REFUSED)

    @operation
    def retire_view(self, log: str, view: str, *, actor: str | None = None) -> Call[None]:
        """Retires all versions of a view."""
        request = Request("DELETE", path("logs", log, "views", view), headers=headers({"Tally-Actor": actor}))
        return Call(request, as_nothing, Retry.REFUSED)

    @operation
    def audit_view(self, log: str, view: str, *, version: int | None = None) -> Call[ViewAudit]:
        """Has the server fold all events again in several ways, and compare. Takes as long as that does: up to an hour,
        whatever the client's timeout. A difference is no error: see ``ok`` and ``difference``."""
        request = Request("POST", path("logs", log, "views", view, "audit"), query({"version": version}))
        return Call(request, as_object(("seconds",)), Retry.REFUSED, slow=True)

    @operation
    def preview_view(self, log: str, view: str, body: PreviewView) -> Call[ViewPreview]:
        """Tries a view on a log's last events, as deploy_view would deploy it, and asks it a question: ``{"ready": "meter",
        "config": {…}, "events": 1000, "question": {"window": "day"}}``. Stores nothing; what a deploy would refuse is
        refused. Takes up to a minute or so, whatever the client's timeout."""
        request = _post(path("logs", log, "views", view, "preview"), body, None)
        return Call(request, as_object(), Retry.SAFE, slow=True)

    @operation
    def list_view_patterns(self) -> Call[ViewPatternList]:
        """Returns the views that are deployed on patterns of logs."""
        return Call(Request("GET", "/views"), as_object(), Retry.SAFE)

    @operation
    def get_view_pattern(self, view: str) -> Call[ViewPattern]:
        """Returns a view's pattern, and how its logs stand."""
        return Call(Request("GET", path("views", view)), as_object(), Retry.SAFE)

    @operation
    def retire_view_pattern(
        self, view: str, *, keep: bool | None = None, actor: str | None = None
    ) -> Call[ViewPattern]:
        """Retires a view on the logs that have it from its pattern; with keep only later logs do not get it."""
        request = Request("DELETE", path("views", view), query({"keep": keep}), headers({"Tally-Actor": actor}))
        return Call(request, as_object(), Retry.REFUSED)


def _upload(client: Any, module: bytes) -> Flow[str]:
    import hashlib

    sha256 = hashlib.sha256(module).hexdigest()
    try:
        yield from client._flow(Views.get_module.call(sha256))
    except TallyError as error:
        if error.code != "module_not_found":
            raise
        yield from client._flow(Views.put_module.call(sha256, module))
    return sha256


def _post(where: str, body: Mapping[str, Any], actor: str | None, asked: str = "") -> Request:
    return Request("POST", where, asked, headers({**JSON_BODY, "Tally-Actor": actor}), encode(dict(body)))


def _present(**members: Any) -> Any:
    return {name: value for name, value in members.items() if value is not None}
