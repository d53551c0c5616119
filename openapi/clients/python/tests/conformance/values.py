"""Values and patterns of cases: what openapi/clients/conformance/README.md says of them."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick import raw
from tallystick._json import Stored, decode, encode

VARIABLE = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")
WHOLE = re.compile(r"\$([a-z_][a-z0-9_]*)")
MISSING = object()


def load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Puts variables into texts, and into names of members."""
    if isinstance(value, str):
        whole = WHOLE.fullmatch(value)
        if whole and whole[1] in variables:
            return variables[whole[1]]

        def put(match: re.Match[str]) -> str:
            if match[1] not in variables:
                return match[0]
            found = variables[match[1]]
            return found if isinstance(found, str) else encode(found).decode()

        return VARIABLE.sub(put, value)
    if isinstance(value, list):
        return spliced(value, [filled(each, variables) for each in value])
    if isinstance(value, dict):
        if set(value) == {"$literal"}:
            return value
        if set(value) == {"$events"}:  # each copy has a variable of its own
            copies = value["$events"]
            return [filled(copies["event"], {**variables, "i": i}) for i in range(filled(copies["count"], variables))]
        return {str(filled(name, variables)): filled(each, variables) for name, each in value.items()}
    return value


def spliced(before: list[Any], after: list[Any]) -> list[Any]:
    """Puts the copies that an element of a list stands for in its place."""
    result: list[Any] = []
    for old, new in zip(before, after, strict=True):
        if isinstance(old, dict) and set(old) == {"$events"}:
            result.extend(new)
        else:
            result.append(new)
    return result


def number(text: str) -> int | Decimal:
    return int(text) if re.fullmatch(r"-?\d+", text) else Decimal(text)


def argument(value: Any) -> Any:
    """Makes what is given to the SDK of a value whose variables are filled in."""
    if isinstance(value, list):
        return [argument(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, inner), *_ = value.items()
        if name == "$raw":
            return inner.encode()
        if name == "$base64":
            return base64.b64decode(inner)
        if name == "$file":
            return (Path(os.environ["CONFORMANCE_FILES"]) / inner).read_bytes()
        if name == "$number":
            return number(inner)
        if name == "$literal":
            return inner
    return {name: argument(each) for name, each in value.items()}


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def exact(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "number": is_number,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
}


def condition(name: str, wanted: Any, value: Any, text: bytes | None) -> bool | None:
    """Returns whether a value meets a condition; None where name is none."""
    if name == "$raw":
        return bool(text == wanted.encode())
    if name == "$number":
        return is_number(value) and exact(value) == Decimal(wanted)
    if name == "$type":
        return bool(TYPES[wanted](value))
    if name == "$falsy":
        return value is MISSING or not value
    if name == "$has":
        return isinstance(value, str) and wanted in value
    if name == "$least":
        return is_number(value) and exact(value) >= exact(wanted)
    if name == "$length":
        return isinstance(value, list) and len(value) == wanted
    if name == "$contains":
        return isinstance(value, list) and all(any(matches(each, found) for found in value) for each in wanted)
    if name == "$exactly":
        return isinstance(value, dict) and set(value) == set(wanted) and matches(wanted, value)
    if name == "$not":
        return not matches(wanted, value, text)
    if name == "$either":
        return any(matches(each, value, text) for each in wanted)
    if name == "$literal":
        return bool(value is not MISSING and same(wanted, value))
    return None


def matches(pattern: Any, value: Any, text: bytes | None = None) -> bool:
    """Tells whether a value is as a pattern wants it; text is the value's own, where the SDK gives it."""
    if isinstance(pattern, dict):
        if len(pattern) == 1:
            (name, wanted), *_ = pattern.items()
            met = condition(name, wanted, value, text)
            if met is not None:
                return met
        if not isinstance(value, dict):
            return False
        for name, wanted in pattern.items():
            inner = raw(value) if isinstance(value, Stored) and name == "data" else None
            if not matches(wanted, value.get(name, MISSING), inner):
                return False
        return True
    if isinstance(pattern, list):
        return (
            isinstance(value, list)
            and len(value) == len(pattern)
            and all(matches(each, found) for each, found in zip(pattern, value, strict=True))
        )
    return value is not MISSING and same(pattern, value)


def same(wanted: Any, value: Any) -> bool:
    if is_number(wanted) and is_number(value):
        return exact(wanted) == exact(value)
    if isinstance(wanted, dict) and isinstance(value, dict):
        return set(wanted) == set(value) and all(same(wanted[name], value[name]) for name in wanted)
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(same, wanted, value))
    return type(wanted) is type(value) and bool(wanted == value)


def at(pointer: str, value: Any) -> Any:
    """Returns what a JSON Pointer leads to."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def shown(event: bytes) -> Any:
    """An event's bytes as JSON, or as text where they are none."""
    try:
        return decode(event.decode())
    except ValueError:
        return event.decode(errors="replace")
