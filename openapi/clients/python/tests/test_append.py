"""Appends: exact bytes, keys, and retries that count nothing twice."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from tallystick import Tally, TallyError, raw

from .proxy import DROP, LOSE, Answer, Proxy, Seen

BUSY = Answer(
    503, {"Retry-After": "0", "Content-Type": "application/problem+json"}, b'{"code":"busy","detail":"later"}'
)


def every_second(fault: object) -> object:
    return lambda number, seen: fault if number % 2 else None


def test_an_event_is_appended_and_read(client: Tally, log: str) -> None:
    assert client.append_event(log, {"type": "api.call", "tokens": 12})["sequence"] == 1
    event = client.get_event(log, 1)
    assert event["type"] == "api.call"
    assert event["data"] == {"type": "api.call", "tokens": 12}


def test_bytes_are_kept(client: Tally, log: str) -> None:
    text = (
        '{ "b": 0.10,"a":1e400, "big":9007199254740993, "z":-0, "u":"\\u00e9é", "deep":0.10000000000000000000000001 }'
    )
    client.append_event(log, text)
    client.append_event(log, text.encode())
    client.append_event(log, {"lines": 1} | {"text": "a\nb"})
    client.append_event(log, '{\n  "pretty": 1.50\n}\n')
    events = list(client.events(log))
    assert raw(events[0]) == raw(events[1]) == text.encode()
    assert events[0]["data"]["big"] == 9007199254740993
    assert events[0]["data"]["deep"] == Decimal("0.10000000000000000000000001")
    assert raw(events[3]) == b'{\n  "pretty": 1.50\n}'
    assert raw(client.get_event(log, 4)) == b'{\n  "pretty": 1.50\n}'


def test_numbers_are_exact(client: Tally, log: str) -> None:
    numbers = {
        "cost": Decimal("0.10"),
        "many": Decimal("123456789012345678901234567890.123456789"),
        "big": 2**64 + 1,
        "list": [Decimal("-1E-7"), {"x": Decimal("5")}],
        "at": datetime(2026, 1, 2, tzinfo=timezone.utc),
    }
    client.append_event(log, numbers)
    event = client.get_event(log, 1)
    assert raw(event) == (
        b'{"cost":0.10,"many":123456789012345678901234567890.123456789,"big":18446744073709551617,'
        b'"list":[-1E-7,{"x":5}],"at":"2026-01-02T00:00:00+00:00"}'
    )
    assert event["data"]["cost"] == Decimal("0.10")
    assert event["data"]["big"] == 2**64 + 1


@pytest.mark.parametrize(
    "event",
    [
        {"x": float("nan")},
        {"x": Decimal("Infinity")},
        {"x": "\ud800"},
        {"t": datetime(2026, 1, 2)},
        {"x": object()},
        "",
        b" ",
    ],
)
def test_what_is_no_event_is_not_sent(client: Tally, log: str, event: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        client.append_event(log, event)  # type: ignore[arg-type]
    assert client.get_log(log)["sequence"] == 0


def test_lost_answers_count_once(proxy: Proxy, client: Tally, log: str) -> None:
    proxy.fault = every_second(LOSE)  # type: ignore[assignment]
    with Tally(proxy.url) as lossy:
        for n in range(1, 11):
            appended = lossy.append_event(log, {"n": n})
            assert appended["sequence"] == n
            assert not appended.get("duplicate")
    assert [event["data"]["n"] for event in client.events(log, limit=3)] == list(range(1, 11))
    for first, second in zip(proxy.seen[::2], proxy.seen[1::2], strict=True):
        assert first.body == second.body
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len({seen.headers["idempotency-key"] for seen in proxy.seen}) == 10


def test_lost_batches_count_once(proxy: Proxy, client: Tally, log: str) -> None:
    proxy.fault = every_second(LOSE)  # type: ignore[assignment]
    with Tally(proxy.url) as lossy:
        batch = lossy.append_events(log, [{"n": 1}, {"n": 2}, {"n": 2}])
    assert (batch["first_sequence"], batch["last_sequence"], batch["appended"]) == (1, 3, 3)
    assert batch["duplicates"] == []
    assert client.get_log(log)["sequence"] == 3


def test_a_duplicate_of_somebody_elses_is_told(proxy: Proxy, client: Tally, log: str) -> None:
    assert not client.append_event(log, {"id": "a", "n": 1}).get("duplicate")
    assert client.append_event(log, {"id": "a", "n": 1})["duplicate"] is True
    client.append_event(log, {"n": 2}, idempotency_key="k")
    assert client.append_event(log, {"n": 2}, idempotency_key="k")["duplicate"] is True
    proxy.fault = every_second(LOSE)  # type: ignore[assignment]
    with Tally(proxy.url) as lossy:
        assert lossy.append_event(log, {"n": 2}, idempotency_key="k")["duplicate"] is True
        batch = lossy.append_events(log, [{"id": "a", "n": 1}, {"n": 3}])
    assert [duplicate["line"] for duplicate in batch["duplicates"]] == [1]
    assert batch["appended"] == 1


def test_busy_servers_are_asked_again(proxy: Proxy, client: Tally, log: str) -> None:
    proxy.fault = every_second(BUSY)  # type: ignore[assignment]
    with Tally(proxy.url) as busy:
        assert [busy.append_event(log, {"n": n})["sequence"] for n in range(5)] == [1, 2, 3, 4, 5]
        busy.create_log({"name": log + "-second"})  # nothing was done, says the server
    assert len(proxy.seen) == 12


def test_what_is_not_safe_is_not_sent_twice(proxy: Proxy, client: Tally, log: str) -> None:
    proxy.fault = lambda number, seen: LOSE
    with Tally(proxy.url, deadline=5) as lossy, pytest.raises(TallyError) as caught:
        lossy.create_log({"name": log + "-made"})
    assert caught.value.code == "connection"
    assert caught.value.status is None
    assert len(proxy.seen) == 1
    assert client.get_log(log + "-made")["sequence"] == 0  # it was made


@pytest.mark.parametrize(
    ("status", "code", "tries"),
    [
        (503, "outcome_unknown", 1),
        (503, "database_unavailable", 1),
        (503, "code_of_tomorrow", 1),
        (503, "busy", 2),
        (503, "too_many_verifications", 2),
        (429, "code_of_tomorrow", 2),
    ],
)
def test_what_is_not_safe_is_repeated_where_nothing_was_done(
    proxy: Proxy, client: Tally, log: str, status: int, code: str, tries: int
) -> None:
    refused = Answer(status, {"Retry-After": "0"}, b'{"code":"%s","detail":"perhaps"}' % code.encode())
    proxy.fault = every_second(refused)  # type: ignore[assignment]
    with Tally(proxy.url) as doubtful:
        assert doubtful.append_event(log, {"n": 1})["sequence"] == 1
        proxy.seen.clear()
        if tries == 2:
            doubtful.create_log({"name": log + "-doubt"})
        else:
            with pytest.raises(TallyError, match=code):
                doubtful.create_log({"name": log + "-doubt"})
    assert len(proxy.seen) == tries


@pytest.mark.parametrize(
    "answer", [Answer(503), Answer(500, {}, b"oops"), Answer(502), Answer(409, {"Retry-After": "0"})]
)
def test_nothing_else_is_asked_again(proxy: Proxy, log: str, answer: Answer) -> None:
    proxy.fault = lambda number, seen: answer
    with Tally(proxy.url) as client, pytest.raises(TallyError) as caught:
        client.append_event(log, {"n": 1})
    assert caught.value.status == answer.status
    assert len(proxy.seen) == 1


def test_the_deadline_holds(proxy: Proxy, log: str) -> None:
    proxy.fault = lambda number, seen: DROP
    with Tally(proxy.url, deadline=0.5) as client, pytest.raises(TallyError, match="no answer from"):
        client.append_event(log, {"n": 1})
    assert len(proxy.seen) > 1
    proxy.seen.clear()
    proxy.fault = lambda number, seen: Answer(503, {"Retry-After": "3600"}, b'{"code":"busy","detail":"much later"}')
    with Tally(proxy.url, deadline=30) as client, pytest.raises(TallyError, match="much later") as caught:
        client.append_event(log, {"n": 1})
    assert caught.value.retry_after == 3600
    assert len(proxy.seen) == 1  # the wait would pass the deadline


def test_never_before_retry_after(proxy: Proxy, log: str) -> None:
    import time

    times: list[float] = []

    def fault(number: int, seen: Seen) -> object:
        times.append(time.monotonic())
        return Answer(503, {"Retry-After": "1"}, b'{"code":"busy","detail":"later"}') if number == 1 else None

    proxy.fault = fault
    with Tally(proxy.url) as client:
        client.append_event(log, {"n": 1})
    assert times[1] - times[0] >= 1.0


def test_the_servers_word_comes_through(client: Tally, log: str) -> None:
    client.append_event(log, {"n": 1})
    with pytest.raises(TallyError) as caught:
        client.append_event(log, {"n": 2}, expected_sequence=0)
    error = caught.value
    assert (error.status, error.code, error.head) == (409, "sequence_mismatch", 1)
    assert error.request_id
    with pytest.raises(TallyError) as caught:
        client.append_events(log, [{"n": 1}, b"{", {"n": 3}])
    assert (caught.value.code, caught.value.line) == ("invalid_json", 2)
    with pytest.raises(TallyError) as caught:
        client.create_log({"name": log})
    assert caught.value.code == "name_taken"
    assert caught.value.log_id == client.get_log(log)["log_id"]


def test_line_breaks_make_no_other_number_of_events(client: Tally, log: str) -> None:
    pretty = b'{\n "a": 1\n}'
    assert client.append_events(log, [pretty, {"b": 2}])["appended"] == 2
    assert [raw(event) for event in client.events(log)] == [pretty, b'{"b":2}']
    for smuggled in (b'{"a":1},\n{"b":2}', b'{"a":1}\n{"b":2}', b"[\n]"):
        with pytest.raises(ValueError, match="event 2"):
            client.append_events(log, [pretty, smuggled])
    with pytest.raises(ValueError, match="white space"):
        client.append_events(log, [{"a": 1}, b"\n"])
    assert client.get_log(log)["sequence"] == 2


def test_batches_may_be_text(client: Tally, log: str) -> None:
    assert client.append_events(log, '{"n":1}\n{"n":2}\n')["appended"] == 2
    assert client.append_events(log, b'[{"n":3},{"n":4}]')["appended"] == 2
    assert [event["data"]["n"] for event in client.events(log)] == [1, 2, 3, 4]


def test_keys_may_have_any_letters(client: Tally, log: str) -> None:
    client.append_event(log, {"n": 1}, idempotency_key="schlüssel-☃")
    assert client.get_event(log, 1)["key"] == "schlüssel-☃"
    for key in ("a\r\nX-Other: 1", "a\nb"):
        with pytest.raises(ValueError, match="line break"):
            client.append_event(log, {"n": 1}, idempotency_key=key)
