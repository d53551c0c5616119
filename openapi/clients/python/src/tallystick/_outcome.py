"""Where a batcher's failures go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ._buffer import Batch, Failure
from ._errors import TallyError

if TYPE_CHECKING:
    from typing import TypeAlias

    #: Is called with the log, the events as they were to be sent, and why they were not appended.
    OnFailure: TypeAlias = Callable[[str, list[bytes], TallyError], object]


class Outcome:
    """Gives failures to on_failure; without one, keeps the first, and has it raised where somebody waits."""

    def __init__(self, on_failure: OnFailure | None) -> None:
        self._on_failure = on_failure
        self._first: TallyError | None = None

    def report(self, failures: Iterable[Failure]) -> None:
        """Never raises: whatever on_failure raises is logged."""
        for failure in failures:
            if self._on_failure is None:
                self._first = self._first or failure.error
                _log(f"{len(failure.events)} events for log {failure.log} were not appended: {failure.error}")
                continue
            try:
                self._on_failure(failure.log, failure.events, failure.error)
            except Exception as error:
                _log(f"on_failure raised {error!r} for {len(failure.events)} events of log {failure.log}")

    def check(self) -> None:
        """Raises the first failure, once, where there is no on_failure."""
        error, self._first = self._first, None
        if error is not None:
            raise error

    def unexpected(self, batch: Batch, error: Exception) -> Failure:
        wrapped = TallyError(f"{type(error).__name__}: {error}", code="unsent")
        wrapped.__cause__ = error
        return Failure(batch.queue.log, [event.text for event in batch.events], wrapped)


def _log(text: str) -> None:
    import logging

    logging.getLogger("tallystick").error("%s", text)
