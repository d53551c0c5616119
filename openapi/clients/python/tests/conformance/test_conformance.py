"""Runs the cases that every SDK must pass: see openapi/clients/conformance/README.md.

TALLY_CONFORMANCE says by which client: sync (when absent) or async.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tallystick import TallyError

from .drivers import DRIVERS, described
from .values import argument, at, filled, load, matches

FOLDER = os.environ.get("CONFORMANCE_CASES")
PATIENCE = 30.0


def cases() -> list[dict[str, Any]]:
    if not FOLDER:
        return []
    found = [case for file in sorted(Path(FOLDER).glob("*.json")) for case in load(file.read_text())]
    return [case for case in found if re.search(os.environ.get("CONFORMANCE_ONLY", ""), case["name"])]


class Run:
    """One case under way."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.proxy = case.get("proxy", "direct")
        run = os.environ["CONFORMANCE_RUN"]
        name = f"{case['name']}-{run}"
        given = json.loads(os.environ.get("CONFORMANCE_VARIABLES") or "{}")
        self.variables: dict[str, Any] = {**given, "log": name, "name": name, "run": run}
        self.driver = DRIVERS[os.environ.get("TALLY_CONFORMANCE", "sync")]
        self.client = self.made({})
        self.started: dict[str, tuple[threading.Thread, list[BaseException]]] = {}

    def made(self, options: dict[str, Any]) -> Any:
        proxy = options.get("proxy", self.proxy)
        url = os.environ["TALLY_URL" if proxy == "direct" else f"CONFORMANCE_{proxy.upper()}_URL"]
        settings: dict[str, Any] = {name: options[name] for name in ("key", "tenant") if name in options}
        settings |= {name: float(options[name]) for name in ("timeout", "deadline") if name in options}
        return self.driver(url=url, **settings)

    def step(self, step: dict[str, Any]) -> None:
        for i in range(step.get("repeat", 1)):
            variables = {**self.variables, "i": i} if "repeat" in step else dict(self.variables)
            if "start" in step:
                self.start(step["start"], lambda step=step, variables=variables: self.once(step, variables))  # type: ignore[misc]
            elif step.get("until"):
                self.until(step, variables)
            else:
                self.once(step, variables)

    def start(self, name: str, work: Callable[[], None]) -> None:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                work()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.started[name] = thread, errors

    def join(self, name: str) -> None:
        thread, errors = self.started.pop(name)
        thread.join(90)
        assert not thread.is_alive(), f"the step {name} has not ended"
        if errors:
            raise errors[0]

    def until(self, step: dict[str, Any], variables: dict[str, Any]) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.once(step, variables)
            except (TallyError, AssertionError):
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def once(self, step: dict[str, Any], variables: dict[str, Any]) -> None:
        wanted_error = filled(step["error"], variables) if "error" in step else None
        try:
            answer = self.call(step, variables)
        except TallyError as error:
            if wanted_error is None:
                raise
            found = described(error)
            assert matches(wanted_error, found), f"{step['call']} failed with {found}, not {wanted_error}"
            return
        assert wanted_error is None, f"{step['call']} answered {answer}, and should have failed with {wanted_error}"
        if "want" in step:
            wanted = filled(step["want"], variables)
            assert matches(wanted, answer), f"{step['call']} answered {answer}, not {wanted}"
        for name, pointer in step.get("save", {}).items():
            self.variables[name] = at(pointer, answer)

    def call(self, step: dict[str, Any], variables: dict[str, Any]) -> Any:
        name = step["call"]
        args = argument(filled(step.get("args", {}), variables))
        if name == "$join":
            return self.join(args["step"])
        if name == "$wait":
            return time.sleep(float(args["seconds"]))
        if name == "$restart":
            return restart(args["how"])
        options = filled(step.get("client", {}), variables)
        if "tenant" in args and not name.endswith("-tenant"):
            options["tenant"] = args.pop("tenant")
        if not options:
            return self.client.call(name, args)
        client = self.made(options)
        try:
            return client.call(name, args)
        finally:
            client.close()


def restart(how: str) -> None:
    control = urlsplit(os.environ["CONFORMANCE_CONTROL_URL"])
    connection = http.client.HTTPConnection(control.netloc, timeout=120)
    connection.request("POST", f"{control.path.rstrip('/')}/restart?how={how}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 204, body


@pytest.mark.skipif(not FOLDER, reason="go run ./openapi/clients/conformance runs these")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    run = Run(case)
    try:
        for step in case["steps"]:
            run.step(step)
        for name in list(run.started):
            run.join(name)
    finally:
        run.client.close()
    with Path(os.environ["CONFORMANCE_REPORT"]).open("a") as report:
        report.write(case["name"] + "\n")
