"""From the inbox to the worklist and the outbox: one transaction a batch, and nothing stops the feed."""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from adapter.domain.message import MessageKind
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.pipeline.process import Processor
from adapter.pipeline.remembered import Remembered
from adapter.screening import actions
from adapter.store import audit, inbox, patients, worklist
from adapter.store.schema import inbox_outcomes
from tests.builders import adt, obx, oru, raw
from tests.walking import House, open_house

ADMITTED = adt("A01", cls="E", ward="ED", control="A1")
ORGANS = (
    obx("777-3", "140", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
)
RESULTS = oru(*ORGANS, obx("2276-4", "5200", "ng/mL"), control="R1")


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path)
    yield built
    built.database.close()


def test_an_emergency_patient_with_organ_failure_and_high_ferritin_becomes_a_candidate(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    row = house.row
    assert (row.verdict, row.certainty, row.stratum, row.ward) == ("candidate", "certain", "mals", "ED")
    assert row.assessment["sofa"]["low"] == 4
    assert row.deadline is not None
    assert house.owed("mail") == ["raised"]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
def test_a_final_result_after_another_correction_is_an_issue_of_the_message_that_made_it_so(
    house: House, order: tuple[int, ...]
) -> None:
    """Platelets 18, corrected to 181, and 18 again."""
    said = [
        oru(
            obx("777-3", value, "10*3/uL", status=status),
            order="A1",
            control=f"R{n}",
            issued=f"202601020{4 + n}0000",
            sent=f"202601020{4 + n}0500",
        )
        for n, (value, status) in enumerate((("18", "F"), ("181", "C"), ("18", "F")))
    ]
    house.tell(ADMITTED, *(said[n] for n in order))
    last = max(order.index(1), order.index(2))
    with house.database.read() as conn:
        told = conn.execute(select(inbox_outcomes.c.issues).order_by(inbox_outcomes.c.id)).scalars().all()
    assert [("final-after-correction" in one) for one in told[1:]] == [n == last for n in range(3)]


def test_the_same_bytes_again_change_nothing(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    before = (house.rows, house.history(house.row.id))
    first, again = house.put(RESULTS, RESULTS)
    house.work()
    assert first.duplicate
    assert again.duplicate
    assert (house.rows, house.history(house.row.id)) == before
    counts = house.counts()
    assert (counts.received, counts.applied, counts.duplicate, counts.pending) == (4, 2, 2, 0)


def test_of_a_backlog_a_hundred_messages_share_a_step(house: House) -> None:
    house.put(*(oru(ORGANS[0], patient=f"{n}", control=f"B{n}") for n in range(130)))
    assert [house.processor.step() for _ in range(3)] == [100, 30, 0]


def test_where_charts_are_long_what_waits_of_a_patient_is_taken_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten beds charted in turn, and room for the charts of two in a step: the end is what it is with room for all."""
    heard: list[str] = []
    house.processor.heard = lambda source, _codes: heard.append(source)
    beds = [adt("A01", cls="E", ward="ED", patient=f"{bed}", control=f"A{bed}") for bed in range(10)]
    turns = [
        oru(obx("2276-4", f"{5000 + turn}", "ng/mL"), *ORGANS, patient=f"{bed}", control=f"T{turn}B{bed}")
        for turn in range(5)
        for bed in range(10)
    ]
    house.put(*beds, *turns)
    monkeypatch.setattr(house.keeper, "_memory", Room())
    assert [house.processor.step() for _ in range(6)] == [60, 48, 36, 24, 12, 0]
    assert len(heard) == 60
    assert {row.assessment["facts"]["ferritin"]["value"] for row in house.rows} == {"5004"}
    assert len(house.rows) == 10
    assert house.counts().applied == 60


def test_what_was_left_is_read_by_the_rules_that_hold_when_its_turn_comes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(*(oru(ORGANS[0], patient=f"{n}", control=f"B{n}") for n in range(5)))
    monkeypatch.setattr(house.keeper, "_memory", Room())
    house.processor.step()
    assert (house.processor.taken, house.counts().applied) == (2, 2)
    house.processor.adopt(replace(house.keeper.rules, sites={}))
    house.work()
    assert (house.counts().applied, house.counts().quarantined) == (2, 3)


class Room(Remembered):
    def at_once(self, most: int) -> int:
        return min(2, most)


def test_a_correction_takes_the_flag_back_and_says_so(house: House) -> None:
    healthy = oru(
        *(
            line.replace("|F|", "|C|")
            for line in (
                obx("777-3", "240", "10*3/uL"),
                obx("1975-2", "0.8", "mg/dL"),
                obx("2160-0", "0.9", "mg/dL"),
                obx("8478-0", "88", "mm[Hg]"),
                obx("9269-2", "15", "{score}"),
                obx("2703-7", "95", "mm[Hg]"),
                obx("71835-3", "0.21", "1"),
            )
        ),
        control="R2",
        sent="20260102041000",
    )
    house.tell(ADMITTED, RESULTS)
    house.tell(healthy)
    row = house.row
    assert not row.standing
    assert row.verdict == "not-candidate"
    assert house.owed("mail") == ["raised", "withdrawn"]
    assert [line.kind for line in house.history(row.id)][-1] == "withdrawn"


def test_the_clock_alone_expires_a_candidate(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    house.later(hours=66, minutes=59)
    assert house.row.standing
    house.later(minutes=2)
    assert house.row.verdict == "expired"
    assert not house.row.standing
    assert house.owed("mail")[-1] == "withdrawn"


def test_a_discharge_ends_the_alert(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    house.tell(adt("A03", cls="E", ward="ED", control="A3", at="20260102070000", sent="20260102070100"))
    assert not house.row.standing


def test_a_persons_answer_enters_by_the_inbox_and_counts(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    row = house.row
    answer = actions.determination_body(
        patient=row.patient,
        trial=row.trial,
        episode=row.episode,
        criterion="E9",
        answer="met",
        at=house.now,
        by="kim",
        note="",
    )
    house.tell(answer, kind=MessageKind.ACTION)
    assert house.row.verdict == "not-candidate"
    assert house.history(row.id)[-1].by == "kim"


def test_a_new_visit_ends_the_alert_of_the_old_one(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    house.tell(adt("A03", cls="E", visit="V1", control="A3", at="20260102050000", sent="20260102050100"))
    house.tell(adt("A01", cls="I", visit="V2", control="A4", at="20260102060000", sent="20260102060100"))
    assert not any(row.standing for row in house.rows if row.episode == "V1")


def test_a_message_that_breaks_us_is_quarantined_after_three_tries_and_the_others_go_on(house: House) -> None:
    """A site whose rules are broken beyond what the start can see stands for a bug of ours."""
    rules = house.keeper.rules
    broken = replace(rules, sites={**rules.sites, "broken": object()})  # type: ignore[dict-item]
    house.processor = Processor(house.database, broken, house.keeper, lambda: house.now, lambda: None)
    house.put(ADMITTED)
    with house.database.write() as tx:
        inbox.put_many(tx, [raw(oru(control="P1"), site="broken")])
    house.put(RESULTS)
    house.work()
    counts = house.counts()
    assert (counts.applied, counts.quarantined, counts.pending) == (2, 1, 0)
    assert house.row.verdict == "candidate"
    with house.database.read() as conn:
        (reason,) = (row.reason for row in inbox.listing(conn) if row.reason)
    assert reason.startswith("INTERNAL ")


def test_a_bug_behind_a_merge_in_one_batch_finishes_nothing_twice(house: House) -> None:
    rules = house.keeper.rules
    broken = replace(rules, sites={**rules.sites, "broken": object()})  # type: ignore[dict-item]
    house.processor = Processor(house.database, broken, house.keeper, lambda: house.now, lambda: None)
    house.put(ADMITTED, adt("A40", merged="999", control="M1"))
    with house.database.write() as tx:
        inbox.put_many(tx, [raw(oru(control="P1"), site="broken")])
    house.put(RESULTS)
    taken = 0
    while house.processor.step():
        taken += house.processor.taken
    assert taken == 4, "each once, also what was given up"
    counts = house.counts()
    assert (counts.applied, counts.quarantined, counts.pending) == (3, 1, 0)


def test_a_bug_met_after_a_merge_was_kept_finishes_nothing_twice(house: House) -> None:
    """Screening, not reading, breaks: what came before the merge is on the disk by then."""
    rules = house.keeper.rules
    known = rules.scoring_options

    class Breaks(type(rules)):  # type: ignore[misc]
        def scoring_options(self, site: str) -> object:
            if site == "attikon":
                raise ZeroDivisionError
            return known(site)

    broken = Breaks(**{f.name: getattr(rules, f.name) for f in fields(rules) if f.init})
    house.processor = Processor(house.database, broken, house.keeper, lambda: house.now, lambda: None)
    house.put(ADMITTED, adt("A40", merged="999", control="M1"))
    with house.database.write() as tx:
        inbox.put_many(tx, [raw(oru(control="P1", authority="ATTIKON"), site="attikon")])
    house.put(RESULTS)
    house.work()
    counts = house.counts()
    assert counts.pending == 0
    assert counts.applied >= 3


def test_an_older_visit_is_not_reviewed_for_ever(house: House) -> None:
    house.tell(ADMITTED, oru(*ORGANS, control="R9"))
    house.tell(adt("A01", cls="I", visit="V2", control="A4", at="20260102060000", sent="20260102060100"))
    house.later(hours=30)
    assert house.processor.review() == 0


def test_what_was_told_is_in_the_audit_and_the_chain_holds(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    with house.database.read() as conn:
        assert [line.act.action for line in audit.listing(conn)] == ["alert-raised"]
        assert audit.verify(conn) == []


def test_memory_and_disk_tell_the_same(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    patient = house.row.patient
    with house.database.read() as conn:
        assert patients.load(conn, patient) == house.keeper.known(patient).state


def test_results_before_their_admission_leave_no_second_row_and_no_second_count(house: House) -> None:
    house.tell(oru(ORGANS[0], control="first"))
    with house.database.read() as conn:
        assert worklist.watching_count(conn) == 1
    house.tell(ADMITTED)
    with house.database.read() as conn:
        assert [row.episode for row in worklist.listing(conn)] == ["V1"]
        assert worklist.watching_count(conn) == 1


def test_an_edc_hears_of_the_present_episode_last(tmp_path: Path) -> None:
    edc = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("s", "NCT")))
    house = open_house(tmp_path, outlets=(edc,))
    house.tell(ADMITTED, RESULTS)
    house.tell(
        adt("A03", at="20260102060000", sent="20260102060000", control="A3"),
        adt("A01", visit="V2", cls="E", ward="ED", at="20260102063000", sent="20260102063000", control="A2"),
    )
    with house.database.read() as conn:
        newest = conn.exec_driver_sql("SELECT payload FROM outbox WHERE state = 'waiting'").scalar_one()
        assert {row.episode: row.standing for row in worklist.listing(conn)} == {"V1": False, "V2": True}
    assert '"status":"candidate"' in newest.replace(" ", "")
    house.database.close()


def test_a_withdrawn_row_keeps_its_explanation_while_it_is_shown(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    house.tell(adt("A03", at="20260102060000", sent="20260102060000", control="A3"))
    house.tell(oru(obx("777-3", "200", "10*3/uL", at="20260102070000"), order="late", control="late"))
    assert not house.row.standing
    assert house.row.assessment["criteria"]
