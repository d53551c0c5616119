"""When a request is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ._calls import Call, Flow, Response, Retry, Send, Sleep, Unreachable, problem, read
from ._errors import TallyError

T = TypeVar("T")
FIRST_WAIT = 0.1
LONGEST_WAIT = 10.0
SLOW_TIMEOUT = 3_600.0
#: Codes of 503 after which nothing was done, whatever was asked for: the server refused it before it began.
UNDONE = frozenset({"busy", "too_many_streams", "too_many_verifications", "too_many_watchers"})


class Patience(NamedTuple):
    """How long a call may take, in seconds."""

    timeout: float
    deadline: float


def jitter(tries: int) -> float:
    """Returns a random wait before try number tries + 1: full jitter, so that clients do not come back together."""
    import random

    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries, 20)))


def wait_before_next(error: TallyError, tries: int, retry: Retry) -> float | None:
    """Returns how long to wait after tries failures, in seconds; None where sending again could do harm, or no good."""
    if error.status is None:
        return jitter(tries) if retry is Retry.SAFE and not error.final else None
    if error.retry_after is None or error.status not in (429, 503) or error.code == "refused_by_guard":
        return None  # what a guard refuses is refused, whenever there may be room again
    if retry is Retry.REFUSED and error.status != 429 and error.code not in UNDONE:
        return None
    return error.retry_after + jitter(tries)


def attempts(call: Call[T], patience: Patience, explain: Callable[[TallyError], TallyError]) -> Flow[T]:
    """Sends a call until it is answered, may not be sent again, or the deadline would pass."""
    end = time.monotonic() + patience.deadline
    tries = 0
    while True:
        left = end - time.monotonic()
        timeout = SLOW_TIMEOUT if call.slow else max(min(patience.timeout, left), 0.001)
        result = yield Send(call.request, timeout)
        if isinstance(result, Response) and 200 <= result.status < 300:
            return read(call, result, tries)
        error = explain(failure(result))
        if tries > 0 and error.code == call.done and isinstance(result, Response):
            return read(call, result, tries)
        wait = wait_before_next(error, tries, call.retry)
        if wait is None or time.monotonic() + wait >= end:
            raise error from error.__cause__
        tries += 1
        report(tries == 1 and error.status is None, f"{error}; trying again for up to {end - time.monotonic():.0f} s")
        yield Sleep(wait)


def failure(result: Response | Unreachable) -> TallyError:
    if isinstance(result, Response):
        return problem(result)
    error = TallyError(f"{type(result.cause).__name__}: {result.cause}", code="connection")
    error.final = result.final
    error.__cause__ = result.cause
    return error


def report(loud: bool, text: str) -> None:
    """Logs as ``tallystick``: a warning where somebody may be waiting, else for those who look."""
    import logging  # which takes as long to import as all of this package

    logging.getLogger("tallystick").log(logging.WARNING if loud else logging.DEBUG, "%s", text)
