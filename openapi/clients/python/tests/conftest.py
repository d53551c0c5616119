from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick import Tally
from tallystick.testing import Server, start

from .proxy import Proxy

CLIENT = Path(__file__).parents[1]
ROOT = CLIENT.parents[2]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with start() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Tally]:
    with server.client() as client:
        yield client


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of the server, without faults until a test sets some."""
    with Proxy(server.url) as proxy:
        yield proxy


_logs = 0


@pytest.fixture
def log(client: Tally, request: pytest.FixtureRequest) -> str:
    """A log of the test's own."""
    global _logs
    _logs += 1
    name = f"log-{_logs}"
    client.create_log({"name": name})
    return name
