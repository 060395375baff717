"""The process that is killed: a real MLLP listener over a real store. Arguments: the store's URL, its password, port."""

import asyncio
import sys
from datetime import UTC, datetime

from adapter.pipeline.receive import StoreInbox
from adapter.sources.envelope import Door, control_ids
from adapter.sources.mllp_server import MllpServer
from adapter.store.database import Database
from adapter.telemetry import Metrics


async def main(url: str, password: str, port: int) -> None:
    database = Database.open(url, password=password)
    database.migrate()
    store = StoreInbox(database)
    server = MllpServer(door(), "127.0.0.1", port, Metrics())
    await server.start(store)
    await asyncio.get_running_loop().create_future()


def door() -> Door:
    def clock() -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    return Door("lab", "generic", clock, control_ids(clock))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
