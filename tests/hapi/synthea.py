"""Synthea's bundles as the resources of a hospital's server: of the types that are polled, and tied to nothing else."""

import gzip
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FOLDER = "fhir/synthea/library-api/src/test/resources/test-data/bundles"


def resources(folder: Path, kinds: tuple[str, ...], people: int) -> list[Json]:
    """Of the first so many people."""
    return [one for path in sorted(folder.glob("*.json.gz"))[:people] for one in _of(path, kinds)]


def _of(path: Path, kinds: tuple[str, ...]) -> list[Json]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        entries = [one for one in json.load(file)["entry"] if one["resource"]["resourceType"] in kinds]
    names = {one["fullUrl"]: f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}
    tied = [_tied(one["resource"], names) for one in entries]
    return sorted(tied, key=lambda one: kinds.index(one["resourceType"]))


def _tied(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict) and "reference" in node:
        return {"reference": names[node["reference"]]} if node["reference"] in names else None
    if isinstance(node, dict):
        return {key: kept for key, one in node.items() if (kept := _tied(one, names)) not in (None, {}, [])}
    if isinstance(node, list):
        return [kept for one in node if (kept := _tied(one, names)) not in (None, {})]
    return node
