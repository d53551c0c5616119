"""JSON that keeps what it reads: integers of any size, decimals as Decimal, and the bytes of events."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal, DecimalException
from typing import Any


def encode(value: Any) -> bytes:
    """Encodes a value as compact JSON in UTF-8, byte for byte the same each time.

    Decimals become numbers with their own digits, aware datetimes RFC 3339, UUIDs strings. Raises TypeError for what JSON
    has no form for, and ValueError for NaN, infinities and lone surrogates.
    """
    numbers: dict[str, str] = {}
    mark = ""

    def other(value: Any) -> str:
        nonlocal mark
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise ValueError(f"JSON has no form for the number {value}")
            mark = mark or os.urandom(16).hex()  # nobody's text can hold it
            numbers[f"{mark}{len(numbers)}."] = str(value)
            return f"{mark}{len(numbers) - 1}."
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise TypeError("a time needs its zone, as in datetime.now(timezone.utc)")
            return value.isoformat()
        if type(value).__name__ == "UUID":
            return str(value)
        raise TypeError(f"JSON has no form for a {type(value).__name__}: {value!r:.100}")

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=other)
    if numbers:
        first, *rest = text.split(f'"{mark}')
        text = first + "".join(numbers[f"{mark}{n}."] + part.split('."', 1)[1] for n, part in enumerate(rest))
    return text.encode()


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except DecimalException:  # an exponent of 19 digits or more
        small = "e-" in text.lower()
        return Decimal(0) if small else Decimal("-Infinity" if text.startswith("-") else "Infinity")


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:  # more digits than Python takes from strangers (sys.get_int_max_str_digits)
        return Decimal(text)


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_quick = json.JSONDecoder(parse_float=_decimal, parse_constant=_constant)
_patient = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_constant)


class _Scanner:
    """Reads JSON from left to right, so that a value's own text can be kept."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.skip()

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def accept(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self.skip()
        return True

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise ValueError(f"no {sign} where one belongs, at character {self.at}")

    def end(self) -> None:
        if self.at != len(self.text):
            raise ValueError("something follows the JSON")

    def value(self) -> Any:
        try:
            value, self.at = _quick.raw_decode(self.text, self.at)
        except json.JSONDecodeError:
            raise
        except ValueError:
            value, self.at = _patient.raw_decode(self.text, self.at)
        self.skip()
        return value

    def members(self) -> Iterator[str]:
        """Yields the names of an object's members; whoever asks for the next one has read the value."""
        self.expect("{")
        if self.accept("}"):
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise ValueError("a member's name is no string")
            self.expect(":")
            yield name
            if self.accept("}"):
                return
            self.expect(",")

    def elements(self) -> Iterator[None]:
        self.expect("[")
        if self.accept("]"):
            return
        while True:
            yield None
            if self.accept("]"):
                return
            self.expect(",")


def decode(text: str) -> Any:
    """Decodes JSON: integers are int, other numbers Decimal. An integer of more than 4,300 digits is a Decimal, and a
    number beyond Decimal's exponents an infinity, or 0. Raises ValueError for what is no JSON."""
    with _depth_is_an_error():
        scanner = _Scanner(text)
        value = scanner.value()
        scanner.end()
        return value


class Stored(dict[str, Any]):
    """An event as the server gives it, with the text of its data beside the members."""

    __slots__ = ("text",)
    text: str


def raw(event: Mapping[str, Any]) -> bytes:
    """Returns the bytes of an event, exactly as they were sent to the server.

    Takes the events of get_event, list_events, events and tail. Raises ValueError for another mapping.
    """
    if isinstance(event, Stored):
        return event.text.encode()
    raise ValueError(
        "only an event that was read from a server has raw bytes: pass the event itself, not its data or a copy"
    )


def decode_event(text: str) -> Stored:
    """Decodes an event of the server. Raises ValueError for what is none."""
    with _depth_is_an_error():
        scanner = _Scanner(text)
        event = _event(scanner)
        scanner.end()
        return event


def decode_page(text: str) -> dict[str, Any]:
    """Decodes a page of events. Raises ValueError for what is none."""
    with _depth_is_an_error():
        scanner = _Scanner(text)
        page: dict[str, Any] = {}
        for name in scanner.members():
            if name == "events":
                page[name] = [_event(scanner) for _ in scanner.elements()]
            else:
                page[name] = scanner.value()
        scanner.end()
        if "events" not in page:
            raise ValueError("a page without events")
        return page


def _event(scanner: _Scanner) -> Stored:
    event = Stored()
    event.text = ""
    for name in scanner.members():
        began = scanner.at
        event[name] = scanner.value()
        if name == "data":
            event.text = scanner.text[began : scanner.at].rstrip(" \t\n\r")
    if isinstance(event.get("raw"), str):  # where data is not byte for byte what was sent
        event.text = event["raw"]
    if not isinstance(event.get("sequence"), int) or "data" not in event:
        raise ValueError("an event without sequence or data")
    return event


@contextmanager
def _depth_is_an_error() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
