"""python-hl7's own MLLP server, which acknowledges and keeps nothing: `python serve_python_hl7.py PORT`."""

import asyncio
import sys

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server


async def answer(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def main() -> None:
    async with await start_hl7_server(answer, host="127.0.0.1", port=int(sys.argv[1])) as server:
        print("ready", flush=True)
        await server.serve_forever()


asyncio.run(main())
