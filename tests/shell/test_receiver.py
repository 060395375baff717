"""Rules of a receiver that engines and their operators rely on beyond framing: connections, answers, counts, the line a message."""

import asyncio
import io
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import telemetry
from adapter.daemon.certificates import Certificate, alarms, findings
from adapter.daemon.figures import figures
from adapter.daemon.health import Pulse
from adapter.daemon.refusals import Refusals
from adapter.domain.message import MessageKind, RawMessage
from adapter.hl7.er7 import parse
from adapter.hl7.mllp import encode
from adapter.sources.connection import Limits
from adapter.sources.envelope import control_ids
from adapter.sources.mllp_server import KEEPALIVE, MllpServer
from adapter.sources.senders import Senders
from adapter.store import audit, inbox_put, quarantine
from adapter.store.space import Marks, Space
from adapter.telemetry import MessageLog, Metrics
from tests import stores
from tests.shell.listening import AT, Peer, answer, codes, listening, oru
from tests.walking import NOW, House, open_house

LAB_ONLY = {"senders": Senders(frozenset({"LAB|HOSP"}))}
STRANGER = oru("X").replace(b"|LAB|", b"|PHARMACY|", 1)


def walked(tmp_path: Path, walk: Callable[[Peer], Any], **options: Any) -> None:
    async def main() -> None:
        async with listening(tmp_path, **options) as peer:
            await walk(peer)

    asyncio.run(main())


# --- connections ----------------------------------------------------------------------------------------------------------


def test_a_peer_that_connects_for_each_message_is_served_as_often_as_it_comes(tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        for n in range(60):
            assert codes(await peer.exchange(encode(oru(str(n))), 1)) == [f"AA {n}"]
        assert [row[0] for row in peer.rows()] == [str(n) for n in range(60)]

    walked(tmp_path, walk)


def test_keep_alive_finds_a_dead_peer_within_a_minute(tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        _, writer = await peer.connect()
        while not peer.server._connections:  # noqa: ASYNC110 — the server tells nobody
            await asyncio.sleep(0.01)
        (ours,) = peer.server._connections
        sock = ours._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        found = {option: sock.getsockopt(socket.IPPROTO_TCP, option) for option, _ in KEEPALIVE}
        assert found == dict(KEEPALIVE)
        idle, interval, count = (value for _, value in KEEPALIVE)
        assert idle + interval * count <= 60
        writer.close()

    walked(tmp_path, walk)


def test_a_silent_connection_is_closed_only_where_the_source_says_when(tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        for n in range(3):
            writer.write(encode(oru(str(n))))
            assert codes([await answer(reader)]) == [f"AA {n}"]
            await asyncio.sleep(0.2)
        assert await reader.read() == b""
        assert 'kind="idle"} 1.0' in peer.server.metrics.text().decode()
        writer.close()

    walked(tmp_path, walk, limits=Limits(idle_seconds=0.4))


def test_idle_is_off_unless_it_is_asked_for() -> None:
    assert Limits().idle_seconds == 0


# --- answers --------------------------------------------------------------------------------------------------------------


def test_the_answer_waits_for_nothing_but_storing(tmp_path: Path) -> None:
    """Nobody reads, scores or sends in this house; and a megabyte's answer comes at once, in one piece."""

    async def walk(peer: Peer) -> None:
        reader, writer = await peer.connect()
        began = asyncio.get_running_loop().time()
        writer.write(encode(oru("1", b"NTE|1||" + b"x" * 1_000_000 + b"\r")))
        first = await reader.read(65536)
        assert first.endswith(b"\x1c\r")
        assert asyncio.get_running_loop().time() - began < 5
        assert len(peer.rows()) == 1
        writer.close()

    walked(tmp_path, walk)


def test_every_answer_has_an_id_of_its_own_and_says_when(tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        answers = [parse(one) for one in await peer.exchange(b"".join(encode(oru(str(n))) for n in range(100)), 100)]
        ids = {one.header.text(10) for one in answers}
        assert len(ids) == 100
        assert not ids & {str(n) for n in range(100)}
        assert {one.header.text(7) for one in answers} == {AT.strftime("%Y%m%d%H%M%S%z")}

    walked(tmp_path, walk)


def test_ids_of_a_later_start_are_others() -> None:
    first, later = control_ids(lambda: AT), control_ids(lambda: AT + timedelta(seconds=1))
    assert not {first() for _ in range(1000)} & {later() for _ in range(1000)}


def test_a_repetition_is_known_years_later(tmp_path: Path) -> None:
    database = stores.opened(tmp_path)
    message = RawMessage("lab", "generic", MessageKind.HL7V2, oru("1"), AT, "LAB|HOSP", "1", acknowledgment=b"first")
    later = RawMessage(
        "lab", "generic", MessageKind.HL7V2, oru("1"), AT + timedelta(days=3650), "LAB|HOSP", "1", acknowledgment=b"2"
    )
    with database.write() as tx:
        inbox_put.put_many(tx, [message])
    with database.write() as tx:
        (receipt,) = inbox_put.put_many(tx, [later])
    assert (receipt.duplicate, receipt.acknowledgment) == (True, b"first")
    database.close()


# --- who sends ------------------------------------------------------------------------------------------------------------


def test_a_stranger_is_stored_and_accepted_and_alarms_until_somebody_lets_it_in(tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        assert codes(await peer.exchange(encode(STRANGER) + encode(oru("1")), 2)) == ["AA X", "AA 1"]
        assert peer.rows() == [("X", "SENDER"), ("1", None)]
        text = peer.server.metrics.text().decode()
        assert 'adapter_door_quarantined_total{code="SENDER",feed="lab"} 1.0' in text
        assert 'adapter_sender_messages_total{code="AA",feed="lab",sender="other"} 1.0' in text
        assert 'adapter_sender_messages_total{code="AA",feed="lab",sender="LAB|HOSP"} 1.0' in text

    walked(tmp_path, walk, door=LAB_ONLY)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Any:
    found = open_house(tmp_path)
    yield found
    found.database.close()


def test_the_alarm_stands_while_the_message_waits_and_goes_when_a_person_releases_it(
    house: House, tmp_path: Path
) -> None:
    stream = io.StringIO()
    telemetry.configure_log(stream)
    pulse = Pulse(house.database, Space(tmp_path, Marks(0, 0, 0, 0)), lambda: AT)
    pulse.tell()
    stored = RawMessage(
        "lab", "generic", MessageKind.HL7V2, STRANGER, AT, "PHARMACY|HOSP", "X", "ORU^R01", quarantine="SENDER"
    )
    with house.database.write() as tx:
        (receipt,) = inbox_put.put_many(tx, [stored])
    house.work()
    assert pulse.health().codes == ("unknown-sender",)
    assert standing(pulse) == {"unknown-sender": 1.0}
    pulse.tell()
    pulse.tell()
    with house.database.write() as tx:
        assert not quarantine.release(tx, receipt.inbox_id).at_the_door
    house.work()
    assert pulse.health().codes == ()
    assert standing(pulse) == {}
    pulse.tell()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["code"]) for line in told] == [
        ("alarm", "unknown-sender"),
        ("alarm over", "unknown-sender"),
    ]
    assert house.counts().applied == 1


@pytest.mark.parametrize(
    ("reason", "stored", "days", "alarm"),
    [
        ("NO_MSH", 1000, 0, ("quarantine",)),
        ("NO_MSH", 1000, 2, ()),
        ("CHARSET", 50, 0, ("quarantine",)),
        ("CHARSET", 150, 0, ()),
        ("CHARSET", 50, 2, ()),
    ],
)
def test_a_reason_where_all_of_a_kind_is_lost_is_an_alarm_and_so_is_more_than_a_hundredth_of_an_hour(
    house: House, tmp_path: Path, reason: str, stored: int, days: int, alarm: tuple[str, ...]
) -> None:
    said = [oru(str(number)) for number in range(stored)]
    messages = [RawMessage("lab", "generic", MessageKind.HL7V2, body, NOW, "", body[:60].decode()) for body in said]
    with house.database.write() as tx:
        inbox_put.put_many(tx, [*messages, replace(messages[0], body=b"?", quarantine=reason)])
    house.work()
    pulse = Pulse(house.database, Space(tmp_path, Marks(0, 0, 0, 0)), lambda: NOW + timedelta(days=days))
    assert tuple(code for code in pulse.health().codes if code != "inbox-waiting") == alarm
    with house.database.read() as conn:
        assert quarantine.by_feed(conn) == {("lab", reason): 1.0}


def standing(pulse: Pulse) -> dict[str, float]:
    (family,) = [one for one in pulse.figures() if one.name == "adapter_alarm"]
    return {sample.labels["code"]: sample.value for sample in family.samples}


def test_all_of_a_stranger_is_released_together(house: House) -> None:
    messages = [
        RawMessage("lab", "generic", MessageKind.HL7V2, STRANGER + b"NTE|%d\r" % n, AT, "P|H", str(n), quarantine=why)
        for n, why in enumerate(["SENDER", "TOO_BIG", "SENDER"])
    ]
    with house.database.write() as tx:
        receipts = inbox_put.put_many(tx, messages)
    house.work()
    with house.database.write() as tx:
        assert quarantine.release_all(tx, "SENDER", 0) == [receipts[0].inbox_id, receipts[2].inbox_id]
        assert quarantine.release_all(tx, "TOO_BIG", 0) == []


def test_a_refusal_is_on_record_once_an_hour_for_each_peer_and_reason(tmp_path: Path) -> None:
    database = stores.opened(tmp_path)
    now = [AT]

    async def main() -> None:
        refusals = Refusals(database, lambda: now[0])
        for peer, reason in [("10.0.0.1", "tls-expired"), ("10.0.0.1", "tls-expired"), ("10.0.0.2", "tls-expired")]:
            refusals.note("lab", peer, reason)
        now[0] += timedelta(hours=2)
        refusals.note("lab", "10.0.0.1", "tls-expired")
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(main())
    with database.read() as conn:
        acts = [row.act for row in audit.listing(conn)]
        assert not audit.verify(conn)
    assert sorted(str(act.detail["peer"]) for act in acts) == ["10.0.0.1", "10.0.0.1", "10.0.0.2"]
    assert {(act.action, act.object_id, act.reason) for act in acts} == {("connection-refused", "lab", "tls-expired")}
    database.close()


# --- counts and the line a message ---------------------------------------------------------------------------------------


def test_every_figure_of_rule_62_is_there(each_store: str, tmp_path: Path) -> None:
    async def walk(peer: Peer) -> None:
        odd = oru("2", b"NTE|1||\xe9\r", msh_more="||||||UNICODE UTF-8")
        sent = b"noise" + encode(oru("1")) + encode(oru("1")) + encode(odd) + encode(oru("3", b"x" * 200_000))
        await peer.exchange(sent, 4)
        peer.server.metrics.compute(
            lambda: figures(peer.database, Space(tmp_path, Marks(0, 0, 0, 0)), lambda: AT + timedelta(seconds=90))
        )
        peer.server.metrics.heard("lab", ["charset-replaced", "no-version"])
        text = peer.server.metrics.text().decode()
        for figure in (
            'adapter_messages_received_total{feed="lab"} 4.0',
            'adapter_ack_total{code="AA",feed="lab"} 3.0',
            'adapter_ack_total{code="AE",feed="lab"} 1.0',
            'adapter_messages_duplicate_total{feed="lab"} 1.0',
            'adapter_sender_duplicates_total{feed="lab",sender="LAB|HOSP"} 1.0',
            'adapter_sender_last_message_timestamp_seconds{feed="lab",sender="LAB|HOSP"} 1.767323045e+09',
            'adapter_noise_bytes_total{feed="lab"} 5.0',
            'adapter_frame_errors_total{feed="lab",kind="oversize"} 1.0',
            'adapter_decode_warnings_total{feed="lab",kind="charset-replaced"} 1.0',
            'adapter_feed_connections{feed="lab"}',
            'adapter_last_message_timestamp_seconds{feed="lab"} 1.767323045e+09',
            'adapter_inbox_pending{feed="lab"} 3.0',
            'adapter_feed_oldest_seconds{feed="lab"} 90.0',
            "adapter_inbox_oldest_seconds 90.0",
        ):
            assert figure in text, figure

    walked(tmp_path, walk, door=LAB_ONLY, limits=Limits(max_bytes=100_000))


def test_warnings_of_the_character_set_are_counted_when_a_message_is_read(house: House) -> None:
    metrics = Metrics()
    house.processor.heard = metrics.heard
    latin = oru("1", msh_more="||||||UNICODE UTF-8").replace(b"PID|1||100^^^HOSP^MR", b"PID|1||100^^^HOSP^MR||Ren\xe9e")
    house.tell(latin, b"\xef\xbb\xbf" + oru("2"), oru("3"))
    text = metrics.text().decode()
    assert 'adapter_decode_warnings_total{feed="lab",kind="charset-replaced"} 1.0' in text
    assert 'adapter_decode_warnings_total{feed="lab",kind="bom"} 1.0' in text


def logged(tmp_path: Path, *frames: bytes, answers: int, **door: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    telemetry.configure_log(stream)

    async def walk(peer: Peer) -> None:
        await peer.exchange(b"".join(encode(frame) for frame in frames), answers)
        await asyncio.sleep(0.05)

    walked(tmp_path, walk, door={"log": MessageLog(control_ids=True), **door})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "message"]


def test_a_line_a_message_tells_header_size_code_and_time(tmp_path: Path) -> None:
    first, again, stranger = logged(tmp_path, oru("1"), oru("1"), STRANGER, answers=3, **LAB_ONLY)
    assert 0 <= first.pop("milliseconds") < 30_000
    assert first == {
        "timestamp": AT.isoformat().replace("+00:00", "Z"),
        "event": "message",
        "level": "info",
        "feed": "lab",
        "inbox_id": 1,
        "bytes": len(oru("1")),
        "code": "AA",
        "duplicate": False,
        "sender": "LAB|HOSP",
        "type": "ORU^R01",
        "sent": "20260102030405",
        "control_id": "1",
    }
    assert (again["inbox_id"], again["duplicate"]) == (1, True)
    assert (stranger["state"], stranger["sender"]) == ("SENDER", "PHARMACY|HOSP")


def test_a_control_id_is_told_only_where_the_source_says_that_it_may_be(tmp_path: Path) -> None:
    (line,) = logged(tmp_path, oru("410002-0"), answers=1, log=MessageLog())
    assert "410002" not in json.dumps(line)
    assert line["sender"] == "LAB|HOSP"


@pytest.mark.parametrize(
    "body",
    [
        oru("1", b"NTE|1||SECRET\r"),
        oru("SECRET^PATIENT"),
        oru("SECRET PATIENT"),
        oru("1").replace(b"|LAB|", b"|SECRET PATIENT|"),
        b"MSH|^~\\&|LABPID|1||SECRET^^^HOSP^MR||SECRET^ANNA||19500101|F\r",
        b"MSH|^~\\&|A|B|C|SECRET|19500101||SECRET|SECRET|P|2.5.1\r",
        b"MSH|^~\\&|LAB|HOSP|A|T|SECRET||ORU^R01|SECRET|P|2.5.1\r",
        b"PID|1||SECRET\r",
    ],
)
def test_no_line_tells_what_may_be_a_patients(tmp_path: Path, body: bytes) -> None:
    (line,) = logged(tmp_path, body, answers=1)
    assert "SECRET" not in json.dumps(line)
    assert {"feed", "inbox_id", "bytes", "code", "milliseconds"} <= line.keys()


def test_lines_of_a_turn_are_written_together_and_none_where_nobody_asked(tmp_path: Path) -> None:
    assert len(logged(tmp_path, *[oru(str(n)) for n in range(300)], answers=300)) == 300


def test_no_line_where_nobody_asked_for_it(tmp_path: Path) -> None:
    assert logged(tmp_path, oru("1"), answers=1, log=None) == []


# --- certificates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "level", "words", "alarm"),
    [
        (31, None, "", ()),
        (29, "warning", "29 days — renew it soon", ("certificate-expires",)),
        (6, "warning", "6 days — renew it this week", ("certificate-expires-this-week",)),
        (0, "error", "has expired", ("certificate-expired",)),
        (-1, "error", "has expired", ("certificate-expired",)),
    ],
)
def test_a_certificate_is_spoken_of_thirty_and_seven_days_before_it_ends(
    days: int, level: str | None, words: str, alarm: tuple[str, ...]
) -> None:
    known = [
        Certificate("lab", Path("lab.pem"), AT + timedelta(days=400)),
        Certificate("lab-ca", Path("ca.pem"), AT + timedelta(days=days)),
    ]
    found = list(findings(known, AT))
    assert [one[0] for one in found] == ([level] if level else [])
    assert all(words in text for _, text in found)
    assert alarms(known, AT) == alarm


def test_a_server_without_tls_has_no_certificate_to_speak_of() -> None:
    assert alarms((), AT) == ()
    assert MllpServer.__dataclass_fields__["tls"].default is None
