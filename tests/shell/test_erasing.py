"""A person taken out of everything that is stored: nothing of them is found again, by nobody, in no file; and the others stay."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from adapter.daemon.housekeeping import SCRUBBED, forget_emptied
from adapter.domain.message import MessageKind, RemoteResource
from adapter.domain.patient import PatientId
from adapter.errors import RejectedError
from adapter.pipeline import looking
from adapter.pipeline.erasing import Certificate, Wish
from adapter.pipeline.replay import Replay, take_over
from adapter.screening import actions, canary
from adapter.screening.named import holds
from adapter.store import (
    audit,
    emptied,
    inbox,
    marks,
    opt_outs,
    outbox,
    patients,
    projections,
    quarantine,
    screening_log,
    scrubbing,
    teamwork,
    unjudged,
)
from adapter.store.database import Database
from adapter.store.schema import metadata
from tests import stores
from tests.builders import adt, move
from tests.shell.test_replay import EDC, admitted, ferritin, organs, replayed
from tests.walking import House, open_house

CANARY = "7731905Q"
NAME, OTHER_NAME = "KANARAKISX", "ALLOSX"
REASON = "request of 12 May, file 7"


def who(value: str) -> PatientId:
    return PatientId("generic", "HOSP", value)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(EDC,))
    built.tell(
        admitted(CANARY).replace(b"DOE", NAME.encode()), organs(CANARY), ferritin(CANARY, "5200"),
        admitted("2").replace(b"DOE", OTHER_NAME.encode()), organs("2"), ferritin("2", "4500"),
    )  # fmt: skip
    yield built
    built.database.close()


def erased(house: House, value: str = CANARY, **how: bool) -> Certificate:
    wish = Wish(who(value), REASON, "dpo", **{"enrolled": True, **how})  # type: ignore[arg-type] — flags only
    return house.processor.eraser.erase(wish, house.processor.eraser.look(wish))


def rows(database: Database) -> dict[str, int]:
    with database.read() as conn:
        return {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.tables.values()
        }


def everything(database: Database, but: str = "") -> str:
    """All rows of all tables, as text."""
    with database.read() as conn:
        return "\n".join(
            str(tuple(row))
            for table in metadata.tables.values()
            if table.name != but
            for row in conn.execute(select(table))
        )


def words_in(text: str, *words: str) -> list[str]:
    """Those that stand there as words of their own: a digest may hold four digits by chance."""
    return [word for word in words if re.search(rf"(?<![0-9A-Za-z]){word}(?![0-9A-Za-z])", text)]


def test_nothing_of_the_person_is_left_and_the_others_are_untouched(house: House) -> None:
    row = next(row for row in house.rows if row.patient.value == CANARY)
    with house.database.write() as tx:
        teamwork.claim(tx, row.id, "kim", house.now)
        teamwork.write(tx, row.id, "kim", f"spoke with {NAME}", house.now)
    common = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "by": "kim", "at": house.now}
    act = actions.status_body(**common, status="screening", reason="", note=f"{NAME} agrees")
    house.tell(act, kind=MessageKind.ACTION)
    before, counts = everything(house.database), house.counts()
    assert CANARY in before
    assert NAME in before
    done = erased(house)
    after = everything(house.database)
    assert not [word for word in (CANARY, NAME) if word in after]
    assert row.id not in everything(house.database, but="audit")
    assert OTHER_NAME in after
    assert [one.patient.value for one in house.rows] == ["2"]
    assert (done.records, done.messages, done.shared, done.mentions) == (1, 4, 0, 0)
    assert house.counts() == counts


def test_the_bytes_of_the_files_hold_nothing_of_the_person(house: House, tmp_path: Path) -> None:
    if not stores.on_sqlite():
        pytest.skip("PostgreSQL's files are the server's (docs/adr/0044)")
    files = [tmp_path / "adapter.db", tmp_path / "adapter.db-wal"]
    needles = [CANARY.encode(), NAME.encode()]
    house.database.make_room()
    house.tell(ferritin(CANARY, "5300"))
    held = [(file.name, needle) for file in files for needle in needles if needle in file.read_bytes()]
    assert len(held) == 4 - (needles[1] not in files[1].read_bytes())
    erased(house)
    assert house.processor.eraser.scrub()
    assert [(file.name, needle) for file in files for needle in needles if needle in file.read_bytes()] == []


def owed(database: Database) -> str:
    with database.read() as conn:
        return marks.said(conn, scrubbing.OWED)


def test_what_a_reader_kept_in_the_log_leaves_it_with_the_next_housekeeping(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stores.on_sqlite():
        pytest.skip("PostgreSQL's files are the server's (docs/adr/0044)")
    monkeypatch.setattr(scrubbing, "PATIENCE", 0.1)
    house.tell(ferritin(CANARY, "5300"))
    with house.database.read() as conn:
        assert emptied.last(conn) == 7
        erased(house)
        assert not house.processor.eraser.scrub()
        assert owed(house.database)
        with house.database.write() as tx:
            marks.put(tx, SCRUBBED, "4")
    assert CANARY.encode() in b"".join(file.read_bytes() for file in tmp_path.glob("adapter.db*"))
    forget_emptied(house.database)
    assert CANARY.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("adapter.db*"))
    assert owed(house.database) == ""


def test_whom_a_merge_takes_out_leaves_the_files_by_the_next_housekeeping(house: House, tmp_path: Path) -> None:
    erased(house, opt_out=True)
    assert house.processor.eraser.scrub()
    assert owed(house.database) == ""
    house.tell(adt("A40", patient="2", merged=CANARY, control="M", sent="20260102040000"))
    assert "results" in owed(house.database).split()
    forget_emptied(house.database)
    assert owed(house.database) == ""
    if stores.on_sqlite():
        assert OTHER_NAME.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("adapter.db*"))


def test_what_waits_and_what_nobody_could_read_goes_too(house: House) -> None:
    house.tell(ferritin(CANARY, "5400").replace(b"|P|", b"|T|"), b"rubbish of " + CANARY.encode())
    house.tell(adt("A31", patient="44", control="kin") + f"\rNK1|1|X|MTH||||||||||||||||||||||||||||{CANARY}".encode())
    house.put(ferritin(CANARY, "6000"), ferritin("2", "6000"))
    before = house.counts()
    done = erased(house)
    counts = house.counts()
    assert done.mentions == 1
    assert counts.received == before.received
    assert counts.received == counts.applied + counts.duplicate + counts.ignored + counts.quarantined + counts.pending
    assert (counts.quarantined, counts.pending) == (before.quarantined - 2, 1)
    assert counts.ignored == before.ignored + 3
    house.work()
    with house.database.read() as conn:
        found = {row.id: (str(row.state), row.reason, row.erased is not None) for row in inbox.listing(conn)}
    assert found[7] == ("ignored", "erased", True)
    assert found[10] == ("ignored", "erased", True)
    assert found[11] == ("applied", None, False)
    assert CANARY in everything(house.database)


def test_a_resend_of_an_emptied_message_is_known_and_brings_nobody_back(house: House) -> None:
    erased(house)
    (receipt,) = house.put(ferritin(CANARY, "5200"))
    assert receipt.duplicate
    assert receipt.acknowledgment == b"" or CANARY.encode() not in receipt.acknowledgment
    house.work()
    assert CANARY not in everything(house.database)


def test_the_screening_log_goes_on_counting_by_days_and_without_identifiers(house: House) -> None:
    row = next(row for row in house.rows if row.patient.value == CANARY)
    common = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "by": "kim", "at": house.now}
    act = actions.status_body(**common, status="declined", reason=f"not {NAME}", note=NAME)
    house.tell(act, kind=MessageKind.ACTION)
    with house.database.read() as conn:
        before, judged = screening_log.listing(conn, row.trial), screening_log.judged(conn, row.trial)
    erased(house)
    with house.database.read() as conn:
        after, judged_now = screening_log.listing(conn, row.trial), screening_log.judged(conn, row.trial)
    assert (len(after), judged_now) == (len(before), judged)
    was = next(one for one in before if one.patient.value == CANARY)
    now = next(one for one in after if one.erased)
    same = ("trial", "verdict", "certainty", "stratum", "status", "standing", "sex", "flag", "sofa", "flags")
    assert [getattr(now, name) for name in same] == [getattr(was, name) for name in same]
    assert [(one.id, one.kind, one.answer) for one in now.answers] == [
        (one.id, one.kind, one.answer) for one in was.answers
    ]
    assert [(one.status, one.reason, one.by, one.note) for one in now.decisions] == [("declined", "other", "", "")]
    assert now.flagged is not None
    assert was.flagged is not None
    assert (now.flagged.date(), now.flagged.hour) == (was.flagged.date(), 0)
    assert (now.patient, now.id == was.id) == (PatientId("generic", "", ""), False)


def test_all_records_that_were_merged_go_together(house: House) -> None:
    house.tell(adt("A40", patient="8", merged=CANARY, control="M", sent="20260102040000"), ferritin("8", "7000"))
    done = erased(house, "8")
    assert done.records == 2
    assert CANARY not in everything(house.database)
    assert rows(house.database)["ties"] == 0


def test_a_visit_that_moved_goes_with_whom_it_is_of(house: House, tmp_path: Path) -> None:
    house.tell(
        admitted("C"), organs("C"), ferritin("C", "9300", visit="VC"), admitted("C", visit="VC2"),
        ferritin(CANARY, "5250", visit=f"V{CANARY}"),
        move("C", CANARY, visit="VC", into="VC", sent="20260102050000", control="V"),
        move(CANARY, "2", visit=f"V{CANARY}", into="VM", sent="20260102060000", control="W"),
    )  # fmt: skip
    erased(house)
    with house.database.read() as conn:
        lines = "\n".join(projections.lines(conn))
    assert CANARY not in lines
    assert words_in(lines, "9300") == []
    assert "VC2" in lines
    assert "5250" in lines, "the visit that is another's now was taken with the record"
    assert rows(house.database)["ties"] == 0
    replay = rebuilt(house, tmp_path / "second")
    take_over(replay)
    replay.second.close()
    with house.database.read() as conn:
        assert "5250" in "\n".join(projections.lines(conn))


def test_who_takes_part_is_kept_unless_it_is_said_that_they_go(house: House) -> None:
    with pytest.raises(RejectedError, match="nobody is known"):
        erased(house, "unheard-of", enrolled=False)
    row = next(row for row in house.rows if row.patient.value == CANARY)
    common = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "by": "kim", "at": house.now}
    for status in ("consented", "withdrawn"):
        act = actions.status_body(**common, status=status, reason="", note="")
        house.tell(act, kind=MessageKind.ACTION)
        house.now += timedelta(minutes=1)
        common["at"] = house.now
    before = everything(house.database)
    with pytest.raises(RejectedError, match=r"GDPR article 17\(3\)"):
        erased(house, enrolled=False)
    assert everything(house.database) == before
    assert erased(house).enrolled
    assert CANARY not in everything(house.database)


def test_what_an_edc_was_sent_is_told_and_nothing_more_goes_out(house: House) -> None:
    house.owed("edc")
    house.tell(ferritin(CANARY, "8000"))
    with pytest.raises(RejectedError, match="an EDC holds"):
        erased(house, enrolled=False)
    done = erased(house)
    ((outlet, number),) = done.pushed
    assert outlet == "edc"
    assert number not in everything(house.database)
    assert [len(house.owed("edc"))] == [0]


def test_a_rehearsal_counts_and_changes_nothing(house: House) -> None:
    before = everything(house.database)
    rehearsed = erased(house, rehearsal=True)
    assert everything(house.database) == before
    done = erased(house)
    assert (rehearsed.counts, rehearsed.messages) == (done.counts, done.messages)


def test_erasing_is_on_record_without_saying_who_and_the_chain_stays_whole(house: House) -> None:
    done = erased(house)
    with house.database.read() as conn:
        assert audit.verify(conn) == []
        (act,) = [row.act for row in audit.listing(conn) if row.act.action == "erase"]
        assert audit.head(conn).seq == done.audit
    assert (act.actor, act.reason, act.object_id) == ("dpo", REASON, "")
    assert act.detail["rows"] == done.counts
    assert CANARY not in json.dumps(dict(act.detail))


def test_erasing_twice_finds_nobody(house: House) -> None:
    erased(house)
    with pytest.raises(RejectedError, match="nobody is known"):
        erased(house)


def test_a_delivery_that_was_out_when_its_row_went_settles_quietly(house: House) -> None:
    with house.database.read() as conn:
        due = outbox.due(conn, "edc", house.now, 50)
    erased(house)
    with house.database.write() as tx:
        for one in due:
            outbox.delivered(tx, one.id, RemoteResource("1", "1"), house.now)
    assert rows(house.database)["outbox_remotes"] == 1


# --- those who want no part ------------------------------------------------------------------------------------------


def test_who_wants_no_part_is_acknowledged_and_emptied_unread(house: House) -> None:
    erased(house, opt_out=True)
    receipts = house.put(
        admitted(CANARY, visit="new"), organs(CANARY).replace(b"|90|", b"|91|"), ferritin(CANARY, "9999")
    )
    assert not any(receipt.duplicate for receipt in receipts)
    house.work()
    assert CANARY not in everything(house.database)
    with house.database.read() as conn:
        last = list(inbox.listing(conn))[-3:]
        assert [(str(one.state), one.reason, one.erased is not None) for one in last] == [
            ("ignored", "opted-out", True)
        ] * 3
    assert [one.patient.value for one in house.rows] == ["2"]


def test_what_was_emptied_leaves_the_files_by_the_next_housekeeping(house: House, tmp_path: Path) -> None:
    erased(house, opt_out=True)
    house.tell(ferritin(CANARY, "9999"))
    forget_emptied(house.database)
    if stores.on_sqlite():
        assert CANARY.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("adapter.db*"))
    with house.database.read() as conn:
        assert marks.said(conn, SCRUBBED) == str(emptied.number(conn))


def test_only_a_keyed_hash_of_the_number_is_kept(house: House) -> None:
    erased(house, opt_out=True)
    with house.database.read() as conn:
        (token,) = opt_outs.listed(conn)
    assert token == opt_outs.token(house.keeper.secret, who(CANARY))
    other = type(house.keeper.secret)(b"1" * 32)
    assert token != opt_outs.token(other, who(CANARY))
    assert token != opt_outs.token(house.keeper.secret, PatientId("elsewhere", "HOSP", CANARY))


def test_somebody_nobody_knows_yet_may_want_no_part(house: House) -> None:
    done = erased(house, "55", opt_out=True, enrolled=False)
    assert (done.records, done.messages, done.listed) == (0, 0, 1)
    with pytest.raises(RejectedError, match="on the list"):
        erased(house, "55", opt_out=True)
    house.tell(admitted("55"), organs("55"))
    assert [one.patient.value for one in house.rows if one.patient.value == "55"] == []


@pytest.mark.parametrize("out_survives", [True, False])
def test_a_merge_with_who_wants_no_part_takes_the_other_record_along(house: House, out_survives: bool) -> None:
    erased(house, opt_out=True)
    patient, merged = (CANARY, "2") if out_survives else ("2", CANARY)
    house.put(adt("A40", patient=patient, merged=merged, control="M", sent="20260102040000"), ferritin("2", "4600"))
    house.work()
    found = everything(house.database)
    assert [word for word in (CANARY, OTHER_NAME) if word in found] == []
    assert house.rows == []
    house.tell(ferritin("2", "4700"), ferritin("6", "4700"))
    with house.database.read() as conn:
        assert [row.reason for row in inbox.listing(conn)][-4:] == ["opted-out", "opted-out", "opted-out", None]


def consented(house: House, value: str) -> None:
    row = next(row for row in house.rows if row.patient.value == value)
    common = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "by": "kim", "at": house.now}
    house.tell(actions.status_body(**common, status="consented", reason="", note=""), kind=MessageKind.ACTION)


def endings(house: House) -> list[tuple[str, str | None]]:
    with house.database.read() as conn:
        return [(str(row.state), row.reason) for row in inbox.listing(conn)]


def test_a_merge_of_a_participant_waits_for_a_person_and_takes_nobody_out(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    consented(house, "2")
    erased(house, opt_out=True)
    capsys.readouterr()
    house.put(adt("A40", patient="2", merged=CANARY, control="M", sent="20260102040000"), ferritin("2", "4600"))
    house.work()
    assert endings(house)[-2:] == [("quarantined", "PARTICIPANT"), ("applied", None)]
    assert [(row.patient.value, row.status) for row in house.rows] == [("2", "consented")]
    assert "4600" in everything(house.database)
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    with house.database.read() as conn:
        assert [row.act.actor for row in audit.listing(conn) if row.act.action == "erase"] == ["dpo"]
        before = list(projections.lines(conn))
    replay = rebuilt(house, tmp_path / "second")
    assert (replay.differences(), replay.turns()) == ([], [])
    take_over(replay)
    replay.second.close()
    with house.database.read() as conn:
        assert list(projections.lines(conn)) == before


@pytest.mark.parametrize("stays", [True, False])
def test_what_waits_for_a_person_is_released_once_they_said_who_stays(house: House, stays: bool) -> None:
    consented(house, "2")
    erased(house, opt_out=True)
    house.tell(adt("A40", patient="2", merged=CANARY, control="M", sent="20260102040000"))
    message = len(endings(house))
    if stays:
        house.processor.eraser.take_back(Wish(who(CANARY), REASON, "dpo"))
        with house.database.write() as tx:
            quarantine.release(tx, message)
        house.work()
        assert endings(house)[-1] == ("applied", None)
        assert rows(house.database)["ties"] == 1
    else:
        assert erased(house, "2", opt_out=True).enrolled
        assert endings(house)[-1] == ("ignored", "erased")
        assert OTHER_NAME not in everything(house.database)


def test_a_replay_tells_what_stands_behind_many_merges_that_wait(house: House, tmp_path: Path) -> None:
    consented(house, "2")
    erased(house, opt_out=True)
    merges = [adt("A40", patient="2", merged=CANARY, control=f"M{n}", sent=f"2026010204000{n}") for n in range(4)]
    house.tell(*merges, ferritin("2", "4600"))
    replay = rebuilt(house, tmp_path / "second")
    assert (replay.differences(), replay.turns()) == ([], [])
    replay.second.close()


def test_taking_it_back_holds_for_all_records_of_the_person(house: House) -> None:
    erased(house, opt_out=True)
    house.tell(adt("A40", patient="2", merged=CANARY, control="M", sent="20260102040000"))
    wish = Wish(who("2"), REASON, "dpo")
    house.processor.eraser.take_back(wish)
    with pytest.raises(RejectedError, match="not on the list"):
        house.processor.eraser.take_back(Wish(who(CANARY), REASON, "dpo"))
    house.tell(ferritin(CANARY, "4800"))
    assert CANARY in everything(house.database)


def test_two_persons_on_the_list_who_turn_out_to_be_one_are_taken_back_together(house: House) -> None:
    secret = house.keeper.secret
    with house.database.write() as tx:
        assert opt_outs.add(tx, secret, [who("a1"), who("a2")], house.now) == 2
        assert opt_outs.add(tx, secret, [who("b1"), who("b2")], house.now) == 2
        assert opt_outs.add(tx, secret, [who("c1")], house.now) == 1
        assert opt_outs.add(tx, secret, [who("a2"), who("b2"), who("d1")], house.now) == 1
        assert opt_outs.add(tx, secret, [who("a2"), who("b2")], house.now) == 0
        assert opt_outs.take_back(tx, secret, who("b1")) == 5
        assert opt_outs.listed(tx) == {opt_outs.token(secret, who("c1"))}


def test_a_message_of_several_is_heard_for_the_others_and_emptied(house: House) -> None:
    erased(house, opt_out=True)
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + admitted("8") + organs(CANARY) + organs("8") + b"BTS|3\rFTS|1\r"
    house.tell(batch)
    with house.database.read() as conn:
        (last,) = list(inbox.listing(conn))[-1:]
        assert (str(last.state), last.erased is not None, emptied.shared(conn)) == ("applied", True, [last.id])
        lines = "\n".join(projections.lines(conn))
    assert CANARY not in everything(house.database)
    assert '"8"' in lines


def page(*patients: str) -> bytes:
    """A FHIR searchset with a ferritin of each."""
    found = [
        resource
        for number in patients
        for resource in (
            {"resourceType": "Patient", "id": f"p{number}", "identifier": [{"system": "urn:oid:HOSP", "value": number}]},
            {
                "resourceType": "Observation", "id": f"o{number}", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
                "subject": {"reference": f"Patient/p{number}"}, "effectiveDateTime": "2026-01-02T04:00:00Z",
                "valueQuantity": {"value": 6100, "system": "http://unitsofmeasure.org", "code": "ng/mL"},
            },
        )
    ]  # fmt: skip
    entries = [{"resource": one} for one in found]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


def test_a_page_of_a_fhir_server_is_emptied_alike(house: House) -> None:
    house.tell(page(CANARY, "2"), kind=MessageKind.FHIR)
    assert erased(house, opt_out=True).shared == 1
    house.tell(page(CANARY, "9"), kind=MessageKind.FHIR)
    house.tell(page(CANARY), kind=MessageKind.FHIR)
    with house.database.read() as conn:
        last = [(str(row.state), row.erased is not None) for row in inbox.listing(conn)][-3:]
        lines = "\n".join(projections.lines(conn))
    assert last == [("applied", True), ("applied", True), ("ignored", True)]
    assert CANARY not in everything(house.database)
    assert lines.count("6100") >= 2, "what the page said of the others was lost"


def test_who_was_to_be_judged_and_is_taken_out_meanwhile_does_not_come_back(house: House) -> None:
    erased(house, opt_out=True)
    with house.database.write() as tx:
        key = patients.key_of(tx, who("2"))
        unjudged.mark(tx, {key: 1})
    house.processor._backlog.look()
    house.put(adt("A40", patient="2", merged=CANARY, control="M", sent="20260102040000"))
    house.processor.step()
    assert (rows(house.database)["patients"], rows(house.database)["unjudged"]) == (0, 0)


# --- a number that this site does not keep its patients by --------------------------------------------------------------

NATIONAL = PatientId("generic", "AMKA", "01019012345")


def with_national(body: bytes, number: str = NATIONAL.value) -> bytes:
    return body.replace(b"^^^HOSP^MR", b"^^^HOSP^MR~" + number.encode() + b"^^^AMKA^NI")


def by_national(house: House, **how: bool) -> Certificate:
    wish = Wish(NATIONAL, REASON, "dpo", **how)  # type: ignore[arg-type] — flags only
    return house.processor.eraser.erase(wish, house.processor.eraser.look(wish))


def test_a_number_beside_the_one_we_keep_leads_to_the_person_and_takes_everything(house: House) -> None:
    house.tell(admitted("77"), with_national(ferritin("77", "4100")), ferritin("77", "4200"))
    done = by_national(house, opt_out=True)
    assert (done.records, done.messages, done.shared, done.listed) == (1, 3, 0, 2)
    assert words_in(everything(house.database), NATIONAL.value, "4100", "4200") == []
    house.tell(ferritin("77", "4300"))
    assert endings(house)[-1] == ("ignored", "opted-out")


def test_a_number_that_stands_beside_those_of_several_is_refused_and_nobody_goes(house: House) -> None:
    house.tell(with_national(ferritin("77", "4100")), with_national(ferritin("78", "4200")))
    before = everything(house.database)
    with pytest.raises(RejectedError, match="stands in messages of several"):
        by_national(house, rehearsal=True)
    with pytest.raises(RejectedError, match="stands in messages of several"):
        by_national(house)
    assert everything(house.database) == before
    batch = with_national(b"FHS|^~\\&\rBHS|^~\\&\r" + admitted("8") + organs("9") + b"BTS|2\rFTS|1\r", "7654321")
    house.tell(batch)
    wish = Wish(PatientId("generic", "AMKA", "7654321"), REASON, "dpo")
    with pytest.raises(RejectedError, match="stands in messages of several"):
        house.processor.eraser.erase(wish, house.processor.eraser.look(wish))


def test_whoever_states_a_number_that_is_left_out_is_left_out_with_all_that_is_stored(house: House) -> None:
    by_national(house, opt_out=True)
    house.tell(admitted("77"), ferritin("77", "4100"), with_national(ferritin("77", "4200")), ferritin("77", "4300"))
    assert words_in(everything(house.database), NATIONAL.value, "4100", "4200", "4300") == []
    assert endings(house)[-1] == ("ignored", "opted-out")
    house.tell(with_national(ferritin("77", "4400")))
    assert endings(house)[-1] == ("ignored", "opted-out")


def test_a_number_that_is_left_out_takes_no_participant_along_and_none_of_several(house: House) -> None:
    house.tell(with_national(ferritin("77", "4100")), with_national(ferritin("78", "4200")))
    consented(house, "2")
    with house.database.write() as tx:
        opt_outs.add(tx, house.keeper.secret, [NATIONAL], house.now)
    house.processor.eraser._forget(frozenset())
    house.tell(with_national(ferritin("77", "4300")))
    assert endings(house)[-1] == ("quarantined", "SHARED_NUMBER")
    assert "4100" in everything(house.database)
    wish = Wish(who("77"), REASON, "dpo", opt_out=True)
    house.processor.eraser.erase(wish, house.processor.eraser.look(wish))
    assert endings(house)[-1] == ("ignored", "erased")
    house.tell(with_national(ferritin("2", "4600")))
    assert endings(house)[-1] == ("quarantined", "SHARED_NUMBER")
    with house.database.write() as tx:
        opt_outs.add(tx, house.keeper.secret, [replace(NATIONAL, value="7654321")], house.now)
    house.processor.eraser._forget(frozenset())
    house.tell(with_national(ferritin("2", "4700"), "7654321"))
    assert endings(house)[-1] == ("quarantined", "PARTICIPANT")
    assert [row.patient.value for row in house.rows if row.status == "consented"] == ["2"]


def test_the_inbox_is_walked_through_once_for_the_same_records_not_for_each_message(house: House) -> None:
    house.tell(with_national(ferritin("77", "4100")), with_national(ferritin("78", "4200")))
    with house.database.write() as tx:
        opt_outs.add(tx, house.keeper.secret, [NATIONAL], house.now)
    house.processor.eraser._forget(frozenset())
    house.tell(with_national(ferritin("77", "4300")))
    assert endings(house)[-1] == ("quarantined", "SHARED_NUMBER")
    with house.database.write() as tx:
        tx.execute(update(metadata.tables["inbox"]).values(body=b""))  # whoever walks now finds nothing that is shared
    house.tell(with_national(ferritin("77", "4400")))
    assert endings(house)[-1] == ("quarantined", "SHARED_NUMBER")
    house.processor.eraser.take_back(Wish(NATIONAL, REASON, "dpo"))
    house.tell(with_national(ferritin("77", "4500")))
    assert endings(house)[-1] == ("applied", None)


def test_a_merge_that_states_a_number_that_is_left_out_takes_both_records_along(house: House) -> None:
    by_national(house, opt_out=True)
    house.tell(admitted("77"), with_national(adt("A40", patient="77", merged="2", control="M", sent="20260102040000")))
    assert endings(house)[-1] == ("ignored", "opted-out")
    assert [row.patient.value for row in house.rows] == [CANARY]
    house.tell(ferritin("2", "4600"), ferritin("77", "4600"))
    assert endings(house)[-2:] == [("ignored", "opted-out")] * 2


def test_the_search_goes_in_portions_and_misses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PORTION", 2)
    done = erased(house)
    assert (done.records, done.messages) == (1, 3)
    assert CANARY not in everything(house.database)


# --- told again ------------------------------------------------------------------------------------------------------


def rebuilt(house: House, folder: Path) -> Replay:
    replay = replayed(house, folder)
    replay.tell()
    replay.judge()
    return replay


def told_again_alike(house: House, folder: Path) -> None:
    """A replay finds nothing else, and changes nothing where it is taken over."""
    before = told(house)
    replay = rebuilt(house, folder)
    assert (replay.differences(), replay.turns()) == ([], [])
    take_over(replay)
    replay.second.close()
    assert told(house) == before


def told(house: House) -> list[str]:
    with house.database.read() as conn:
        return list(projections.lines(conn))


def test_a_replay_brings_nobody_back_and_loses_nobody_else(house: House, tmp_path: Path) -> None:
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + admitted("8") + organs(CANARY) + organs("8") + b"BTS|3\rFTS|1\r"
    house.tell(batch, ferritin("8", "9100"))
    done = erased(house, opt_out=True)
    assert done.shared == 1
    told_again_alike(house, tmp_path / "second")
    assert CANARY not in everything(house.database)


def test_a_replay_keeps_merges_and_moves_of_others_that_came_in_an_emptied_message(
    house: House, tmp_path: Path
) -> None:
    ties = adt("A40", patient="9", merged="8", control="M", sent="20260102040000") + move(
        "10", "9", visit="V10", into="V9", sent="20260102050000", control="W"
    )
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + admitted("8") + organs(CANARY) + ties + b"BTS|4\rFTS|1\r"
    house.tell(admitted("10", visit="V10"), ferritin("10", "9200", visit="V10"), ferritin("8", "9100"), batch)
    house.tell(ferritin("9", "9300"))
    assert erased(house).shared == 1
    assert rows(house.database)["ties"] == 2
    told_again_alike(house, tmp_path / "second")


def test_a_replay_takes_nobody_out_by_a_merge_that_it_alone_can_read(house: House, tmp_path: Path) -> None:
    """A test message where test messages are read by now: released, the daemon reads it, with list, certificate and entry."""
    house.tell(adt("A40", patient="2", merged="55", control="M", sent="20260102040000").replace(b"|P|", b"|T|"))
    message = len(endings(house))
    assert endings(house)[-1] == ("quarantined", "PROCID")
    with house.database.write() as tx:
        opt_outs.add(tx, house.keeper.secret, [who("55")], house.now)
    house.processor.eraser._forget(frozenset())
    replay = replayed(house, tmp_path / "second")
    replay.rules = replace(replay.rules, production=False)
    replay.tell()
    replay.judge()
    assert [(one.id, one.now) for one in replay.turns()] == [(message, ("quarantined", "LEFT_OUT"))]
    assert replay.differences() == []
    take_over(replay)
    replay.second.close()
    assert OTHER_NAME in everything(house.database)
    assert "2" in [row.patient.value for row in house.rows]
    assert endings(house)[-1] == ("quarantined", "LEFT_OUT")
    house.processor.adopt(replay.rules)
    with house.database.write() as tx:
        quarantine.release(tx, message)
    house.work()
    assert OTHER_NAME not in everything(house.database)
    with house.database.read() as conn:
        entry = [row.act for row in audit.listing(conn) if row.act.action == "erase"][-1]
    assert (entry.actor, entry.detail["opted_out"]) == ("adapter", True)


def test_a_replay_walks_through_the_inbox_once_for_the_same_records(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merges = [adt("A40", patient="2", merged="55", control=f"M{n}", sent=f"2026010204000{n}") for n in range(5)]
    house.tell(*(one.replace(b"|P|", b"|T|") for one in merges))
    with house.database.write() as tx:
        opt_outs.add(tx, house.keeper.secret, [who("55")], house.now)
    house.processor.eraser._forget(frozenset())
    replay, walks, whole = replayed(house, tmp_path / "second"), [], emptied.holding
    monkeypatch.setattr(emptied, "holding", lambda *words: walks.append(words[2]) or whole(*words))
    replay.rules = replace(replay.rules, production=False)
    replay.tell()
    assert [one.now[1] for one in replay.turns()] == ["LEFT_OUT"] * 5
    assert walks.count(0) == 1, "from the beginning"
    replay.second.close()


def test_a_canary_is_no_message_that_holds_somebodys_number(house: House) -> None:
    rules = house.keeper.rules
    told = canary.told(rules, rules.sites["generic"], house.now, {})
    assert holds(told.body, "CANARY1")
    with house.database.write() as tx:
        inbox.put_many(tx, [told])
    house.work()
    assert house.processor.eraser.look(Wish(who("CANARY1"), REASON, "dpo")).mentions == 0


def test_a_replay_that_reads_what_nobody_could_leaves_out_who_wants_no_part(house: House, tmp_path: Path) -> None:
    erased(house, opt_out=True)
    house.tell(ferritin(CANARY, "9999"))
    with house.database.read() as conn:
        message = emptied.last(conn)
    replay = rebuilt(house, tmp_path / "second")
    with replay.second.read() as conn:
        assert len(opt_outs.listed(conn)) == 1
        assert inbox.find(conn, message) is None
    replay.second.close()
