"""Our own parser as a worker, read as the others are: `python -m benchmarks.peers.ours FILE`."""

import json
import sys
import time
from pathlib import Path

from adapter.hl7 import er7

OBX = ((3, 1), (3, 2), (5, 1), (6, 1), (11, 1), (14, 1))


def read(payload: bytes) -> list[str]:
    message = er7.parse(payload)
    pid = message.first("PID")
    found = [message.header.text(10), pid.text(3) if pid else ""]
    for line in message.all("OBX"):
        text = line.text
        found += [text(field, component) for field, component in OBX]
    return found


def main() -> None:
    """From the bytes of the wire: the others are given text that is decoded already."""
    payloads = [text.encode() for text in json.loads(Path(sys.argv[1]).read_text())]
    print(json.dumps([read(payload) for payload in payloads]), flush=True)
    for line in sys.stdin:
        seconds, done, count, began = float(line), 0, len(payloads), time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            read(payloads[done % count])
            done += 1
        print(done / spent, flush=True)


if __name__ == "__main__":
    main()
