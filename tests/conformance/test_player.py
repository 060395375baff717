"""The player before receivers that do not behave: whatever they do, it comes to an end and knows which."""

import asyncio

from adapter.conformance.model import Door, Heard, Say
from adapter.conformance.player import Line, Where


def test_a_receiver_that_reads_no_further_is_known_to_be_stuck() -> None:
    called: list[asyncio.StreamWriter] = []

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(writer)

    async def main() -> bool:
        async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
            line = Line(Heard())
            await line.open(Where("127.0.0.1", server.sockets[0].getsockname()[1]), Door.PLAIN)
            await line.say(Say(b"x" * 50_000_000), 0.5)
            await line.leave("reset")
            called[0].transport.abort()
        return line.stuck

    assert asyncio.run(main())
