"""Thousands of messages of other people's systems: nothing raises, and the ledger counts every OBX."""

import json
from datetime import UTC, datetime
from pathlib import Path

from adapter import assets
from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.screening.describe import as_json
from adapter.screening.interpret import interpret
from tests.builders import raw

NO_MESSAGES = {".md", ".csv", ".json"}
FRAMING = bytes((0x0B, 0x1C))


def test_every_foreign_message_is_accounted_for(shared_data: Path) -> None:
    rules = assets.load_rulebook(None, trials=[], production=False)
    seen = 0
    for path in sorted((shared_data / "hl7v2").rglob("*")):
        if not path.is_file() or path.suffix in NO_MESSAGES:
            continue
        body = path.read_bytes()
        for part in er7.split(body.translate(None, FRAMING)) if b"MSH" in body else ():
            for site in ("generic", "attikon"):
                try:
                    found = interpret(
                        raw(part, site=site, received=datetime(2026, 6, 1, tzinfo=UTC)), rules, message_id="1"
                    )
                except MalformedMessageError:
                    continue
                described = as_json(found, path.name)
                json.dumps(described, ensure_ascii=False).encode()
                obx = len(er7.parse(part).all("OBX"))
                buckets = sum(count for name, count in described["ledger"].items() if name != "observations")
                assert described["ledger"]["observations"] == buckets == obx, path
                seen += 1
    assert seen > 1000
