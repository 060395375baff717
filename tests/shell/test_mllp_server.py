"""The rows of reliability §3.1 on a real socket, with the real store behind it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import UnavailableError
from adapter.hl7.lines import BOM
from adapter.hl7.mllp import encode
from adapter.sources import connection
from adapter.sources.connection import Limits
from adapter.sources.envelope import Door, control_ids
from adapter.sources.mllp_server import MllpServer, Neighbours
from adapter.sources.turns import AT_ONCE, BIG
from adapter.telemetry import Metrics
from tests.shell.listening import AT, Peer, Walk, answer, codes, listening, oru


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., None]:
    """On both loops: the daemon runs on uvloop."""

    def runner(walk: Walk, **options: Any) -> None:
        async def main() -> None:
            async with listening(tmp_path, **options) as peer:
                await walk(peer)

        with asyncio.Runner(loop_factory=request.param) as loop:
            loop.run(main())

    return runner


Run = Callable[..., None]


def test_m01_a_frame_in_single_bytes_is_answered(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        for byte in encode(oru("1")):
            writer.write(bytes([byte]))
            await writer.drain()
        assert codes([await answer(reader)]) == ["AA 1"]
        writer.close()
        assert peer.bodies() == [oru("1")]

    run(walk)


def test_m02_m03_pipelined_frames_are_answered_in_their_order(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        frames = b"".join(encode(oru(str(n))) for n in range(200))
        assert codes(await peer.exchange(frames, 200)) == [f"AA {n}" for n in range(200)]
        assert [row[0] for row in peer.rows()] == [str(n) for n in range(200)]

    run(walk)


@pytest.mark.parametrize(
    ("before", "frame", "said"),
    [
        pytest.param(b"\r\n  \r\n\x00", encode(oru("1")), ["AA 1"], id="M04 noise between frames"),
        pytest.param(encode(oru("0"))[:-1], encode(oru("1")), ["AA 0", "AA 1"], id="M07 FS without CR"),
        pytest.param(b"", encode(oru("1", b"NTE|1||a\x1cb\r")), ["AA 1"], id="M08 FS inside data"),
        pytest.param(b"", encode(oru("1")[:-1]), ["AA 1"], id="M09 no CR before FS"),
        pytest.param(b"", encode(oru("1").replace(b"\r", b"\r\n")), ["AA 1"], id="M10 CRLF"),
        pytest.param(b"", encode(oru("1").replace(b"\r", b"\n")), ["AA 1"], id="M10 LF"),
        pytest.param(encode(b""), encode(oru("1")), ["AA 1"], id="M11 empty frame"),
        pytest.param(encode(b"\x06") + encode(b"\x15"), encode(oru("1")), ["AA 1"], id="M32 commit bytes"),
        pytest.param(b"", encode(BOM + oru("1")), ["AA 1"], id="M27 BOM"),
        pytest.param(b"", encode(oru("1", b"NTE|1||a\x00b\r")), ["AA 1"], id="M28 NUL"),
        pytest.param(b"", encode(oru("1", b"NTE|1||Ren\xe9\r")), ["AA 1"], id="M34 Latin-1"),
        pytest.param(encode(b"MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.3\rMSA|AA|1\r"), encode(oru("1")), ["AA 1"], id="M33 ACK"),
        pytest.param(b"", encode(oru("1") + oru("2")), ["AA 1"], id="two MSH in a frame"),
        pytest.param(b"", encode(b"BHS|^~\\&\r" + oru("1") + oru("2") + b"BTS|2\r"), ["AA 1", "AA 2"], id="batch"),
        pytest.param(b"", encode(BOM + b"BHS|^~\\&\r" + oru("1") + oru("2")), ["AA 1", "AA 2"], id="batch and BOM"),
        pytest.param(
            b"", encode(b"BHS|^~\\&\r" + oru("1") + b"BTS|1\rOBX|1\r"), ["AA 1"], id="a result behind a batch"
        ),
        pytest.param(b"", encode(oru("1", msh_more="|||AL|NE")), ["CA 1"], id="enhanced mode"),
        pytest.param(encode(oru("0", msh_more="|||NE|NE")), encode(oru("1")), ["AA 1"], id="no answer wanted"),
        pytest.param(b"", encode(oru("")), ["AA "], id="empty control id"),
    ],
)
def test_odd_frames_are_answered_and_the_next_good_one_too(
    run: Run, before: bytes, frame: bytes, said: list[str]
) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        writer.write(before + frame + encode(oru("good")))
        assert codes([await answer(reader) for _ in (*said, "good")]) == [*said, "AA good"]
        writer.close()

    run(walk)


def test_what_stands_outside_the_messages_of_a_batch_is_stored_too(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        await peer.exchange(encode(b"BHS|^~\\&\r" + oru("1") + b"BTS|1\rOBX|1|NM\r"), 1)
        assert [row[0] for row in peer.rows()] == ["1", ""]

    run(walk)


def test_two_messages_in_one_frame_are_both_stored(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        await peer.exchange(encode(oru("1") + oru("2")), 1)
        assert [row[0] for row in peer.rows()] == ["1", "2"]

    run(walk)


def test_each_message_of_a_batch_is_answered_in_the_mode_its_own_header_asks_for(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        modes = ("", "|||AL|NE", "|||NE|NE", "|||ER|NE", "|||SU|AL")
        parts = b"".join(oru(str(number), msh_more=mode) for number, mode in enumerate(modes))
        frame = encode(b"FHS|^~\\&\rBHS|^~\\&\r" + parts + b"BTS|5\rFTS|1\r")
        assert codes(await peer.exchange(frame + encode(oru("next")), 4)) == ["AA 0", "CA 1", "CA 4", "AA next"]
        assert [row[0] for row in peer.rows()] == ["0", "1", "2", "3", "4", "next"]

    run(walk)


def test_a_frame_of_two_whose_first_wants_no_answer_gets_none(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        frame = encode(oru("1", msh_more="|||NE|NE") + oru("2"))
        assert codes(await peer.exchange(frame + encode(oru("next")), 1)) == ["AA next"]
        assert [row[0] for row in peer.rows()] == ["1", "2", "next"]

    run(walk)


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.1\r\n" * 100, b"\x16\x03\x01" + b"\x00" * 2000])
def test_m05_another_protocol_is_closed_without_an_answer(run: Run, hello: bytes) -> None:
    async def walk(peer: Peer) -> None:
        assert await peer.exchange(hello, 1) == [b""]
        assert peer.rows() == []

    run(walk)


def test_m06_a_frame_begun_anew_is_quarantined_and_the_new_one_applied(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        assert codes(await peer.exchange(b"\x0bMSH|^~\\&|half" + encode(oru("1")), 1)) == ["AA 1"]
        assert peer.rows() == [("", "FRAME_TRUNC"), ("1", None)]

    run(walk)


def test_m12_a_peer_that_closes_inside_a_frame_gets_no_answer(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        assert await peer.exchange(b"\x0bMSH|^~\\&|half", 1, then_close=True) == [b""]
        assert await peer.settled(1) == [("", "FRAME_TRUNC")]

    run(walk)


def test_m13_a_frame_that_takes_too_long_is_cut_and_kept(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        writer.write(encode(oru("1")) + b"\x0bMSH|slow")
        assert codes([await answer(reader)]) == ["AA 1"]
        assert await answer(reader) == b""
        writer.close()
        assert peer.rows() == [("1", None), ("", "FRAME_TRUNC")]

    run(walk, limits=Limits(frame_seconds=0.6))


@pytest.mark.parametrize("leaves", [False, True], ids=["silence", "EOF"])
def test_m13_a_beginning_with_nothing_behind_it_is_closed(run: Run, leaves: bool) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        writer.write(b"\x0b")
        if leaves:
            writer.write_eof()
        assert await answer(reader) == b""
        writer.close()
        assert peer.rows() == []

    run(walk, limits=Limits(frame_seconds=30 if leaves else 0.6))


def test_m14_an_idle_connection_outlives_the_frame_limit(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        await asyncio.sleep(1.2)
        writer.write(encode(oru("1")))
        assert codes([await answer(reader)]) == ["AA 1"]
        writer.close()

    run(walk, limits=Limits(frame_seconds=0.5))


def test_a_frame_without_its_cr_ends_by_silence(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        assert codes(await peer.exchange(encode(oru("1"))[:-1], 1)) == ["AA 1"]

    run(walk)


def test_m15_a_dead_connection_does_not_block_a_new_one(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        _, dead = await peer.connect()
        dead.write(b"\x0bMSH|half")
        assert codes(await peer.exchange(encode(oru("1")), 1)) == ["AA 1"]
        dead.close()

    run(walk)


def test_m16_a_peer_has_twenty_connections_and_a_listed_one_a_hundred(run: Run, tmp_path: Path) -> None:
    async def count(peer: Peer) -> int:
        pairs = [await peer.connect() for _ in range(110)]
        for _, writer in pairs:
            writer.write(encode(oru("1")))
        found = [await answer(reader) for reader, _ in pairs]
        for _, writer in pairs:
            writer.close()
        return sum(1 for one in found if one)

    async def walk(peer: Peer) -> None:
        assert await count(peer) == 20
        await asyncio.sleep(0.1)
        assert codes(await peer.exchange(encode(oru("1")), 1)) == ["AA 1"]
        peer.server.neighbours = Neighbours((connection_network("127.0.0.0/8"),))
        await asyncio.sleep(0.1)
        assert await count(peer) == 100

    run(walk)


def connection_network(text: str) -> Any:
    import ipaddress

    return ipaddress.ip_network(text)


def test_m26_a_peer_that_is_not_listed_is_closed_before_it_is_read(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        assert await peer.exchange(encode(oru("1")), 1) == [b""]
        assert peer.rows() == []

    run(walk, neighbours=Neighbours(only_listed=True))


def test_m17_a_frame_of_many_megabytes_is_stored_whole(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        big = oru("1", b"OBX|2|ED|PDF^^L||" + b"A" * 9_000_000 + b"\r")
        assert codes(await peer.exchange(encode(big), 1)) == ["AA 1"]
        assert peer.bodies() == [big]

    run(walk)


def big(control_id: str, size: int = 2 * BIG) -> bytes:
    return encode(oru(control_id) + b"NTE|1||" + b"x" * size + b"\r")


def test_big_frames_take_turns_and_nobody_small_waits(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        talks = [await peer.connect() for _ in range(AT_ONCE + 2)]
        for number, (_, writer) in enumerate(talks):
            writer.write(big(str(number))[:-2])
        await asyncio.sleep(0.3)
        held = [connection._decoder.held for connection in peer.server._connections]
        assert sum(size > 2 * BIG for size in held) == AT_ONCE
        assert sum(held) < (AT_ONCE * 2 + 2 * 1.25) * BIG
        assert codes(await peer.exchange(encode(oru("small")), 1)) == ["AA small"]
        for _, writer in talks:
            writer.write(b"\x1c\r")
        assert codes([await answer(reader) for reader, _ in talks]) == [f"AA {number}" for number in range(len(talks))]
        for _, writer in talks:
            writer.close()

    run(walk)


def test_the_time_of_a_big_frame_does_not_run_while_it_waits_for_its_turn(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        frame = big("patient")
        reader, writer = await peer.connect()
        writer.write(frame[: BIG // 2])
        await asyncio.sleep(0.3)
        stalled = [await peer.connect() for _ in range(AT_ONCE)]
        for _, other in stalled:
            other.write(big("never")[:-2])
        await asyncio.sleep(0.2)
        writer.write(frame[BIG // 2 :])
        assert codes([await answer(reader)]) == ["AA patient"]
        assert [await answer(other) for other, _ in stalled] == [b""] * AT_ONCE
        for _, other in [*stalled, (reader, writer)]:
            other.close()

    run(walk, limits=Limits(frame_seconds=0.8))


def test_m18_m19_a_frame_over_the_limit_is_answered_ae_207_and_its_head_kept(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        big = oru("1", b"A" * 300_000)
        found = await peer.exchange(encode(big) + encode(oru("2")), 2)
        assert codes(found) == ["AE 1", "AA 2"]
        assert b"207" in found[0]
        assert peer.rows() == [("1", "TOO_BIG"), ("2", None)]
        assert len(peer.bodies()[0]) == 64 * 1024

    run(walk, limits=Limits(max_bytes=100_000))


def test_no_header_is_kept_and_answered_ae_100(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        found = await peer.exchange(encode(b"hello\r") + encode(oru("2")), 2)
        assert codes(found) == ["AE ", "AA 2"]
        assert b"100" in found[0]
        assert peer.rows() == [("", "NO_MSH"), ("2", None)]

    run(walk)


def test_m20_a_peer_that_never_reads_is_dropped_and_what_it_sent_is_stored(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        sock.setblocking(False)  # noqa: FBT003 — the library takes no name
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, peer.server.address)
        frames = b"".join(encode(oru(f"{n:09d}")) for n in range(60_000))
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(20):
                await loop.sock_sendall(sock, frames)
        sock.close()
        text = peer.server.metrics.text().decode()
        assert 'adapter_frame_errors_total{feed="lab",kind="write-timeout"} 1.0' in text
        assert codes(await peer.exchange(encode(oru("good")), 1)) == ["AA good"]

    run(walk, limits=Limits(write_seconds=0.3))


def test_m21_a_peer_that_closes_right_after_sending_is_stored(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        _, writer = await peer.connect()
        writer.write(encode(oru("1")))
        writer.close()
        assert await peer.settled(1) == [("1", None)]

    run(walk)


def test_m22_a_reset_inside_a_frame_is_quarantined(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        _, writer = await peer.connect()
        writer.write(b"\x0bMSH|half")
        await writer.drain()
        await asyncio.sleep(0.1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        assert await peer.settled(1) == [("", "FRAME_TRUNC")]

    run(walk)


def test_m29_an_undeclared_utf16_body_is_kept_and_refused_as_headless(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        found = await peer.exchange(encode(oru("1").decode().encode("utf-16-le")) + encode(oru("2")), 2)
        assert codes(found)[1] == "AA 2"

    run(walk)


def test_m30_a_frame_in_flight_is_finished_when_we_stop(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        frame = encode(oru("1"))
        writer.write(frame[:40])
        await writer.drain()
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(peer.server.stop())
        await asyncio.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            await peer.connect()
        writer.write(frame[40:])
        assert codes([await answer(reader)]) == ["AA 1"]
        await stopping
        assert await answer(reader) == b""
        writer.close()

    run(walk)


def test_m31_a_duplicate_replays_the_stored_answer_byte_for_byte(run: Run) -> None:
    async def walk(peer: Peer) -> None:
        first, second = await peer.exchange(encode(oru("1")) * 2, 2)
        (third,) = await peer.exchange(encode(oru("1")), 1)
        assert first == second == third
        assert peer.rows() == [("1", None)]

    run(walk)


class FullDisk:
    async def put(self, message: RawMessage) -> Receipt:
        raise UnavailableError("the disk is full — free space")


def test_what_could_not_be_stored_is_not_acknowledged_and_the_connection_closes(tmp_path: Path) -> None:
    async def main() -> None:
        door = Door("lab", "generic", lambda: AT, control_ids(lambda: AT))
        server = MllpServer(door, "127.0.0.1", 0, Metrics())
        await server.start(FullDisk())
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(encode(oru("1")) * 3)
        assert await answer(reader) == b""
        writer.close()
        await server.stop()

    asyncio.run(main())


class Later:
    """Holds what it is given, to see what the door does meanwhile."""

    def __init__(self) -> None:
        self.waiting: list[tuple[RawMessage, asyncio.Future[Receipt]]] = []

    async def put(self, message: RawMessage) -> Receipt:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append((message, future))
        return await future


def test_reading_stops_while_large_frames_are_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IN_HAND_BYTES", 200_000)

    async def main() -> None:
        later = Later()
        server = MllpServer(Door("lab", "generic", lambda: AT, control_ids(lambda: AT)), "127.0.0.1", 0, Metrics())
        await server.start(later)
        reader, writer = await asyncio.open_connection(*server.address)
        for n in range(20):
            writer.write(encode(oru(str(n), b"NTE|1||" + b"x" * 100_000 + b"\r")))
        await asyncio.sleep(0.3)
        assert len(later.waiting) == 2
        for n in range(20):
            async with asyncio.timeout(30):
                while len(later.waiting) <= n:  # noqa: ASYNC110 — the door tells nobody
                    await asyncio.sleep(0.01)
            message, future = later.waiting[n]
            future.set_result(Receipt(n, duplicate=False, acknowledgment=message.acknowledgment))
        assert codes([await answer(reader) for _ in range(20)]) == [f"AA {n}" for n in range(20)]
        writer.close()
        await server.stop()

    asyncio.run(main())


def test_answers_keep_their_order_though_the_second_is_stored_first_and_reading_stops_at_the_bound() -> None:
    async def main() -> None:
        later = Later()
        server = MllpServer(Door("lab", "generic", lambda: AT, control_ids(lambda: AT)), "127.0.0.1", 0, Metrics())
        await server.start(later)
        reader, writer = await asyncio.open_connection(*server.address)
        for n in range(2000):
            writer.write(encode(oru(str(n), b"NTE|1||" + b"x" * 5000 + b"\r")))
        await asyncio.sleep(0.3)
        assert connection.IN_HAND <= len(later.waiting) < 200
        for message, future in reversed(later.waiting[:10]):
            future.set_result(Receipt(1, duplicate=False, acknowledgment=message.acknowledgment))
        found = [await answer(reader) for _ in range(10)]
        assert codes(found) == [f"AA {n}" for n in range(10)]
        writer.transport.abort()
        for _, future in later.waiting:
            if not future.done():
                future.set_exception(UnavailableError("gone"))
        await server.stop()

    asyncio.run(main())
