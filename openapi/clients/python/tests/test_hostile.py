"""Answers that Tallystick would not give: a TallyError each, without the key in it, and without taking forever."""

from __future__ import annotations

import gzip
import os
import pickle
import socket
import threading
import time

import pytest

from tallystick import Tally, TallyError

from .proxy import Answer, Proxy

KEY = "tally_0123456789abcdef_secret"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>hello",
        b"[]",
        b"null",
        b"{}",
        b'{"sequence":"1"}',
        b'{"sequence":1}x',
        b'{"sequence":NaN}',
        b"\xff\xfe\x00",
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b'{"sequence":1',
    ],
)
def test_strange_successes(proxy: Proxy, body: bytes) -> None:
    proxy.fault = lambda number, seen: Answer(200, {}, body)
    with Tally(proxy.url, KEY) as tally:
        with pytest.raises(TallyError) as caught:
            tally.append_event("log", {"n": 1})
        assert caught.value.code == "invalid_response"
        assert caught.value.status == 200
        for read in (lambda: list(tally.events("log")), lambda: tally.get_event("log", 1)):
            with pytest.raises(TallyError, match="invalid_response"):
                read()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"code":"x","detail":["no text"]}', "x"),
        (400, b'{"code":7,"detail":"d"}', "unknown"),
        (418, b"\x1b[2Jboo\r\nTally: all is well", "unknown"),
        (500, b"x" * 3_000_000, "unknown"),
        (404, b"[" * 200_000, "unknown"),
        (301, b"", "invalid_response"),
    ],
)
def test_strange_refusals(proxy: Proxy, status: int, body: bytes, code: str) -> None:
    proxy.fault = lambda number, seen: Answer(status, {"Location": "http://127.0.0.1:1/"}, body)
    with Tally(proxy.url, KEY) as tally, pytest.raises(TallyError) as caught:
        tally.append_event("log", {"n": 1})
    assert (caught.value.status, caught.value.code) == (status, code)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3_000
    assert len(proxy.seen) == 1  # a redirect is not followed with the key


@pytest.mark.parametrize(
    "member", ['"line":"x"', '"head":true', '"sequence":[]', '"fields":{"a":1}', '"fields":[1]', '"log_id":5']
)
def test_strange_members(proxy: Proxy, member: str) -> None:
    proxy.fault = lambda number, seen: Answer(400, {}, f'{{"code":"c","detail":"d",{member}}}'.encode())
    with Tally(proxy.url) as tally, pytest.raises(TallyError) as caught:
        tally.append_event("log", {"n": 1})
    error = caught.value
    assert (error.line, error.head, error.sequence, error.log_id, error.fields) == (None, None, None, None, [])


@pytest.mark.parametrize("after", ["-1", "x", "1e9", "٣", "Sun, 99 Foo", "", "nan"])
def test_strange_retry_after(proxy: Proxy, after: str) -> None:
    proxy.fault = lambda number, seen: Answer(
        503, {"Retry-After": after.encode().decode("latin-1")}, b'{"code":"busy"}'
    )
    with Tally(proxy.url, deadline=2) as tally, pytest.raises(TallyError) as caught:
        tally.append_event("log", {"n": 1})
    assert caught.value.retry_after is None
    assert len(proxy.seen) == 1


def test_dates_and_years_of_retry_after(proxy: Proxy) -> None:
    proxy.fault = lambda number, seen: Answer(
        503, {"Retry-After": "9" * 400 if number == 1 else "Wed, 21 Oct 2015 07:28:00 GMT"}
    )
    with Tally(proxy.url, deadline=0.5) as tally:
        with pytest.raises(TallyError) as caught:
            tally.health()
        assert caught.value.retry_after == 3_600
        with pytest.raises(TallyError) as caught:
            tally.health()
        assert caught.value.retry_after == 0
    assert len(proxy.seen) > 2


def test_pages_that_never_end(proxy: Proxy) -> None:
    proxy.fault = lambda number, seen: Answer(200, {}, b'{"logs":[],"next_cursor":"x"}')
    with Tally(proxy.url) as tally, pytest.raises(TallyError, match="leads nowhere"):
        list(tally.logs())


def test_what_expands_too_far(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick._sync.MAX_RESPONSE_BYTES", 1 << 20)
    bomb = gzip.compress(b" " * (64 << 20))
    proxy.fault = lambda number, seen: Answer(200, {"Content-Encoding": "gzip"}, bomb)
    with Tally(proxy.url, deadline=1) as tally, pytest.raises(TallyError, match="more than 1048576 bytes"):
        tally.create_log({"name": "x"})


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Tally(url, timeout=0.2, deadline=0.5) as tally:
            began = time.monotonic()
            with pytest.raises(TallyError) as caught:
                tally.health()
            assert caught.value.code == "connection"
            assert time.monotonic() - began < 30


def test_a_server_that_drips() -> None:
    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.02)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Tally(url, timeout=0.3, deadline=0.3) as tally, pytest.raises(TallyError, match="too long"):
            tally.health()
        thread.join(30)
        assert not thread.is_alive()


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Tally(f"http://127.0.0.1:{port}", KEY, deadline=0.2) as tally, pytest.raises(TallyError) as caught:
        tally.health()
    error = caught.value
    assert "tally dev" in str(error)
    assert f"127.0.0.1:{port}" in str(error)
    assert error.__cause__ is not None
    assert KEY not in repr(tally) + str(error) + repr(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, str(copy)) == (error.code, str(error))


def test_a_key_is_asked_for(proxy: Proxy) -> None:
    proxy.fault = lambda number, seen: Answer(401, {}, b'{"code":"unauthorized","detail":"no"}')
    with Tally(proxy.url, "") as tally, pytest.raises(TallyError, match="TALLY_KEY"):
        tally.get_log("x")
    assert "authorization" not in proxy.seen[0].headers


@pytest.mark.parametrize(
    "url", ["", "localhost:8080", "ftp://x", "http://", "http://a:b@c/", "http://x/?a=b", "http://x/#a"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="no address") as caught:
        Tally(url)
    assert "a:b@" not in str(caught.value)


def test_settings_from_the_environment(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_URL", proxy.url + "/")
    monkeypatch.setenv("TALLY_KEY", KEY)
    proxy.fault = lambda number, seen: Answer(200, {}, b'{"status":"ok","new":1}')
    with Tally(user_agent="app/1", tenant="t", actor="a") as tally:
        assert tally.health() == {"status": "ok", "new": 1}  # members that nobody knows do no harm
    headers = proxy.seen[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"] == "tally-python/0.1.0 app/1"
    assert (headers["tally-tenant"], headers["tally-actor"]) == ("t", "a")
    assert proxy.seen[0].path == "/healthz"
    with pytest.raises(ValueError, match="line break"):
        Tally(key="a\nb: c")
    with pytest.raises(ValueError, match="timeout"):
        Tally(timeout=0)
    assert os.environ["TALLY_KEY"] == KEY
