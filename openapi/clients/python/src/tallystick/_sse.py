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
        self._parts: list[str] = []  # of a line
        self._begun = False
        self._event = ""
        self._data: list[str] = []
        self._held = 0  # what the data of the message under way has
        self._size = 0  # and what the line under way has besides

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Yields the messages that end in this chunk. Raises ValueError for a message larger than any of Tallystick's."""
        text = self._decoder.decode(chunk)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff")
        self._parts.append(text)
        self._size += len(text)
        if self._size > MAX_MESSAGE:
            raise ValueError("a message that is larger than any of Tallystick's")
        if "\n" not in text and "\r" not in text and not self._parts[0].endswith("\r"):
            return
        text = "".join(self._parts)
        text, held = (text[:-1], "\r") if text.endswith("\r") else (text, "")  # perhaps half of a line's end
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._parts = [rest + held]
        self._size = self._held + len(rest)
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
        self._event, self._data = "", []
        self._size -= self._held
        self._held = 0

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._held += len(value)
            self._size += len(value)
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = min(int(value[:9]) / 1_000, MAX_RETRY)
