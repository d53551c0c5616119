"""Tallystick's client: append events, ask views, follow both.

    from tallystick import Tally

    with Tally() as tally:  # TALLY_URL and TALLY_KEY, or a server on this machine
        tally.ensure_log("customer-acme")
        tally.append_event("customer-acme", {"type": "api.call", "tokens": 12})

AsyncTally has the same methods for asyncio. Every failure is a TallyError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import TallyError
from ._follow import WatchedAnswer
from ._json import raw
from ._sync import Tally
from ._version import __version__
from ._views import Answer

if TYPE_CHECKING:
    from ._async import AsyncTally

__all__ = ["Answer", "AsyncTally", "Tally", "TallyError", "WatchedAnswer", "__version__", "raw"]


def __getattr__(name: str) -> object:
    if name == "AsyncTally":  # imported by those alone who use it
        from ._async import AsyncTally

        return AsyncTally
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
