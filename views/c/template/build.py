#!/usr/bin/env python3
"""Builds view.wasm from view.c and the kit in tally/.

The compiler is Zig's, one package that requirements.txt pins by its hash. It is
put into .toolchain the first time and gives the same bytes on every machine.
"""

import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
TOOLCHAIN = HERE / ".toolchain"
PYTHON = TOOLCHAIN / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

COMPILE = [
    "-target", "wasm32-freestanding", "-mcpu=mvp+bulk_memory+mutable_globals+sign_ext",
    "-std=c11", "-O2", "-flto", "-ffreestanding", "-Wall", "-Wextra", "-Wconversion", "-Werror",
    "-ffile-prefix-map=" + str(HERE) + "=.",
]
# The stack lies below everything else: running over it traps instead of overwriting.
LINK = ["-nostdlib", "-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=8192"]


def install():
    """Puts the compiler into .toolchain, again when requirements.txt has changed."""
    wanted = (HERE / "requirements.txt").read_text()
    installed = TOOLCHAIN / "installed"
    if installed.exists() and installed.read_text() == wanted:
        return
    venv.create(TOOLCHAIN, with_pip=True, clear=True)
    subprocess.run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary", ":all:", "--require-hashes", "-r", HERE / "requirements.txt"],
        check=True,
    )
    installed.write_text(wanted)


def build():
    cache = str(TOOLCHAIN / "cache")
    sources = ["view.c"] + sorted("tally/" + path.name for path in (HERE / "tally").glob("*.c"))
    subprocess.run(
        [PYTHON, "-m", "ziglang", "cc", *COMPILE, *LINK, "-o", "view.wasm", *sources],
        check=True, cwd=HERE, env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
    )
    (HERE / "view.wasm").chmod(0o644)


if __name__ == "__main__":
    try:
        install()
        build()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
