"""Server-sent events, as the HTML standard reads them (section 9.2.6)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import NamedTuple

#: An event of 1 MiB can be there twice, once with every byte escaped.
MAX_MESSAGE = 16 << 20
MAX_RETRY = 60.0


class Message(NamedTuple):
    event: str
    data: str
    id: str


class Messages:
    """Makes messages of the bytes of one connection. One that was cut off is never returned."""

    def __init__(self, last_id: str = "") -> None:
        #: Where to resume: the id of what was received whole.
        self.last_id = last_id
        self._id = last_id
        #: Seconds to wait before coming back, as the server set it.
        self.retry: float | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._begun = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Yields the messages that end in this chunk. Raises ValueError for a message larger than any of Tallystick's."""
        text = self._rest + self._decoder.decode(chunk)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff")
        text, held = (text[:-1], "\r") if text.endswith("\r") else (text, "")  # perhaps half of a line's end
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = rest + held
        if len(self._rest) + self._size > MAX_MESSAGE:
            raise ValueError("a message that is larger than any of Tallystick's")
        for line in lines:
            if line:
                self._field(line)
                continue
            self.last_id = self._id
            if self._data:
                yield Message(self._event or "message", "\n".join(self._data), self.last_id)
                self._clear()
            else:
                self._clear()

    def _clear(self) -> None:
        self._event, self._data, self._size = "", [], 0

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._size += len(value)
            if self._size > MAX_MESSAGE:
                raise ValueError("a message that is larger than any of Tallystick's")
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = min(int(value[:9]) / 1_000, MAX_RETRY)
