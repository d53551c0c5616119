"""Brings the versions in ready/*.json up to date with the modules in dist/.

    versions.py            a module that was built anew replaces the last version; where that was released, it becomes the next one, and
                           the released one, as it is in the release's tag, is kept in earlier/
    versions.py 1.2.0      notes that release for the versions that have none: part of making a release
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

VIEWS = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = re.compile(r'("versions": \[\n).*?(\n  \])', re.DOTALL)


def digest(module: bytes) -> str:
    return hashlib.sha256(module).hexdigest()


def released(name: str, version: dict) -> bytes:
    """The module of a version, from the tag of its release."""
    tag = f"v{version['release']}"
    command = ["git", "-C", str(VIEWS), "show", f"{tag}:./dist/{name}.wasm"]
    module = subprocess.run(command, check=True, capture_output=True).stdout
    if digest(module) != version["module"]:
        sys.exit(f"ready/{name}.json: {tag} has another module, {digest(module)}, than the version that says it was in it")
    return module


def update(description: pathlib.Path, release: str) -> None:
    name, text = description.stem, description.read_text()
    versions = json.loads(text)["versions"]
    built = digest((VIEWS / "dist" / f"{name}.wasm").read_bytes())
    if versions[-1]["module"] != built:
        if "release" in versions[-1]:
            (VIEWS / "earlier" / f"{versions[-1]['module']}.wasm").write_bytes(released(name, versions[-1]))
            versions.append({})
        versions[-1] = {"module": built}
    if release:
        versions[-1].setdefault("release", release)
    lines = ",\n".join("    " + json.dumps(version) for version in versions)
    description.write_text(VERSIONS.sub(lambda found: found[1] + lines + found[2], text, count=1))


def main() -> None:
    for description in sorted((VIEWS / "ready").glob("*.json")):
        update(description, sys.argv[1] if len(sys.argv) > 1 else "")


main()
