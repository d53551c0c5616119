"""The one error class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_TEXT = 2_000


class TallyError(Exception):
    """A request that failed: the server refused it, or no answer came.

    ``code`` says what went wrong and never changes its meaning; docs/api.md of the server lists the codes. Codes of this
    library: ``connection`` (no answer came; the cause is in ``__cause__``), ``invalid_response`` (what answered is not
    Tallystick), ``buffer_full``, ``closed`` and ``unsent`` (of batchers). New codes may come: treat one that you do not
    know by its ``status``.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int | None = None,
        problem: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        #: The HTTP status; None where no answer came.
        self.status = status
        #: Every member of the server's problem (RFC 9457), also those that this version has no attribute for.
        self.problem: Mapping[str, Any] = problem or {}
        #: Seconds that the server, or a guard, asks to wait before the next try; None where it does not.
        self.retry_after = retry_after
        #: Names the request in the server's log.
        self.request_id = request_id
        #: Whether sending the same again would fail in the same way, as far as this library can tell.
        self.final = False

    @property
    def head(self) -> int | None:
        """The log's last sequence."""
        return self._number("head")

    @property
    def sequence(self) -> int | None:
        """The event in question."""
        return self._number("sequence")

    @property
    def line(self) -> int | None:
        """The line of a batch, from 1."""
        return self._number("line")

    @property
    def events(self) -> int | None:
        """How many events the server would take at once."""
        return self._number("events")

    @property
    def log_id(self) -> str | None:
        """The log that has the name already."""
        value = self.problem.get("log_id")
        return value if isinstance(value, str) else None

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Which parameters or members are wrong, and why: ``location``, ``message`` and ``value`` of each."""
        value = self.problem.get("fields")
        return [field for field in value if isinstance(field, dict)] if isinstance(value, list) else []

    @property
    def view(self) -> str | None:
        """The view whose guard refused the event (``refused_by_guard``), or cannot be asked (``guard_halted``)."""
        value = self.problem.get("view")
        return value if isinstance(value, str) else None

    @property
    def answer(self) -> dict[str, Any] | None:
        """What the guard says of its refusal, in members of the view's own; None where it says nothing."""
        value = self.problem.get("answer")
        return value if isinstance(value, dict) else None

    def _number(self, name: str) -> int | None:
        value = self.problem.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def __str__(self) -> str:
        text = f"{one_line(self.detail)} ({one_line(self.code)})"
        for field in self.fields[:5]:
            text += f"; {one_line(str(field.get('location', '')))}: {one_line(str(field.get('message', '')))}"
        return f"{text} [request {one_line(self.request_id)}]" if self.request_id else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.detail, self.code, self.status, dict(self.problem), self.retry_after, self.request_id)


def _restore(
    detail: str, code: str, status: int | None, problem: Any, retry: float | None, request: str | None
) -> TallyError:
    return TallyError(detail, code=code, status=status, problem=problem, retry_after=retry, request_id=request)


def one_line(text: str) -> str:
    """A stranger's text, so that it cannot look like other output: one line, without control characters, bounded."""
    shown = "".join(c if c.isprintable() else " " for c in text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else shown + "…"
