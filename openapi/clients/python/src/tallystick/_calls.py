"""What a call of the API is, apart from how it is sent: the request, how its response is read, when it may be sent again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from enum import Enum
from math import inf
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from . import _json
from ._errors import TallyError, one_line

T = TypeVar("T")
JSON = "application/json"
MAX_RETRY_AFTER = 3_600.0


class Request(NamedTuple):
    method: str
    path: str  # percent-encoded
    query: str = ""  # likewise
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Response(NamedTuple):
    """An HTTP response. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise ValueError(str(error)) from error

    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


class Retry(Enum):
    """When a request may be sent again."""

    SAFE = 1
    """The server does it once, however often it is asked: after a lost connection, and as Retry-After says."""
    REFUSED = 2
    """It would be done twice: only where the server says by Retry-After that it has done nothing."""


class Call(Generic[T]):
    """A request, and what is to be made of its response. (No NamedTuple: Python 3.10 has no generic ones.)"""

    __slots__ = ("done", "read", "request", "retry", "slow")

    def __init__(
        self,
        request: Request,
        read: Callable[[Response, int], T],
        retry: Retry,
        *,
        done: str | None = None,
        slow: bool = False,
    ) -> None:
        self.request = request
        #: Reads the response; its second argument is how often the request had been sent before.
        self.read = read
        self.retry = retry
        #: The problem's code that says, in answer to another try, that an earlier one did it.
        self.done = done
        #: Whether the server may take longer than a try usually has.
        self.slow = slow


# What the core asks of the driver, which answers each step with a result.


class Send(NamedTuple):
    """Send a request; the result is a Response, or Unreachable."""

    request: Request
    timeout: float | None


class Open(NamedTuple):
    """Send a request whose response is a stream; the result is a Response, whose body is read only where its status is no
    success, or Unreachable."""

    request: Request
    silence: float


class Read(NamedTuple):
    """Read on from the stream; the result is some bytes, none at its end, or Unreachable."""


class Sleep(NamedTuple):
    seconds: float


class Emit(NamedTuple):
    """Hand a value to whoever iterates."""

    value: Any


class Unreachable(NamedTuple):
    """No response came, or not all of it."""

    cause: Exception
    #: Sending again would fail in the same way.
    final: bool = False


Flow = Generator[Any, Any, T]


def path(*segments: str) -> str:
    """Makes a path of segments. Raises ValueError for one that would name another path."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError(f"{segment!r} is no name")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def query(parameters: Mapping[str, Any]) -> str:
    """Encodes a query string. Parameters that are None are left out."""
    return "&".join(
        f"{quote(name, safe='')}={quote(_parameter(value), safe='')}"
        for name, value in parameters.items()
        if value is not None
    )


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return instant(value)
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return str(value)


def instant(time: Any) -> str:
    if getattr(time, "tzinfo", None) is None:
        raise ValueError("a time needs its zone, as in datetime.now(timezone.utc)")
    return str(time.isoformat())


def headers(named: Mapping[str, Any]) -> dict[str, str]:
    """Keeps the headers that are not None. Raises ValueError for a value that would be a header of its own."""
    kept = {name: str(value) for name, value in named.items() if value is not None}
    for name, value in kept.items():
        if any(sign in value for sign in "\r\n\0"):
            raise ValueError(f"{name} has a line break in it")
    return kept


def as_json(response: Response, tries: int) -> Any:
    return _json.decode(response.text())


def as_text(response: Response, tries: int) -> str:
    return response.text()


def as_nothing(response: Response, tries: int) -> None:
    return None


def as_object(*floats: Iterable[str]) -> Callable[[Response, int], Any]:
    """Reads an object. What the API describes as a number, rather than what users put in, is a float: floats has the paths."""

    def read(response: Response, tries: int) -> Any:
        value = _json.decode(response.text())
        if not isinstance(value, dict):
            raise ValueError("no JSON object")
        for names in floats:
            _make_float(value, list(names))
        return value

    return read


def _make_float(value: Any, names: list[str]) -> None:
    if isinstance(value, list):
        for element in value:
            _make_float(element, names)
    elif isinstance(value, dict) and names[0] in value:
        if len(names) > 1:
            _make_float(value[names[0]], names[1:])
        elif not isinstance(value[names[0]], (str, bool, dict, list, type(None))):
            value[names[0]] = float(value[names[0]])


def read(call: Call[T], response: Response, tries: int) -> T:
    """Reads a success. Raises TallyError for what Tallystick would not have answered."""
    try:
        return call.read(response, tries)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise not_tallystick(response, str(error)) from error


def not_tallystick(response: Response, why: str) -> TallyError:
    return TallyError(
        f"the response is not Tallystick's: {why}; is the url right?",
        code="invalid_response",
        status=response.status,
        request_id=response.headers.get("tally-request-id"),
    )


def problem(response: Response) -> TallyError:
    """Makes an error of a response that is no success, whoever sent it."""
    try:
        members = _json.decode(response.text())
    except ValueError:
        members = None
    if not isinstance(members, dict) or not isinstance(members.get("code"), str):
        shown = one_line(response.body[:500].decode(errors="replace")).strip()
        members = {}
        location = response.headers.get("location")
        if 300 <= response.status < 400 and location:
            shown = f"the server sends us to {one_line(location)}: give that as the url, if it is yours"
        detail = (
            f"the server answered {response.status}: {shown}" if shown else f"the server answered {response.status}"
        )
    else:
        detail = members["detail"] if isinstance(members.get("detail"), str) else members["code"]
    return TallyError(
        detail,
        code=members.get("code", "invalid_response" if response.status < 400 else "unknown"),
        status=response.status,
        problem=members,
        retry_after=retry_after(response, inf if members.get("code") == "refused_by_guard" else MAX_RETRY_AFTER),
        request_id=response.headers.get("tally-request-id"),
    )


def retry_after(response: Response, most: float) -> float | None:
    """Returns the seconds that the response asks to wait; bounded, so that nobody who waits is sent away for good."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), most)
    if not text:
        return None
    from datetime import datetime, timezone
    from email.utils import parsedate_to_datetime  # a date: from a proxy

    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone.utc)
        return min(max((when - datetime.now(timezone.utc)).total_seconds(), 0.0), most)
    except (ValueError, TypeError, OverflowError):
        return None
