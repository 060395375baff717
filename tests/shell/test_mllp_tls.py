"""TLS on the MLLP port (rows M23 to M25, rule 16): certificates made here, sockets real, on both event loops."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import UnavailableError
from adapter.hl7.mllp import encode
from adapter.sinks.mllp_sender import MllpSender, code_of
from adapter.sources.envelope import Door, control_ids
from adapter.sources.greeting import Tls
from adapter.sources.mllp_server import MllpServer, Neighbours
from adapter.telemetry import Metrics
from tests.shell.certificates import NOW, Pem, issued

BODY = b"MSH|^~\\&|LAB|HOSP|C|D|20260102||ORU^R01|1|P|2.5\rPID|1||1\rNTE|1||" + b"x" * 300_000 + b"\r"


@dataclass
class Port:
    """A listener with TLS, what it kept, and whom it refused."""

    new_loop: Callable[[], asyncio.AbstractEventLoop]
    kept: list[RawMessage] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    strange: list[Any] = field(default_factory=list)

    async def put(self, message: RawMessage) -> Receipt:
        self.kept.append(message)
        return Receipt(len(self.kept), duplicate=False, acknowledgment=message.acknowledgment)

    def told(self, tls: Tls, client: ssl.SSLContext | None, *bodies: bytes, **options: Any) -> list[str]:
        """The codes that one sender hears."""

        async def main(port: int) -> list[str]:
            async with MllpSender("localhost", port, tls=client, seconds=10) as sender:
                return [code_of(await sender.send(body)) for body in bodies or (BODY,)]

        return self.during(tls, main, **options)

    def during(self, tls: Tls, walk: Callable[[int], Any], **options: Any) -> Any:
        async def main() -> Any:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: self.strange.append(context))
            door = Door("lab", "generic", lambda: NOW, control_ids(lambda: NOW))
            refused = lambda _feed, _peer, reason: self.refused.append(reason)  # noqa: E731 — one word of a test
            server = MllpServer(door, "localhost", 0, self.metrics, tls=tls, refused=refused, **options)
            await server.start(self)
            try:
                return await walk(server.address[1])
            finally:
                await server.stop()
                await asyncio.sleep(0.01)
                assert not server._connections
                assert not server._peers

        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(main())

    def counted(self, reason: str) -> bool:
        return f'adapter_tls_failures_total{{feed="lab",reason="{reason}"}} 1.0' in self.metrics.text().decode()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def port(request: pytest.FixtureRequest) -> Iterator[Port]:
    found = Port(request.param)
    yield found
    assert not found.strange


@dataclass(frozen=True)
class House:
    """Our own certificate, the hospital's authority, and a laboratory it vouches for."""

    ours: Pem
    authority: Pem
    lab: Pem


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("certificates")
    authority = issued(folder, "authority")
    return House(issued(folder, "adapter"), authority, issued(folder, "lab.hosp", authority))


def test_a_message_over_tls_is_stored_whole_and_answered(port: Port, house: House) -> None:
    assert port.told(house.ours.server(), house.ours.trusting()) == ["AA"]
    assert port.kept[0].body == BODY


def test_a_certificate_of_the_authority_lets_in(port: Port, house: House) -> None:
    assert port.told(house.ours.server(house.authority), house.ours.trusting(house.lab), BODY, BODY) == ["AA", "AA"]


def test_frames_that_come_with_the_end_of_the_handshake_are_answered(port: Port, house: House) -> None:
    """In TLS 1.3 a client may send before the server has seen its last flight."""
    bodies = b"".join(encode(BODY.replace(b"|1|P|", b"|%d|P|" % n, 1)) for n in range(20))

    async def walk(number: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("localhost", number, ssl=house.ours.trusting(house.lab))
        writer.write(bodies)
        found = [await reader.readuntil(b"\x1c\r") for _ in range(20)]
        writer.close()
        await writer.wait_closed()
        return found

    answers = port.during(house.ours.server(house.authority, {"lab.hosp": "LAB|HOSP"}), walk)
    assert [b"MSA|AA|%d\r" % n in one for n, one in enumerate(answers)] == [True] * 20


def test_m23_no_certificate_is_refused_and_counted(port: Port, house: House) -> None:
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(house.authority), house.ours.trusting())
    assert port.counted("no-certificate")
    assert port.refused == ["tls-no-certificate"]
    assert not port.kept


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"until": NOW - dt.timedelta(days=1)}, "expired"),
        ({"since": NOW + dt.timedelta(days=1)}, "not-yet-valid"),
        (None, "unknown-authority"),
    ],
    ids=["expired", "not yet valid", "unknown authority"],
)
def test_m24_a_certificate_that_does_not_hold_is_refused_and_counted(
    port: Port, house: House, tmp_path: Path, spoiled: dict[str, dt.datetime] | None, reason: str
) -> None:
    client = issued(tmp_path, "lab.hosp", house.authority if spoiled else None, **(spoiled or {}))
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(house.authority), house.ours.trusting(client))
    assert port.counted(reason)
    assert port.refused == [f"tls-{reason}"]
    assert not port.kept


def test_m24_a_certificate_that_is_pinned_to_nobody_is_refused(port: Port, house: House, tmp_path: Path) -> None:
    other = issued(tmp_path, "radiology.hosp", house.authority)
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(house.authority, {"lab.hosp": "LAB|HOSP"}), house.ours.trusting(other))
    assert port.counted("not-pinned")
    assert not port.kept


@pytest.mark.parametrize("by", ["name", "fingerprint"])
def test_a_pinned_certificate_sends_as_its_own_sender_alone(port: Port, house: House, by: str) -> None:
    pins = {"lab.hosp" if by == "name" else house.lab.sha256: "LAB|HOSP"}
    foreign = BODY.replace(b"|LAB|", b"|PHARMACY|", 1)
    said = port.told(house.ours.server(house.authority, pins), house.ours.trusting(house.lab), BODY, foreign, BODY)
    assert said == ["AA", "AA", "AA"]
    assert [one.quarantine for one in port.kept] == [None, "SENDER", None]


def test_m25_plain_text_on_a_tls_port_is_closed_and_counted(port: Port, house: House) -> None:
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(), None)
    assert port.counted("not-tls")


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated")
def test_an_old_protocol_is_refused(port: Port, house: House) -> None:
    old = house.ours.trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(), old)
    assert port.counted("old-version") or port.counted("left")
    assert not port.kept


def test_a_stranger_by_address_costs_no_handshake(port: Port, house: House) -> None:
    with pytest.raises(UnavailableError):
        port.told(house.ours.server(), house.ours.trusting(), neighbours=Neighbours((), only_listed=True))
    assert port.refused == ["peer-not-allowed"]


def test_who_says_nothing_is_let_go_when_we_stop(port: Port, house: House) -> None:
    async def walk(number: int) -> None:
        _, writer = await asyncio.open_connection("localhost", number)
        await asyncio.sleep(0.05)
        writer.close()

    port.during(house.ours.server(), walk)
