"""python-hl7's own MLLP server, as its documentation shows it: every message that it reads is answered AA."""

import asyncio
import sys

import hl7.mllp


async def answer(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def main() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with await hl7.mllp.start_hl7_server(answer, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
