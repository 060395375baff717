"""The synthetic hospital: repeatable, of the promised mix, in time order, and understood whole at its site."""

import os
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise

import pytest

from adapter import assets
from adapter.domain.ledger import Bucket
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId, PatientState
from adapter.eligibility.evaluate import assess
from adapter.errors import MalformedMessageError
from adapter.hl7.er7 import Message, parse
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import apply_all
from adapter.simulation.dialect import ATTIKON, DIALECTS, GENERIC, NETHERLANDS, Dialect
from adapter.simulation.hospital import hospital
from adapter.simulation.messages import Sent
from adapter.simulation.traffic import DAY, Plan, Traffic, evening_before_the_change

BEDS = int(os.environ.get("SIMULATION_BEDS", "60"))
START = datetime(2025, 10, 25, 15, tzinfo=UTC)
UNDERSTOOD = {Bucket.USED, Bucket.KNOWN_NOT_NEEDED, Bucket.WITHDRAWN}


@cache
def rules() -> Rulebook:
    return assets.load_rulebook(None, trials=("immunosep-demo",), production=True)


@cache
def two_hours() -> tuple[Sent, ...]:
    return tuple(hospital(Plan(ATTIKON, START, hours=2)))


def bodies(plan: Plan) -> list[bytes]:
    return [sent.body for sent in hospital(plan)]


def read(sent: Sent, number: int = 1) -> Interpretation:
    message = RawMessage("lab", sent.site, MessageKind.HL7V2, sent.body, START + sent.after)
    return interpret(message, rules(), message_id=str(number))


def header(sent: Sent) -> Message:
    return parse(sent.body, "utf-8")


def test_the_same_plan_gives_the_same_bytes() -> None:
    plan = Plan(GENERIC, START, hours=1, beds=100)
    assert bodies(plan) == bodies(plan)
    assert bodies(plan) != bodies(Plan(GENERIC, START, hours=1, beds=100, seed=2))
    assert bodies(plan) != bodies(Plan(GENERIC, START + timedelta(hours=1), hours=1, beds=100))


def test_the_shares_of_two_hours_of_a_thousand_beds_are_those_of_the_mix() -> None:
    sent = two_hours()
    assert len(sent) == pytest.approx(Plan(ATTIKON, START, hours=2).expected(), rel=0.05)
    oddities = Counter(one.oddity for one in sent)
    usual = Traffic()
    for name in ("duplicate", "late", "corrected", "cancelled", "malformed"):
        share = getattr(usual, name)
        assert oddities[name] / len(sent) == pytest.approx(share, rel=0.25, abs=0.0006), name
    assert oddities["merge"] == 1
    movements = sum(one.type.startswith("ADT") for one in sent)
    assert movements / len(sent) == pytest.approx(0.20, abs=0.015)


def test_a_day_has_three_messages_a_second_at_the_mean_ten_in_the_morning_and_twenty_merges() -> None:
    assert sum(DAY) / len(DAY) == pytest.approx(3.0)
    plan = Plan(ATTIKON, evening_before_the_change(ATTIKON.zone))
    assert max(plan.rate(plan.start + timedelta(hours=hour)) for hour in range(24)) == 10
    assert plan.merges_until(plan.end) == 20
    assert plan.restarts_until(plan.end) == 2


def test_messages_come_in_the_order_of_sending_and_late_ones_tell_of_more_than_an_hour_ago() -> None:
    sent = two_hours()
    assert all(a.after <= b.after for a, b in pairwise(sent))
    late = [one for one in sent if one.oddity == "late"]
    assert late
    for one in late[:50]:
        said = datetime.strptime(header(one).header.text(7), "%Y%m%d%H%M%S").replace(tzinfo=ATTIKON.zone)
        assert said < START + one.after - timedelta(hours=1)


def test_a_doubled_message_is_one_sent_before_and_a_correction_keeps_the_order_number() -> None:
    seen: set[bytes] = set()
    orders: set[str] = set()
    for one in two_hours():
        if one.oddity == "duplicate":
            assert one.body in seen
        elif one.oddity == "corrected":
            message = header(one)
            assert {obx.text(11) for obx in message.all("OBX")} == {"C"}
            assert message.all("OBR")[0].text(3) in orders
        elif one.type == "ORU^R01" and one.oddity != "malformed":
            orders.add(header(one).all("OBR")[0].text(3))
        seen.add(one.body)


def test_a_sender_that_restarts_counts_from_one_again() -> None:
    plan = Plan(GENERIC, START, hours=3, beds=60, traffic=Traffic(malformed=0, duplicate=0))
    controls = [header(one).header.text(10) for one in hospital(plan)]
    assert controls.count("1") == 3
    assert len(set(bodies(plan))) == len(controls)


def test_clocks_go_back_in_the_night_and_the_sender_says_the_hour_twice() -> None:
    start = evening_before_the_change(NETHERLANDS.zone)
    plan = Plan(NETHERLANDS, start, hours=12, beds=15, traffic=Traffic(late=0, duplicate=0, malformed=0))
    said = [header(one).header.text(7) for one in hospital(plan)]
    assert sum(b < a for a, b in pairwise(said)) == 1


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.site)
def test_every_message_is_understood_at_its_site(dialect: Dialect) -> None:
    mix = Traffic(adt=0.5, septic=0.3, cancelled=0.02, malformed=0.005, merges=3000)
    types: Counter[str] = Counter()
    for one in hospital(Plan(dialect, START, hours=3, beds=BEDS, traffic=mix)):
        if one.oddity == "malformed":
            try:
                assert read(one).disposition == "quarantined"
            except MalformedMessageError:
                continue
            continue
        seen = read(one)
        assert seen.disposition == "applied", (one.type, seen.reason)
        assert not seen.issues, one.type
        assert {bucket for bucket, count in seen.ledger.counts.items() if count} <= UNDERSTOOD
        types[one.type] += 1
    assert {"ORU^R01", "ADT^A01", "ADT^A02", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A31", "ADT^A40"} <= set(types)


@pytest.mark.no_cover
def test_some_of_the_septic_become_candidates() -> None:
    start = START - timedelta(hours=9)
    busy = Traffic(septic=0.5, malformed=0, merges=0, adt=0.4, busy=3)
    states: dict[PatientId, PatientState] = {}
    for number, one in enumerate(hospital(Plan(ATTIKON, start, hours=8, beds=16, traffic=busy))):
        seen = read(one, number)
        patient = seen.patients[0]
        states[patient] = apply_all(states.get(patient) or PatientState(patient), seen.events)
    options = rules().scoring_options("attikon")
    judged = [assess(rules().trials[0], state, START, options=options, rulebook="") for state in states.values()]
    assert 0 < sum(str(one.verdict) in {"candidate", "expired"} for one in judged) < len(judged)


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_hours() -> None:
    feed = hospital(Plan(GENERIC, START, hours=1000, beds=20))
    tracemalloc.start()
    try:
        for _ in islice(feed, 1500):
            pass
        early = tracemalloc.get_traced_memory()[0]
        for _ in islice(feed, 3000):
            pass
        assert tracemalloc.get_traced_memory()[0] < early + 200_000
    finally:
        tracemalloc.stop()
