"""A long backlog is told first and judged afterwards: nobody hears of what is over, and a patient of now does not wait (P7)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.domain.message import MessageKind
from adapter.pipeline import backlog
from adapter.pipeline.process import Processor
from adapter.screening import actions
from adapter.store import projections, unjudged
from tests.builders import adt, obx, oru
from tests.shell.test_process import ORGANS
from tests.walking import House, open_house

OLD = 120
"""More patients than one step judges."""
LONG = 40
SICK = (*ORGANS, obx("2276-4", "5200", "ng/mL"))
WELL = (
    *(obx("777-3", "240", "10*3/uL", status="C"), obx("2160-0", "0.9", "mg/dL", status="C")),
    *(obx("8478-0", "88", "mm[Hg]", status="C"), obx("1975-2", "0.7", "mg/dL", status="C")),
)


@pytest.fixture
def house(each_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(backlog, "LONG", LONG)
    built = open_house(tmp_path)
    yield built
    built.database.close()


def came(patient: str) -> bytes:
    return adt("A01", cls="E", ward="ED", patient=patient, visit=f"V{patient}", control=f"A{patient}")


def results(patient: str, *lines: bytes | str, what: str = "R") -> bytes:
    return oru(*lines, patient=patient, visit=f"V{patient}", order=f"O{patient}", control=f"{what}{patient}")


def yesterday() -> list[bytes]:
    """Each was a candidate until a correction took the ground away, all of them before any of the corrections."""
    names = [f"1{n:03}" for n in range(OLD)]
    sick = [body for name in names for body in (came(name), results(name, *SICK))]
    return [*sick, *(results(name, *WELL, what="C") for name in names)]


def waiting(house: House) -> int:
    with house.database.read() as conn:
        return unjudged.number(conn)


def told(house: House) -> None:
    """Until few wait, the rest being what follows a backlog."""
    while house.counts().pending:
        house.processor.step()


def believed(house: House) -> tuple[list[str], list[str]]:
    with house.database.read() as conn:
        state = [line for line in projections.lines(conn) if not line.startswith('["candidates"')]
        seen = [json.dumps([row.patient.value, row.verdict, row.stratum, row.standing]) for row in house.rows]
        return state, sorted(seen)


def test_nobody_is_told_of_what_is_over_and_the_patient_of_now_comes_first(house: House) -> None:
    house.put(*yesterday(), came("9"), results("9", *SICK))
    while not house.rows:
        assert house.processor.step()
    assert [row.patient.value for row in house.rows] == ["9"]
    assert waiting(house) > 0, "before everybody of yesterday was judged"
    house.work()
    assert waiting(house) == 0
    assert [row.patient.value for row in house.rows] == ["9"]
    assert house.owed("mail") == ["raised"]
    (raised,) = [line for line in house.history(house.row.id) if line.kind == "raised"]
    assert raised.message_id == house.counts().received


def test_what_is_believed_in_the_end_is_what_would_have_been_without_a_backlog(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [*yesterday(), came("9"), results("9", *SICK), adt("A40", patient="9", merged="1000", control="M")]
    house.put(*bodies)
    house.work()
    monkeypatch.setattr(backlog, "LONG", 10_000)
    (tmp_path / "other").mkdir()
    other = open_house(tmp_path / "other")
    for body in bodies:
        other.tell(body)
    assert believed(other)[0] == believed(house)[0]
    standing = [line for line in believed(other)[1] if line.endswith("true]")]
    assert standing == [line for line in believed(house)[1] if line.endswith("true]")] != []
    assert len(other.owed("mail")) > len(house.owed("mail")) == 1
    other.database.close()


def test_a_daemon_that_ends_between_telling_and_judging_forgets_nobody(house: House) -> None:
    house.put(*(body for n in range(OLD) for body in (came(f"1{n:03}"), results(f"1{n:03}", *SICK))))
    while house.counts().pending > LONG:
        house.processor.step()
    assert waiting(house) > 0
    assert house.rows == []
    house.processor.close()
    house.keeper._memory.clear()
    house.processor = Processor(house.database, house.keeper.rules, house.keeper, lambda: house.now, lambda: None)
    house.work()
    assert len(house.rows) == OLD
    assert sorted(house.owed("mail")) == ["raised"] * OLD


def test_what_a_person_does_is_not_put_off(house: House) -> None:
    house.tell(came("9"), results("9", *SICK))
    common = {"patient": house.row.patient, "trial": house.row.trial, "episode": house.row.episode}
    said = actions.status_body(**common, by="kim", at=house.now, status="screening", reason="", note="")
    house.put(said, kind=MessageKind.ACTION)
    house.put(*yesterday())
    house.processor.step()
    assert house.counts().pending > LONG
    assert house.row.status == "screening"


def test_a_backlog_that_does_not_end_is_judged_on_the_way(house: House) -> None:
    house.put(*(body for n in range(OLD) for body in (came(f"1{n:03}"), results(f"1{n:03}", *SICK))))
    house.put(*(results("77", obx("777-3", str(n), "10*3/uL"), what=f"S{n}-") for n in range(300)))
    house.processor.step()
    assert house.rows == []
    house.now += backlog.PATIENCE + timedelta(seconds=1)
    house.processor.step()
    assert house.counts().pending > LONG
    assert len(house.rows) == 50, "those of the first hundred messages"


def test_whom_time_would_judge_waits_for_the_rest_of_the_backlog_too(house: House) -> None:
    house.tell(came("9"), results("9", *WELL))
    house.now += timedelta(hours=20)
    late = {"patient": "9", "visit": "V9", "order": "L9", "at": "20260103020000"}
    house.put(
        oru(*SICK, control="L1", **late),
        *yesterday(),
        oru(*(line.replace("|F|", "|W|") for line in SICK), control="L2", **late),
    )
    house.processor.step()
    house.later()
    assert house.rows == [], "the window of the well values has closed, and the sick ones are told"
    house.work()
    assert house.rows == []
    assert house.owed("mail") == []


def test_whose_time_ran_out_while_nobody_listened_is_no_news(house: House) -> None:
    house.put(*(body for n in range(OLD) for body in (came(f"1{n:03}"), results(f"1{n:03}", *SICK))))
    house.now += timedelta(hours=90)
    house.work()
    assert waiting(house) == 0
    assert house.owed("mail") == []


def test_a_short_backlog_is_judged_as_it_comes(house: House) -> None:
    house.put(came("9"), results("9", *SICK), *(results("77", ORGANS[0], what=f"S{n}-") for n in range(LONG - 2)))
    house.processor.step()
    assert house.row.standing
    assert waiting(house) == 0


def test_records_that_are_tied_are_judged_as_one_person(house: House) -> None:
    house.tell(came("5"), adt("A40", patient="5", merged="6", control="M"))
    house.put(
        oru(*SICK, patient="6", visit="V5", control="R6"),
        *(results("77", obx("777-3", str(n), "10*3/uL"), what=f"S{n}-") for n in range(150)),
    )
    house.work()
    assert [row.patient.value for row in house.rows] == ["5"]
    assert waiting(house) == 0


def test_a_bug_met_by_one_of_those_left_stops_none_of_the_others(house: House) -> None:
    house.put(*(body for n in range(OLD) for body in (came(f"1{n:03}"), results(f"1{n:03}", *SICK))))
    while house.counts().pending > LONG:
        house.processor.step()
    with house.database.write() as tx:
        tx.exec_driver_sql("UPDATE results SET versions = 'broken' WHERE patient = (SELECT max(patient) FROM unjudged)")
    house.keeper._memory.clear()
    house.work()
    assert waiting(house) == 0
    assert len(house.rows) == OLD - 1
