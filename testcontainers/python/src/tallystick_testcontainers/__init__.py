"""Runs Tallystick in a container, for tests of programs that use it.

    with TallystickContainer("tallystick/dev").with_log("acme") as container:
        container.get_client().append_event("acme", {"type": "call"})

The image has the server and its PostgreSQL in it, and is ready in about a second. It asks for no key, unless with_key is
given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick import AsyncTally, Tally
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TallystickContainer"]
__version__ = "0.1.0"

API_PORT = 8080
DATABASE_PORT = 5432
#: The image's own: docs/dev-image.md.
DATABASE_PASSWORD = "tally"  # noqa: S105
#: Bounds the start, in seconds, once the image is there; it takes a second, or many on a busy machine.
START_TIMEOUT = 120
POLL_INTERVAL = 0.02


class TallystickContainer(DockerContainer):
    """A server and its PostgreSQL. start, or a with block, returns once it is ready and has all that was asked for, in this
    order: views, so that logs have theirs from their first event, then logs.

    Settings of the server are environment variables, by with_env: docs/dev-image.md has them. Raises
    tallystick.TallyError, with the server's own words, where something is refused.
    """

    def __init__(self, image: str = "tallystick/dev", **kwargs: Any) -> None:
        super().__init__(image, **kwargs)
        self.with_exposed_ports(API_PORT, DATABASE_PORT)
        self.with_env("TALLY_ALLOW_HOST", "*")  # tests reach the server by whatever name their engine has
        ready = HttpWaitStrategy(API_PORT, "/readyz").for_status_code(200)
        self.waiting_for(ready.with_startup_timeout(START_TIMEOUT).with_poll_interval(POLL_INTERVAL))
        self._views: list[tuple[str, str, str | bytes, Any]] = []
        self._logs: list[tuple[str, dict[str, str] | None]] = []
        self._scopes: list[tuple[str, ...]] = []
        self._keys: list[str] = []
        self._clients: list[Tally] = []

    def with_view(
        self,
        logs: str,
        view: str,
        *,
        ready: str | None = None,
        module: str | os.PathLike[str] | None = None,
        config: Any = None,
    ) -> Self:
        """Deploys a view on all logs whose name matches a pattern, such as ``customer-*`` or ``*``, from their first event on.

        ready is the name of one that each server has built in, such as ``meter``; module is a ``.wasm`` file of your own.
        """
        if (ready is None) == (module is None):
            raise ValueError("a view is either a ready one or a module: give ready=, or module=")
        self._views.append((logs, view, Path(module).read_bytes() if module is not None else str(ready), config))
        return self

    def with_log(self, name: str, labels: Mapping[str, str] | None = None) -> Self:
        """Makes a log, with labels or none."""
        self._logs.append((name, None if labels is None else dict(labels)))
        return self

    def with_key(self, *scopes: str) -> Self:
        """Has the server ask for a key with each request, and makes one with these scopes: append, read, query, deploy,
        admin, operator. May be given more than once; get_keys has them in that order, and clients have the first."""
        if not scopes:
            raise ValueError("a key needs scopes: append, read, query, deploy, admin, operator")
        self._scopes.append(scopes)
        return self.with_env("TALLY_KEYS", "true")

    def start(self) -> Self:
        """Starts the container, waits until the server is ready, and makes what was asked for."""
        super().start()
        try:
            self._prepare()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """Closes the clients of get_client, and removes the container."""
        while self._clients:
            self._clients.pop().close()
        super().stop(force, delete_volume)

    def get_url(self) -> str:
        """Returns the server's address, such as ``http://localhost:32768``."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(API_PORT)}"

    def get_database_url(self) -> str:
        """Returns the address of the server's PostgreSQL, for its superuser. To read is fine: docs/sql.md says what there is."""
        address = f"{self.get_container_host_ip()}:{self.get_exposed_port(DATABASE_PORT)}"
        return f"postgres://postgres:{DATABASE_PASSWORD}@{address}/tally?sslmode=disable"

    def get_keys(self) -> list[str]:
        """Returns the keys that with_key asked for, in its order."""
        return list(self._keys)

    def get_key(self) -> str:
        """Returns the first key; empty where the server asks for none."""
        return self._keys[0] if self._keys else ""

    def get_client(self, **options: Any) -> Tally:
        """Returns a client, with the first key where there are keys; options are those of tallystick.Tally. It is closed when
        the container stops."""
        client = Tally(self.get_url(), options.pop("key", self.get_key()), **options)
        self._clients.append(client)
        return client

    def get_async_client(self, **options: Any) -> AsyncTally:
        """Returns a client for asyncio, likewise, which the caller closes."""
        return AsyncTally(self.get_url(), options.pop("key", self.get_key()), **options)

    def _prepare(self) -> None:
        self._keys = [self._make_key(f"testcontainers-{n}", *scopes) for n, scopes in enumerate(self._scopes, 1)]
        setup = ""
        if self._scopes and (self._views or self._logs):
            setup = self._make_key("testcontainers-setup", "append", "deploy")
        with Tally(self.get_url(), setup) as tally:
            for logs, view, what, config in self._views:
                if isinstance(what, bytes):
                    tally.deploy_module_pattern(view, what, logs=logs, config=config)
                elif config is None:
                    tally.deploy_view_pattern(view, {"ready": what}, logs=logs)
                else:
                    tally.deploy_view_pattern(view, {"ready": what, "config": config}, logs=logs)
            for name, labels in self._logs:
                tally.create_log({"name": name} if labels is None else {"name": name, "labels": labels})

    def _make_key(self, name: str, *scopes: str) -> str:
        """Has the program in the container make a key: it needs none for that, as whoever has the database."""
        done = self.exec(["tally", "key", "create", "--name", name, "--scopes", ",".join(scopes)])
        output = done.output.decode(errors="replace")
        for line in output.splitlines():
            if done.exit_code == 0 and line.startswith("tally_"):
                return line.strip()
        raise RuntimeError(f"a key with the scopes {', '.join(scopes)} could not be made: {output.strip()}")
