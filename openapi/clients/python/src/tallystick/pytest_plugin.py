"""Fixtures for pytest: a server for the whole run, and a client of it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import Tally
    from .testing import Server


@pytest.fixture(scope="session")
def tally_server() -> Iterator[Server]:
    """A server of this run's own."""
    from .testing import start

    with start() as server:
        yield server


@pytest.fixture
def tally(tally_server: Server) -> Iterator[Tally]:
    """A client of tally_server."""
    with tally_server.client() as client:
        yield client
