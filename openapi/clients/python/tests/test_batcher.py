"""Batchers: each event that was added is acknowledged once, or reported once."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from tallystick import Tally, TallyError
from tallystick.testing import Server

from .proxy import DROP, LOSE, Answer, Proxy, Seen

Reported = list[tuple[str, list[bytes], TallyError]]


def keep(reported: Reported) -> object:
    return lambda log, events, error: reported.append((log, events, error))


def numbers(client: Tally, log: str) -> list[int]:
    return [event["data"]["n"] for event in client.events(log)]


def test_events_keep_their_order_through_faults(proxy: Proxy, client: Tally, log: str) -> None:
    faults = [LOSE, Answer(503, {"Retry-After": "0"}, b'{"code":"busy","detail":""}'), None, DROP, None]
    proxy.fault = lambda number, seen: faults[number % len(faults)]
    with Tally(proxy.url) as faulty, faulty.batcher(max_events=7, linger=0.01) as batcher:
        for n in range(100):
            batcher.add(log, {"n": n})
            if n % 30 == 0:
                time.sleep(0.02)
    assert numbers(client, log) == list(range(100))
    bodies: dict[str, bytes] = {}
    for seen in proxy.seen:  # each batch is fixed with its key
        assert bodies.setdefault(seen.headers["idempotency-key"], seen.body) == seen.body


def test_proxies_without_a_server_are_waited_for(proxy: Proxy, client: Tally, log: str) -> None:
    statuses = [502, 504, 503, 408]
    proxy.fault = lambda number, seen: Answer(statuses[number - 1]) if number <= len(statuses) else None
    reported: Reported = []
    with Tally(proxy.url) as behind, behind.batcher(on_failure=keep(reported)) as batcher:  # type: ignore[arg-type]
        for n in range(3):
            batcher.add(log, {"n": n})
    assert reported == []
    assert numbers(client, log) == [0, 1, 2]
    assert len({seen.headers["idempotency-key"] for seen in proxy.seen}) == 1


def test_threads_and_logs(server: Server, client: Tally, log: str) -> None:
    logs = [f"{log}-{n}" for n in range(12)]
    for name in logs:
        client.create_log({"name": name})

    def add(thread: int) -> None:
        for n in range(200):
            batcher.add(logs[n % len(logs)], {"n": thread * 1_000 + n})

    with client.batcher(max_events=20, max_buffer=20_000) as batcher:  # so that add must wait
        threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        batcher.flush(timeout=60)
        stored = Counter(n for name in logs for n in numbers(client, name))
    assert stored == Counter(thread * 1_000 + n for thread in range(4) for n in range(200))
    for name in logs:
        each = numbers(client, name)
        for number in range(4):
            mine = [n for n in each if n // 1_000 == number]
            assert mine == sorted(mine)


def test_one_batch_of_a_log_at_a_time(proxy: Proxy, client: Tally, log: str) -> None:
    under_way: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()
    two = threading.Barrier(2, timeout=20)

    def fault(number: int, seen: Seen) -> object:
        with lock:
            under_way[seen.path] += 1
            most[seen.path] = max(most[seen.path], under_way[seen.path])
        if number <= 2:
            two.wait()  # passes only if two logs go at once
        time.sleep(0.03)  # so that another batch of the log would be seen
        with lock:
            under_way[seen.path] -= 1
        return None

    proxy.fault = fault
    client.create_log({"name": log + "-b"})
    with Tally(proxy.url) as slow, slow.batcher(max_events=2) as batcher:
        for n in range(10):
            batcher.add(log, {"n": n})
            batcher.add(log + "-b", {"n": n})
    assert set(most.values()) == {1}
    assert numbers(client, log) == numbers(client, log + "-b") == list(range(10))


def test_a_bad_event_is_reported_and_the_others_are_sent(client: Tally, log: str) -> None:
    reported: Reported = []
    with client.batcher(on_failure=keep(reported), linger=30) as batcher:  # type: ignore[arg-type]
        for n in range(10):
            batcher.add(log, {"n": n} if n not in (3, 7) else f'{{"n": {n}')
        batcher.add(log, '{"n": 8},\n{"n": 9}')
        batcher.add(log, '{\n"n": 10\n}')
        batcher.add(log + "-none", {"n": 1})
        batcher.add(log + "-none", {"n": 2})
    assert numbers(client, log) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    found = sorted((name, events, error.code) for name, events, error in reported)
    assert found == [
        (log, [b'{"n": 3'], "invalid_json"),
        (log, [b'{"n": 7'], "invalid_json"),
        (log, [b'{"n": 8},\n{"n": 9}'], "invalid_json"),
        (log + "-none", [b'{"n":1}', b'{"n":2}'], "log_not_found"),
    ]


def test_without_a_callback_failures_are_raised(client: Tally, log: str) -> None:
    batcher = client.batcher()
    batcher.add(log + "-none", {"n": 1})
    with pytest.raises(TallyError, match="log_not_found"):
        batcher.flush()
    batcher.add(log + "-none", {"n": 1})
    with pytest.raises(TallyError, match="log_not_found"):
        batcher.close()
    assert batcher.close() == []
    with pytest.raises(TallyError, match="closed"):
        batcher.add(log, {"n": 1})


def test_a_callback_that_raises_stops_nothing(client: Tally, log: str) -> None:
    def fail(name: str, events: list[bytes], error: TallyError) -> None:
        raise RuntimeError("oh")

    with client.batcher(on_failure=fail) as batcher:
        batcher.add(log + "-none", {"n": 1})
        batcher.flush()
        batcher.add(log, {"n": 1})
    assert numbers(client, log) == [1]


def test_full_buffers(proxy: Proxy, client: Tally, log: str) -> None:
    held = threading.Event()
    proxy.fault = lambda number, seen: held.wait(30) and None
    with Tally(proxy.url) as slow:
        batcher = slow.batcher(max_buffer=1_000, wait=False, linger=0)
        added = 0
        with pytest.raises(TallyError, match="buffer_full"):  # noqa: PT012
            while True:
                batcher.add(log, {"n": added})
                added += 1
        with pytest.raises(ValueError, match="max_buffer"):
            batcher.add(log, {"text": "x" * 1_000})
        held.set()
        batcher.flush(timeout=30)
        batcher.add(log, {"n": added})
        batcher.close()
    assert numbers(client, log) == list(range(added + 1))


def test_close_reports_what_could_not_be_sent(proxy: Proxy, log: str) -> None:
    proxy.fault = lambda number, seen: DROP
    reported: Reported = []
    with Tally(proxy.url) as cut:
        batcher = cut.batcher(on_failure=keep(reported), max_events=10, linger=0.01)  # type: ignore[arg-type]
        for n in range(25):
            batcher.add(log, {"n": n})
        with pytest.raises(TimeoutError):
            batcher.flush(timeout=0.2)
        began = time.monotonic()
        left = batcher.close(deadline=0.5)
        assert time.monotonic() - began < 20
        assert batcher.close() == []
    sent = sorted(event for failure in left for event in failure.events)
    assert sent == sorted(b'{"n":%d}' % n for n in range(25))
    assert sorted(event for _, events, _ in reported for event in events) == sent
    assert {error.code for _, _, error in reported} == {"unsent"}


def test_nothing_is_lost_at_the_end_of_a_program(server: Server, client: Tally, log: str) -> None:
    import subprocess
    import sys

    program = f"""
from tallystick import Tally
batcher = Tally({server.url!r}, "").batcher(linger=60)
for n in range(50):
    batcher.add({log!r}, {{"n": n}})
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert numbers(client, log) == list(range(50))


@pytest.mark.parametrize("wrong", [{"max_events": 0}, {"max_events": 10_001}, {"max_bytes": (10 << 20) + 1}])
def test_batches_are_such_as_a_server_takes(client: Tally, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        client.batcher(**wrong)  # type: ignore[arg-type]
    client.batcher(max_events=10_000, max_bytes=10 << 20).close()
