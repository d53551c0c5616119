"""Starts a server for tests: ``tally dev``, with a PostgreSQL of its own, in a temporary folder.

    with tallystick.testing.start() as server:
        tally = server.client()

The program is TALLY_BINARY, ``tally`` beside this Python (the wheel tallystick-server puts it there), or ``tally`` of PATH.
PostgreSQL must be installed, or can be downloaded by the program: see ``tally dev --help``. With pytest, the fixtures
``tally_server`` and ``tally`` are there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from ._sync import Tally

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._async import AsyncTally


class Server:
    """A server that runs. Its key is empty, since it asks for none, unless it was started with ``--keys``."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes], url: str, database_url: str) -> None:
        self._process = process
        self._log = log
        #: Its address, such as ``http://127.0.0.1:40929``.
        self.url = url
        #: Its PostgreSQL, as the superuser.
        self.database_url = database_url

    def client(self, **options: Any) -> Tally:
        """Returns a client of it; options are those of Tally."""
        return Tally(self.url, options.pop("key", ""), **options)

    def async_client(self, **options: Any) -> AsyncTally:
        """Returns a client for asyncio of it; options are those of AsyncTally."""
        from ._async import AsyncTally

        return AsyncTally(self.url, options.pop("key", ""), **options)

    def stop(self) -> None:
        """Stops it, and removes its database. May be called twice."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            if self._process.stdout:
                self._process.stdout.close()
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(*flags: str, timeout: float = 120.0) -> Server:
    """Starts a server on a free port of this machine, and returns when it serves.

    flags are more flags of ``tally dev``. The first start may take longer where PostgreSQL has to be downloaded: timeout, in
    seconds, bounds it. Raises RuntimeError with the end of the program's output when it does not start, and
    FileNotFoundError when there is no program. It ends with stop(), and with this process.
    """
    command = [
        binary(),
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--output",
        "json",
        "--temporary",
        "--until-stdin-ends",
        *flags,
    ]
    log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by stop
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        assert process.stdout  # noqa: S101 -- it is a pipe
        line = process.stdout.readline()
        address = json.loads(line)
        return Server(process, log, address["url"], address["database_url"])
    except (ValueError, KeyError, TypeError) as error:
        process.kill()
        process.wait()
        log.seek(0)
        output = log.read()[-2_000:].decode(errors="replace").strip()
        log.close()
        raise RuntimeError(f"{_shown(command)} did not start: {output or 'it said nothing'}") from error
    except BaseException:
        process.kill()
        raise
    finally:
        timer.cancel()


def binary() -> str:
    """Returns the path of the program. Raises FileNotFoundError, which says how to get it."""
    named = os.environ.get("TALLY_BINARY")
    if named:
        return named
    beside = Path(sysconfig.get_path("scripts")) / ("tally.exe" if sys.platform == "win32" else "tally")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("tally")
    if not found:
        raise FileNotFoundError("there is no program tally: pip install tallystick-server, or name it by TALLY_BINARY")
    return found


def _shown(command: Sequence[str]) -> str:
    return " ".join(command)
