"""SUSHI, offline: FSH → JSON. `python -m tests.profiles.sushi` (make profiles) rewrites what is committed; the diff is the review."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.fetched import modules

Json = dict[str, Any]

HERE = Path(__file__).parent
PROJECT = ROOT / "profiles" / "immunosep" / "fhir"
GENERATED = PROJECT / "fsh-generated" / "resources"
NODE = Path(os.environ.get("ADAPTER_PROFILE_TOOLS", ROOT / ".cache" / "profiles")) / "node"
DEFINITIONS = ("StructureDefinition-", "ValueSet-", "CodeSystem-", "SearchParameter-")
"""Of the 5,000 files of HL7's package of R4: what SUSHI looks names up in."""

DERIVED = ("snapshot", "mapping")
"""Members of a StructureDefinition that SUSHI takes over from HL7's."""
_WARNING = re.compile(r"(warn|error)\s")


def node_modules() -> Path:
    return modules(HERE / "node" / "package.json", NODE)


def generate(into: Path) -> dict[str, Json]:
    """File name → definition or example, with snapshots; nothing is asked of the network.

    Raises CalledProcessError for an error of SUSHI's, and for a warning other than that a package is not at hand that nothing here uses.
    """
    app = str(node_modules() / "fsh-sushi" / "dist" / "app.js")
    command = ["node", app, "build", str(PROJECT), "--snapshot", "--out", str(into)]
    surroundings = os.environ | {"HOME": str(_home()), "FPL_REGISTRY": "http://127.0.0.1:9"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    bad = [line for line in lines if _WARNING.match(line) and "automatically-provided" not in line]
    if done.returncode or bad:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return {path.name: json.loads(path.read_text()) for path in (into / "fsh-generated" / "resources").iterdir()}


def texts(made: dict[str, Json]) -> dict[str, str]:
    """What is committed: without snapshots, which are fifteen times as long and follow from it."""
    plain = {name: {k: v for k, v in one.items() if k not in DERIVED} for name, one in made.items()}
    return {name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in plain.items()}


def _home() -> Path:
    """A home whose package cache holds `hl7.fhir.r4.core`, which npm has by other names only."""
    package = NODE / "home" / ".fhir" / "packages" / "hl7.fhir.r4.core#4.0.1" / "package"
    if not (package / "package.json").exists():
        shutil.rmtree(package, ignore_errors=True)
        package.mkdir(parents=True)
        for path in (node_modules() / "hl7.fhir.r4.examples").glob("*.json"):
            if path.name.startswith(DEFINITIONS):
                shutil.copy(path, package)
        what = {"name": "hl7.fhir.r4.core", "version": "4.0.1", "fhirVersions": ["4.0.1"], "dependencies": {}}
        (package / "package.json").write_text(json.dumps(what))
    return NODE / "home"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = texts(generate(Path(folder)))
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir(parents=True)
    for name, content in found.items():
        (GENERATED / name).write_text(content)
    sys.stdout.write(f"{len(found)} files in {GENERATED.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
