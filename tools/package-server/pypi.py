#!/usr/bin/env python3
"""Packs the server's program for pip: a wheel of tallystick-server for each platform, which puts the program tally beside Python.

    pypi.py FOLDER VERSION PLATFORM=FILE...   such as linux/amd64=bin/tally, as GOOS/GOARCH; the wheels are written to FOLDER

With binaries of tools/build-release.sh. The version may be one of Git's tags (v1.2.3). The same binary makes the same bytes.
"""

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

# A static program needs no libc: it runs wherever the oldest of these wheels would, and on musl.
TAGS = {
    "linux/amd64": "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "linux/arm64": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "darwin/amd64": "macosx_12_0_x86_64",
    "darwin/arm64": "macosx_12_0_arm64",
}
ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = """# tallystick-server

The program `tally` of [Tallystick](https://github.com/tallystick/tallystick), a usage-metering engine, as a Python package:
`tally dev` serves with a PostgreSQL of its own, for development and tests. `tallystick.testing` starts it.
"""


def main() -> None:
    """Packs what the command line names."""
    if len(sys.argv) < 4:
        sys.exit("usage: pypi.py FOLDER VERSION PLATFORM=FILE...")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for binary in sys.argv[3:]:
        platform, _, file = binary.partition("=")
        if platform not in TAGS or not file:
            sys.exit(f"{binary}: must be one of {', '.join(TAGS)}, with = and a file, such as linux/amd64=bin/tally")
        print(pack(folder, normal(sys.argv[2]), TAGS[platform], Path(file)))


def normal(version: str) -> str:
    """Makes a version of PEP 440 of one of Git's tags, or of what Go names a commit without one."""
    match = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:-(alpha|beta|rc)\.?(\d+))?(.*)", version)
    if not match:
        sys.exit(f"{version} is no version such as v1.2.3")
    release, stage, number, rest = match.groups()
    if stage:
        return f"{release}{ {'alpha': 'a', 'beta': 'b', 'rc': 'rc'}[stage]}{number}"
    time = re.match(r"-(\d{14})-", rest)
    return f"{release}.dev{time[1]}" if time else release


def pack(folder: Path, version: str, tag: str, program: Path) -> Path:
    """Writes a wheel: the program, what describes it, and the hash of each."""
    info = f"tallystick_server-{version}.dist-info"
    metadata = (
        f"Metadata-Version: 2.4\nName: tallystick-server\nVersion: {version}\n"
        "Summary: The program tally of Tallystick, a usage-metering engine: a server for development and tests\n"
        "License-Expression: Apache-2.0\nLicense-File: LICENSE\nRequires-Python: >=3.8\n"
        "Project-URL: Source, https://github.com/tallystick/tallystick\n"
        f"Description-Content-Type: text/markdown\n\n{DESCRIPTION}"
    )
    tags = "".join(f"Tag: py3-none-{each}\n" for each in tag.split("."))
    files = {
        f"tallystick_server-{version}.data/scripts/tally": program.read_bytes(),
        f"{info}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: pypi.py\nRoot-Is-Purelib: false\n{tags}".encode(),
    }
    record = f"{info}/RECORD"
    lines = [f"{name},sha256={digest(data)},{len(data)}" for name, data in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    wheel = folder / f"tallystick_server-{version}-py3-none-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if "/scripts/" in name else 0o100644) << 16
            archive.writestr(entry, data)
    return wheel


def digest(data: bytes) -> str:
    """Returns a hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
