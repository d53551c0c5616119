from __future__ import annotations

import os
import platform
import subprocess
import sys
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


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that would be published."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CLIENT], check=True, capture_output=True
    )
    program = os.environ.get("TALLY_BINARY") or str(ROOT / "bin/tally")
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    packer = ROOT / "tools/package-server/pypi.py"
    subprocess.run(
        [sys.executable, packer, folder, "v0.1.0", f"{sys.platform}/{machine}={program}"],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="session")
def site(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is installed, without what it depends on."""
    folder = tmp_path_factory.mktemp("site")
    (wheel,) = wheels.glob("tallystick-*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel)]
    subprocess.run(install, check=True)
    return folder
