"""What ``import tallystick`` costs: at most 100 ms more than Python itself."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 9
MOST = 0.1
#: Each takes longer than all of this package; they come with the first client, or never.
HEAVY = {
    "httpx",
    "httpcore",
    "anyio",
    "asyncio",
    "ssl",
    "h11",
    "certifi",
    "inspect",
    "email",
    "http",
    "logging",
    "tallystick._types",
}


def run(site: Path, program: str) -> tuple[float, str]:
    """Returns the processor time of a fresh interpreter, which does not depend on what else the machine does, and its output."""
    timed = f"import sys; sys.path.insert(0, {str(site)!r})\n{program}\nimport time\nprint(time.process_time(), *sorted(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-I", "-c", timed], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    seconds, _, modules = output.partition(" ")
    return float(seconds), modules


def test_importing_is_quick(site: Path) -> None:
    bare: list[float] = []
    whole: list[float] = []
    for _ in range(ROUNDS):  # interleaved, so that both meet the same machine
        bare.append(run(site, "pass")[0])
        whole.append(run(site, "from tallystick import Tally, TallyError")[0])
    cost = statistics.median(whole) - statistics.median(bare)
    assert cost <= MOST, f"{cost * 1_000:.0f} ms"


def test_nothing_heavy_is_imported(site: Path) -> None:
    ours = set(run(site, "from tallystick import Tally, TallyError")[1].split())
    assert "tallystick._sync" in ours
    # What Python's own start imports, as a site's .pth files may, is not ours.
    assert not (ours - set(run(site, "pass")[1].split())) & HEAVY
