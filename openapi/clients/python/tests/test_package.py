"""What is published: the wheels and the sdist, installed from their files into clean environments, where the README is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tallystick.testing import Server

from .conftest import CLIENT, ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def environment(folder: Path, wheels: Path) -> dict[str, str]:
    """The environment of a person with pip alone, who finds our packages in a folder."""
    kept = {"HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "XDG_CACHE_HOME"}
    named = {
        name: value for name, value in os.environ.items() if name in kept or name.startswith(("PIP_", "TALLY_POSTGRES"))
    }
    links = f"{wheels} {named.get('PIP_FIND_LINKS', '')}".strip()
    return {
        **named,
        "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin",
        "PIP_FIND_LINKS": links,
        "PWD": str(folder),
    }


def run(command: list[str], folder: Path, wheels: Path, **settings: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment(folder, wheels), **settings},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall((CLIENT / "README.md").read_text()) if name == language]


def test_the_first_block_counts_an_event(wheels: Path, tmp_path: Path) -> None:
    script = blocks("sh")[0]
    assert (CLIENT / "README.md").read_text().index("```") == (CLIENT / "README.md").read_text().index("```sh")
    output = run(["/bin/bash", "-e", "-c", script], tmp_path, wheels)
    assert output.strip() == "[{'from': None, 'to': None, 'sum': '570'}]"
    assert [entry.name for entry in tmp_path.iterdir()] == ["venv"]


def test_the_other_blocks_run(server: Server, tmp_path: Path, wheels: Path, site: Path) -> None:
    parts = blocks("python")
    program = "\n".join(part for part in parts if "def test_" not in part)
    output = run([sys.executable, "-c", program], tmp_path, wheels, TALLY_URL=server.url, PYTHONPATH=str(site))
    assert "409 sequence_mismatch" in output
    assert re.search(
        r"^402 credits 9\.65\n429 limit_reached [0-9.]+\nthe receiver needs whsec_", output, re.MULTILINE
    ), output
    tests = [part for part in parts if "def test_" in part]
    assert len(tests) == 1
    (tmp_path / "test_metering.py").write_text(tests[0])
    binary = os.environ.get("TALLY_BINARY") or str(ROOT / "bin/tally")
    run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        tmp_path,
        wheels,
        TALLY_BINARY=binary,
        PYTHONPATH=str(site),
    )


def test_the_sdist_builds_the_same_wheel(wheels: Path, tmp_path: Path) -> None:
    sdist = next(wheels.glob("tallystick-*.tar.gz"))
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    build = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--wheel",
        "--outdir",
        str(tmp_path / "again"),
        str(unpacked),
    ]
    subprocess.run(build, check=True, capture_output=True)
    again = next((tmp_path / "again").glob("*.whl"))
    first = wheels / again.name
    assert contents(again) == contents(first)
    names = set(contents(first))
    assert {"tallystick/py.typed", "tallystick/_types.py", "tallystick/testing.py"} <= names
    assert not [name for name in names if not name.startswith(("tallystick/", "tallystick-0.1.0.dist-info/"))]
    assert first.stat().st_size < 100_000


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_types_reach_users(tmp_path: Path, wheels: Path, site: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from tallystick import AsyncTally, Tally\n"
        "from tallystick.types import Appended, View\n"
        "def use(tally: Tally) -> int:\n"
        "    appended: Appended = tally.append_event('log', {'n': 1}, expected_sequence=0)\n"
        "    view: View = tally.get_view('log', 'view')\n"
        "    tally.deploy_view('log', 'view', {'ready': 'quota', 'on_halt': 'refuse'})\n"
        "    tally.put_alert('low', {\n"
        "        'logs': 'a*', 'view': 'v', 'value': '/n', 'thresholds': ['5'], 'direction': 'at_most',\n"
        "    })\n"
        "    return appended['sequence'] + view['version']\n"
        "async def later(tally: AsyncTally) -> list[int]:\n"
        "    return [event['sequence'] async for event in tally.events('log')]\n"
    )
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from tallystick import Tally\n"
        "Tally().append_event('log')\n"
        "Tally().append_event('log', {}, idempotency='x')\n"
        "Tally().get_log('log')['nmae']\n"
        "Tally().deploy_view('log', 'view', {'raedy': 'meter'})\n"
        "Tally().deploy_view('log', 'view', {'ready': 'quota', 'on_halt': 'refsue'})\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    run([*mypy, "program.py"], tmp_path, wheels, MYPYPATH=str(site))
    done = subprocess.run(
        [*mypy, "wrong.py"], cwd=tmp_path, env={**os.environ, "MYPYPATH": str(site)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert [line.split(":")[1] for line in done.stdout.splitlines()[:-1] if "error" in line] == list("23456"), (
        done.stdout
    )
