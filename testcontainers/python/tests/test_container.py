"""The module against a container engine and the image that TALLY_DEV_IMAGE names."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import docker  # type: ignore[import-untyped]
import pytest
from tallystick import TallyError

from tallystick_testcontainers import TallystickContainer

IMAGE = os.environ.get("TALLY_DEV_IMAGE", "tallystick/dev")
HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]


def test_what_was_asked_for_is_there() -> None:
    container = (
        TallystickContainer(IMAGE)
        .with_view("customer-*", "tokens", ready="meter", config={"value": "/tokens", "aggregations": ["sum"]})
        .with_view("*", "mine", module=ROOT / "views/dist/monthly_totals.wasm")
        .with_view("*", "calls", ready="meter")
        .with_log("customer-acme", {"plan": "gold"})
        .with_log("other")
    )
    with container:
        tally = container.get_client()
        assert tally.get_log("customer-acme")["labels"] == {"plan": "gold"}
        tally.append_event("customer-acme", {"type": "call", "tokens": 570})
        assert tally.query_view("customer-acme", "tokens").value["rows"][0]["sum"] == "570"
        assert {view["name"] for view in tally.list_views("other")["views"]} == {"mine", "calls"}
        assert container.get_key() == ""
        shown = re.fullmatch(
            r"postgres://postgres:tally@[\w.]+:(\d+)/tally\?sslmode=disable", container.get_database_url()
        )
        assert shown is not None
        with socket.create_connection((container.get_container_host_ip(), int(shown[1])), timeout=10) as connection:
            connection.sendall(
                b"\0\0\0\x08\x04\xd2\x16\x2f"
            )  # whether TLS is spoken: a question that PostgreSQL answers
            assert connection.recv(1) in (b"N", b"S")

        async def asynchronously() -> int:
            async with container.get_async_client() as tally:
                return (await tally.append_event("other", {"n": 1}))["sequence"]

        assert asyncio.run(asynchronously()) == 1
    with pytest.raises(RuntimeError, match="closed"):  # with the container
        tally.health()


def test_keys() -> None:
    container = (
        TallystickContainer(IMAGE)
        .with_key("append", "query")
        .with_key("read")
        .with_log("acme")
        .with_view("*", "n", ready="meter")
    )
    with container:
        assert len(set(container.get_keys())) == 2
        tally = container.get_client()
        tally.append_event("acme", {"n": 1})
        assert tally.query_view("acme", "n").value
        with pytest.raises(TallyError, match="missing_scope"):
            tally.get_event("acme", 1)
        assert container.get_client(key=container.get_keys()[1]).get_event("acme", 1)["data"] == {"n": 1}
        with pytest.raises(TallyError, match="unauthorized"):
            container.get_client(key="").get_log("acme")


def test_what_is_refused_is_said_and_leaves_nothing() -> None:
    container = TallystickContainer(IMAGE).with_view("*", "n", ready="no-such-view")
    with pytest.raises(TallyError, match="no-such-view"):
        container.start()
    with pytest.raises(docker.errors.NotFound):
        container.get_wrapped_container().reload()
    with pytest.raises(ValueError, match="either"):
        container.with_view("*", "n")
    with pytest.raises(ValueError, match="scopes"):
        container.with_key()


def test_the_readme_runs(tmp_path: Path) -> None:
    text = (HERE / "README.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_billing.py").write_text(block.replace("tallystick/dev", IMAGE))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, check=True, timeout=300
    )


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, HERE], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(tmp_path / "site"),
        str(wheel),
    ]
    subprocess.run(install, check=True, timeout=300)
    program = "import tallystick_testcontainers as t; print(t.__file__, t.TallystickContainer.__name__)"
    env = {**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT / 'openapi/clients/python/src'}"}
    done = subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert (tmp_path / "site/tallystick_testcontainers/py.typed").exists()
