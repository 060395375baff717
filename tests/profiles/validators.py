"""Two validators that know nothing of us or of each other: HL7's, in one JVM, and Medplum's, in one run of Node."""

import base64
import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.jars import BRIEF, fetched
from tests.profiles.sushi import HERE, node_modules

Json = dict[str, Any]
Issue = tuple[str, str, str]
"""Severity, where, what."""

OURS = "https://immunosep-adapter.invalid/fhir/StructureDefinition/"
BUNDLE = OURS + "decision-bundle"


class Hl7:
    """Every resource is judged by its own profiles, and a bundle by what its entries say of themselves as well."""

    def __init__(self, definitions: Path) -> None:
        classes = f"{fetched(HERE / 'java', 'profiles')}/*"
        command = ["java", *BRIEF, "-cp", classes, str(HERE / "java" / "Validator.java")]
        self._process = subprocess.Popen([*command, str(definitions)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def issues(self, resource: Json, profile: str = "-") -> list[Issue]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = base64.b64encode(json.dumps(resource).encode())
        self._process.stdin.write(b"%s %s\n" % (profile.encode(), text))
        self._process.stdin.flush()
        return [tuple(issue) for issue in json.loads(self._process.stdout.readline())]

    def errors(self, resource: Json, profile: str = "-") -> list[Issue]:
        return grave(self.issues(resource, profile))

    def close(self) -> None:
        self._process.communicate()


def medplum_errors(made: Iterable[Json], resources: Sequence[Json]) -> list[list[Issue]]:
    """For each resource what is wrong by R4 and by its profiles, required bindings excepted: they are not looked up.

    The entries of a bundle are judged one by one: slices by type (decision-bundle) it does not know.
    """
    definitions = [one for one in made if one["resourceType"] == "StructureDefinition"]
    texts = {json.dumps(one): one for resource in resources for one in _parts(resource)}  # much comes twice
    asked = [(one, said_by(one)) for one in texts.values()]
    script = [str(HERE / "node" / "medplum.mjs"), str(node_modules())]
    question = json.dumps({"ours": definitions, "asked": asked})
    answer = subprocess.run(["node", *script], input=question, capture_output=True, text=True, timeout=120, check=True)
    found = dict(zip(texts, json.loads(answer.stdout), strict=True))
    return [grave(issue for one in _parts(resource) for issue in found[json.dumps(one)]) for resource in resources]


def said_by(resource: Json) -> list[str]:
    """Its profiles of ours, without that of bundles."""
    named: list[str] = resource.get("meta", {}).get("profile", [])
    return [url for url in named if url.startswith(OURS) and url != BUNDLE]


def _parts(resource: Json) -> list[Json]:
    return [resource, *(entry["resource"] for entry in resource.get("entry", []))]


def grave(issues: Iterable[Sequence[str]]) -> list[Issue]:
    return [(severity, where, what) for severity, where, what in issues if severity in ("error", "fatal")]
