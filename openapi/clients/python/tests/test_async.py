"""AsyncTally: the same core, awaited."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tallystick import AsyncTally, Tally, TallyError
from tallystick.testing import Server

from .proxy import DROP, LOSE, Answer, Cut, Proxy


async def test_appends_reads_and_views(server: Server, client: Tally, log: str) -> None:
    async with server.async_client() as tally:
        assert (await tally.append_event(log, {"n": 1}))["sequence"] == 1
        await tally.append_events(log, [{"n": n} for n in range(2, 8)])
        assert [event["data"]["n"] async for event in tally.events(log, limit=2)] == list(range(1, 8))
        await tally.deploy_view(log, "totals", {"ready": "meter"})
        answers = tally.watch(log, "totals")
        first = await anext(answers)
        assert first.value == (await tally.query_view(log, "totals")).value
        assert [found["name"] async for found in tally.logs(prefix=log)] == [log]
        with pytest.raises(TallyError, match="name_taken"):
            await tally.create_log({"name": log})
        with pytest.raises(ValueError, match="no name"):
            await tally.get_log("..")


async def test_lost_answers_count_once(proxy: Proxy, client: Tally, log: str) -> None:
    proxy.fault = lambda number, seen: LOSE if number % 2 else None
    async with AsyncTally(proxy.url) as lossy:
        for n in range(1, 6):
            appended = await lossy.append_event(log, {"n": n})
            assert appended["sequence"] == n
            assert not appended.get("duplicate")
    assert client.get_log(log)["sequence"] == 5


async def test_many_at_once(server: Server, client: Tally, log: str) -> None:
    async with server.async_client() as tally:
        appended = await asyncio.gather(*(tally.append_event(log, {"n": n}) for n in range(50)))
    assert sorted(each["sequence"] for each in appended) == list(range(1, 51))


async def test_cut_tails_resume(proxy: Proxy, client: Tally, log: str) -> None:
    client.append_events(log, [{"n": n} for n in range(12)])
    proxy.fault = lambda number, seen: Cut(400) if number < 4 else None
    received = []
    async with AsyncTally(proxy.url) as cut:
        async for event in cut.tail(log, after=0):
            received.append(event["sequence"])
            if len(received) == 12:
                break
    assert received == list(range(1, 13))


async def test_a_cancelled_tail_ends(server: Server, client: Tally, log: str) -> None:
    async with server.async_client() as tally:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(anext(tally.tail(log)), 0.3)
        assert (await tally.get_log(log))["sequence"] == 0


async def test_batches_keep_their_order_through_faults(proxy: Proxy, client: Tally, log: str) -> None:
    faults = [LOSE, Answer(503, {"Retry-After": "0"}, b'{"code":"busy","detail":""}'), None, DROP, None]
    proxy.fault = lambda number, seen: faults[number % len(faults)]
    reported: list[str] = []
    async with (
        AsyncTally(proxy.url) as faulty,
        faulty.batcher(
            max_events=7,
            max_buffer=2_000,
            linger=0.01,
            on_failure=lambda log, events, error: reported.append(error.code),
        ) as batcher,
    ):
        await asyncio.gather(*(add(batcher, log, n) for n in range(60)))
        await batcher.add(log, b"[")
        await batcher.flush(timeout=60)
        for n in range(60, 100):
            await batcher.add(log, {"n": n})
    stored = [event["data"]["n"] for event in client.events(log)]
    assert Counter(stored) == Counter(range(100))
    assert stored[60:] == list(range(60, 100))
    assert reported == ["invalid_json"]


async def add(batcher: object, log: str, n: int) -> None:
    await batcher.add(log, {"n": n})  # type: ignore[attr-defined]


async def test_close_reports_what_could_not_be_sent(proxy: Proxy, log: str) -> None:
    proxy.fault = lambda number, seen: DROP
    reported: list[bytes] = []
    async with AsyncTally(proxy.url) as cut:
        batcher = cut.batcher(max_events=10, wait=False, on_failure=lambda log, events, error: reported.extend(events))
        for n in range(25):
            await batcher.add(log, {"n": n})
        left = await batcher.close(deadline=0.3)
        with pytest.raises(TallyError, match="closed"):
            await batcher.add(log, {})
    assert {failure.error.code for failure in left} == {"unsent"}
    assert sorted(reported) == sorted(b'{"n":%d}' % n for n in range(25))


async def test_a_full_buffer_fails_if_asked_to(proxy: Proxy, log: str) -> None:
    async with AsyncTally(proxy.url) as tally:
        batcher = tally.batcher(max_buffer=200, wait=False, linger=30)
        await batcher.add(log, {"n": 1})
        await batcher.add(log, {"n": 2})
        with pytest.raises(TallyError, match="buffer_full"):
            await batcher.add(log, {"n": 3})
        assert await batcher.close() == []
