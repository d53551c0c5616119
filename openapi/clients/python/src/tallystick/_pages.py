"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._calls import Call, Emit, Flow, Response, not_tallystick
from ._errors import TallyError


def pages(client: Any, member: str, page: Callable[[str | None], Call[Any]]) -> Flow[Any]:
    """Emits the elements of all pages. A page that is empty need not be the last one: that has no cursor."""
    cursor: str | None = None
    while True:
        result = yield from client._flow(page(cursor))
        for element in _elements(result, member):
            yield Emit(element)
        following = result.get("next_cursor")
        if not following:
            return
        if not isinstance(following, str) or following == cursor:
            raise _strange("a cursor that leads nowhere")
        cursor = following


def _elements(result: Any, member: str) -> list[Any]:
    elements = result.get(member) if isinstance(result, dict) else None
    if not isinstance(elements, list):
        raise _strange(f"a page without {member}")
    return elements


def _strange(why: str) -> TallyError:
    return not_tallystick(Response(200, {}, b""), why)
