"""Tails and watches: each event once and in order, whatever becomes of connections."""

from __future__ import annotations

import threading
import time
from itertools import islice

import pytest

from tallystick import Tally, TallyError, WatchedAnswer, raw
from tallystick._sse import Message, Messages

from .proxy import Answer, Cut, Proxy

EVENTS = {"Content-Type": "text/event-stream", "Connection": "close"}


@pytest.mark.parametrize("size", [0, 90, 250, 700])
def test_cut_tails_resume(proxy: Proxy, client: Tally, log: str, size: int) -> None:
    client.append_events(log, [{"n": n} for n in range(32)])
    proxy.fault = lambda number, seen: Cut(size if number == 2 else size + 190) if number < 5 else None
    with Tally(proxy.url) as cut:
        events = list(islice(cut.tail(log, after=2), 30))
    assert [event["sequence"] for event in events] == list(range(3, 33))
    assert raw(events[0]) == b'{"n":2}'
    assert len(proxy.seen) == 5


def test_a_tail_begins_at_the_head(client: Tally, log: str) -> None:
    client.append_event(log, {"n": 0})
    received: list[int] = []
    ready = threading.Event()

    def follow() -> None:
        for event in client.tail(log, type="wanted"):
            received.append(event["data"]["n"])
            ready.set()
            if len(received) >= 3:
                return

    thread = threading.Thread(target=follow)
    thread.start()
    n = 0
    while not ready.is_set():  # until the tail is there
        n += 1
        client.append_events(log, [{"n": n, "type": "wanted"}, {"n": -n, "type": "other"}])
        time.sleep(0.05)
    client.append_events(log, [{"n": n + 1, "type": "wanted"}, {"n": n + 2, "type": "wanted"}])
    thread.join(30)
    assert not thread.is_alive()
    assert received == list(range(received[0], received[0] + 3))
    assert received[0] > 0


def test_a_tail_ends_where_the_server_refuses(client: Tally, log: str) -> None:
    with pytest.raises(TallyError, match="log_not_found"):
        next(client.tail(log + "-none"))
    with pytest.raises(TallyError) as caught:
        next(client.tail(log, after=17))
    assert (caught.value.code, caught.value.head) == ("unknown_event_id", 0)


def test_silence_is_noticed(proxy: Proxy, client: Tally, log: str) -> None:
    client.append_event(log, {"n": 1})
    silent = threading.Event()
    proxy.fault = lambda number, seen: silent.wait(20) and None if number == 1 else None
    with Tally(proxy.url, silence=0.3) as impatient:
        assert next(impatient.tail(log, after=0))["sequence"] == 1
    silent.set()
    assert len(proxy.seen) == 2


def test_an_end_is_a_reason_to_come_back(proxy: Proxy, client: Tally, log: str) -> None:
    client.append_events(log, [{"n": 1}, {"n": 2}])
    end = b'retry: 10\nid: 1\n\nevent: end\ndata: {"status":503,"code":"stopping"}\n\n'
    answers = [
        Answer(200, EVENTS, end),
        Answer(200, EVENTS, end),
        Answer(503, {"Retry-After": "0"}, b'{"code":"busy"}'),
    ]
    proxy.fault = lambda number, seen: answers[number - 1] if number <= len(answers) else None
    troubles: list[TallyError] = []
    with Tally(proxy.url) as tally:
        assert next(tally.tail(log, after=0, on_trouble=troubles.append))["sequence"] == 2
    assert [(each.status, each.code) for each in troubles] == [(503, "stopping"), (503, "stopping"), (503, "busy")]
    assert [seen.headers.get("last-event-id") for seen in proxy.seen] == ["0", "1", "1", "1"]


def test_a_refused_tail_is_tried_for_as_long_as_the_deadline(proxy: Proxy, log: str) -> None:
    proxy.fault = lambda number, seen: Answer(
        503, {"Retry-After": "0"}, b'{"code":"too_many_watchers","detail":"full"}'
    )
    with Tally(proxy.url, deadline=0.5) as tally, pytest.raises(TallyError, match="too_many_watchers"):
        next(tally.tail(log))
    assert len(proxy.seen) > 1


def test_watching(proxy: Proxy, client: Tally, log: str) -> None:
    client.append_event(log, {"type": "x"})
    client.deploy_view(log, "totals", {"ready": "meter"})
    proxy.fault = lambda number, seen: Cut(600) if number < 3 else None
    troubles: list[TallyError] = []
    with Tally(proxy.url) as tally:
        answers = tally.watch(log, "totals", on_trouble=troubles.append)
        seen = [next(answers)]
        for n in range(4):
            client.append_event(log, {"n": n})
            seen.append(next(answers))
    assert {each.code for each in troubles} == {"connection"}
    assert all(isinstance(answer, WatchedAnswer) and answer.problem is None for answer in seen)
    assert [answer.sequence for answer in seen] == [1, 2, 3, 4, 5]
    assert client.query_view(log, "totals").value == seen[-1].value


def test_messages_are_read_as_the_standard_says() -> None:
    stream = (
        "\ufeff: comment\nid: 1\n\nevent: a\r\ndata: x\r\ndata:  y\r\n\r\ndata\n\nid: 2\0\nid\ndata: z\r\rretry: 1500\n"
        "retry: no\nunknown: 1\nid: 7\ndata: cut"
    ).encode()
    expected = [Message("a", "x\n y", "1"), Message("message", "", "1"), Message("message", "z", "")]
    for size in range(1, len(stream) + 1):
        messages = Messages()
        found = [m for at in range(0, len(stream), size) for m in messages.feed(stream[at : at + size])]
        assert found == expected
        assert messages.last_id == ""  # the id of a message that was cut is none
        assert messages.retry == 1.5


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"Content-Type": "text/html"}, b"<html>welcome to the hotel"),
        Answer(200, EVENTS, b"event: event\ndata: {]\n\n"),
        Answer(200, EVENTS, b"event: event\ndata: [1]\n\n"),
        Answer(200, EVENTS, b'event: event\ndata: {"sequence":"x","data":{}}\n\n'),
        Answer(200, EVENTS, b"data: " + b"x" * (17 << 20)),
        Answer(200, EVENTS, b"event: event\ndata: " + b"[" * 500_000 + b"\n\n"),
        Answer(302, {"Location": "http://127.0.0.1:1/"}),
        Answer(404, {}, b"\xff\xfe"),
    ],
)
def test_strange_streams_end(proxy: Proxy, log: str, answer: Answer) -> None:
    proxy.fault = lambda number, seen: answer
    with Tally(proxy.url) as tally, pytest.raises(TallyError) as caught:
        next(tally.tail(log, after=0))
    assert caught.value.code in ("invalid_response", "unknown")
    assert len(proxy.seen) == 1
