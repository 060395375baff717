import asyncio
from collections import Counter
from datetime import UTC, datetime

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import UnavailableError
from adapter.hl7.mllp import encode
from adapter.sinks.mllp_sender import MllpSender, Pace, Summary, code_of, send_all, why
from adapter.sources.envelope import Door, control_ids
from adapter.sources.mllp_server import MllpServer
from adapter.telemetry import Metrics
from tests.ports import free_port

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Shelf:
    """An inbox that keeps things in memory, and refuses what says so."""

    def __init__(self) -> None:
        self.kept: list[RawMessage] = []

    async def put(self, message: RawMessage) -> Receipt:
        if b"REFUSE" in message.body:
            raise UnavailableError("no room")
        self.kept.append(message)
        return Receipt(len(self.kept), duplicate=False, acknowledgment=message.acknowledgment)


def oru(control_id: str) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20260102||ORU^R01|{control_id}|P|2.5\rPID|1||1\r".encode()


def sent(bodies: list[bytes], pace: Pace) -> tuple[Summary, Shelf, list[str]]:
    shelf, told = Shelf(), []

    async def main() -> Summary:
        server = MllpServer(Door("lab", "generic", lambda: AT, control_ids(lambda: AT)), "127.0.0.1", 0, Metrics())
        await server.start(shelf)
        summary = await send_all(bodies, lambda: MllpSender(*server.address, seconds=5), pace, told.append)
        await server.stop()
        return summary

    return asyncio.run(main()), shelf, told


def test_every_message_is_sent_once_over_all_connections() -> None:
    summary, shelf, told = sent([oru(str(n)) for n in range(50)], Pace(connections=4))
    assert summary.codes == Counter(AA=50)
    assert summary.accepted
    assert sorted(int(m.control_id) for m in shelf.kept) == list(range(50))
    assert told == ["AA"] * 50


def test_what_is_not_acknowledged_is_counted_and_the_rest_goes_on() -> None:
    summary, shelf, _ = sent([oru("1"), oru("2") + b"NTE|1||REFUSE\r", oru("3")], Pace())
    assert summary.codes == Counter(AA=2, none=1)
    assert not summary.accepted
    assert [m.control_id for m in shelf.kept] == ["1", "3"]


def wishing(control_id: str, accept: str, application: str) -> bytes:
    return oru(control_id).replace(b"|2.5\r", f"|2.5|||{accept}|{application}\r".encode())


def test_why_no_answer_came_is_told() -> None:
    ended, _, _ = sent([oru("1") + b"NTE|1||REFUSE\r"], Pace())
    assert ended.silences == Counter({"the connection ended": 1})
    nobody = asyncio.run(send_all([oru("1")] * 2, lambda: MllpSender("127.0.0.1", free_port()), Pace(), lambda _: None))
    assert nobody.silences == Counter({"Connection refused": 2})
    assert why(TimeoutError()) == "no answer in time"


def test_no_answer_is_awaited_where_none_is_owed() -> None:
    bodies = [
        wishing("1", "NE", "NE"),
        oru("2"),
        wishing("3", "ER", ""),
        wishing("4", "AL", ""),
        b"MSH|^~\\&|\rMSA|AA|9\r",
    ]
    summary, shelf, told = sent(bodies, Pace())
    assert told == ["not owed", "AA", "not owed", "CA", "not owed"]
    assert summary.accepted
    assert len(summary.latencies) == 2
    assert len(shelf.kept) == len(bodies)


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    async def main() -> bytes:
        async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for control_id in (b"1", b"2"):
                await reader.readuntil(b"\x1c\r")
                writer.write(encode(b"MSH|^~\\&|X\rMSA|AA|" + control_id + b"\r"))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer_all, "127.0.0.1", 0)
        async with server, MllpSender(*server.sockets[0].getsockname()[:2], seconds=5) as sender:
            assert await sender.send(wishing("1", "NE", "NE")) == b""
            return await sender.send(oru("2"))

    assert asyncio.run(main()).endswith(b"MSA|AA|2\r")


def test_a_rate_is_kept() -> None:
    summary, _, _ = sent([oru(str(n)) for n in range(11)], Pace(rate=50))
    assert summary.seconds >= 0.2


def test_the_summary_has_quantiles_and_a_rate() -> None:
    summary = Summary(Counter(AA=4), [0.001, 0.002, 0.003, 0.004], 2.0)
    assert summary.as_json()["latency_ms"] == {"p50": 3.0, "p95": 4.0, "p99": 4.0}
    assert summary.as_json()["rate"] == 2.0
    assert Summary().as_json()["rate"] == 0.0


def test_the_code_is_read_with_any_separator_and_segment_end() -> None:
    assert code_of(b"MSH|^~\\&|\rMSA|AE|1\r") == "AE"
    assert code_of(b"MSH#^~\\&#\nMSA#CA#1") == "CA"
    assert code_of(b"nonsense") == "none"
