"""RAS, RDE, RDS from HL7 v2 bytes: what was given, with rates, doses, routes and times; orders are context."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.assets import load_rulebook
from adapter.domain.administration import Administration, AdministrationState, standing
from adapter.domain.events import AdministrationStated, ObservationReceived
from adapter.screening.describe import event_json
from adapter.screening.interpret import Interpretation, interpret
from tests.builders import er7, msh, obx, pid, pv1, raw

RULES = load_rulebook(None, trials=())
NORADRENALINE = "C01CA03^norepinephrine^ATC"


def rxa(code: str = NORADRENALINE, amount: str = "0.12", unit: str = "ug/kg/min", **more: str) -> str:
    """RXA with `start`, `end`, `sub` (RXA-2), `per` (12), `strength` (13), `strength_unit` (14), `done` (20), `action` (21)."""
    start = more.get("start", "20260102030000")
    head = f"RXA|0|{more.get('sub', '1')}|{start}|{more.get('end', '')}|{code}|{amount}|{unit}"
    strength = f"{more.get('per', '')}|{more.get('strength', '')}|{more.get('strength_unit', '')}"
    return f"{head}|||||{strength}||||||{more.get('done', 'CP')}|{more.get('action', 'A')}"


def ras(
    *lines: str, kind: str = "RAS^O17", orc: str = "ORC|RE|P1|F1", site: str = "generic", **parts: str
) -> Interpretation:
    parts.setdefault("at", "20260102031000+0000")
    body = er7(msh(kind, **parts), pid(), pv1(), orc, *lines)
    return interpret(raw(body, site=site), RULES, message_id="7")


def given(seen: Interpretation) -> list[Administration]:
    return [event.administration for event in seen.events if isinstance(event, AdministrationStated)]


def one(*lines: str, **parts: str) -> Administration:
    (said,) = given(ras(*lines, **parts))
    return said


def told(said: Administration) -> dict[str, Any]:
    (patient,) = ras(rxa()).patients
    return event_json(AdministrationStated(patient, said))


def test_a_running_infusion_is_given_with_its_rate_unit_route_and_time() -> None:
    said = told(one(rxa(), "RXR|IV^Intravenous^HL70162"))
    assert said == {
        "kind": "administration",
        "substance": "norepinephrine",
        "group": "vasopressor",
        "rate": "0.12",
        "dose": None,
        "unit": "ug/kg/min",
        "concentration": None,
        "route": "iv",
        "start": "2026-01-02T03:00:00+00:00",
        "end": None,
        "state": "given",
        "original": {"value": "0.12", "unit": "ug/kg/min", "code": "C01CA03", "system": "ATC"},
    }


@pytest.mark.parametrize(
    ("line", "rate", "dose", "unit", "concentration"),
    [
        (rxa(amount="8", unit="mL/h", strength="80", strength_unit="ug/mL"), "8", None, "mL/h", "80 mg/L"),
        (rxa(amount="0.5", unit="mg", per="H"), "0.5", None, "mg/h", None),
        (rxa(amount="12", unit="mcg/min"), "12", None, "ug/min", None),
        (rxa("8640^prednisone^RXNORM", amount="20", unit="mg"), None, "20", "mg", None),
        (rxa("H02AB09^hydrocortisone^WC", amount="50", unit="mg", per="X"), None, "50", "mg", None),
    ],
)
def test_rates_and_doses(line: str, rate: str | None, dose: str | None, unit: str, concentration: str | None) -> None:
    said = told(one(line))
    assert (said["rate"], said["dose"], said["unit"], said["concentration"]) == (rate, dose, unit, concentration)


@pytest.mark.parametrize(
    ("line", "orc", "state"),
    [
        (rxa(), "ORC|RE|P1|F1", "given"),
        (rxa(amount="0"), "ORC|RE|P1|F1", "stopped"),
        (rxa(), "ORC|DC|P1|F1", "stopped"),
        (rxa(done="RE"), "ORC|RE|P1|F1", "not-given"),
        (rxa(done="NA"), "ORC|RE|P1|F1", "not-given"),
        (rxa(action="D"), "ORC|RE|P1|F1", "withdrawn"),
    ],
)
def test_the_state_of_an_administration(line: str, orc: str, state: str) -> None:
    assert one(line, orc=orc).state == state


def test_an_order_and_a_dispense_are_context() -> None:
    ordered = one("RXE|^^^20260102040000|H02AB09^hydrocortisone^ATC|50||mg", kind="RDE^O11")
    assert (ordered.state, ordered.start) == (AdministrationState.ORDERED, datetime(2026, 1, 2, 3, 10, tzinfo=UTC))
    timed = one("TQ1|1||||||20260102050000", "RXE||H02AB09^hydrocortisone^ATC|50||mg", kind="RDE^O11")
    assert timed.start == datetime(2026, 1, 2, 5, tzinfo=UTC)
    dispensed = one("RXD|1|H02AB09^hydrocortisone^ATC|20260102040000|2|g", kind="RDS^O13")
    assert (dispensed.state, dispensed.dose and dispensed.dose.unit) == (AdministrationState.DISPENSED, "g")


@pytest.mark.parametrize(
    ("code", "substance", "group"),
    [
        ("L04AC99^a newer one^ATC", "interleukin-inhibitor", "anti-cytokine"),
        ("L04AC07^tocilizumab^ATC", "tocilizumab", "anti-cytokine"),
        ("J04AM02^rifampicin and isoniazid^WC", "antituberculosis-combination", "antituberculosis-combination"),
        ("7512^norepinephrine^RXNORM", "norepinephrine", "vasopressor"),
        ("LOCAL1^x^99PH^C01CA24^adrenaline^ATC", "epinephrine", "vasopressor"),
    ],
)
def test_codes_of_the_formulary_also_by_branch_and_by_the_alternate_code(code: str, substance: str, group: str) -> None:
    said = one(rxa(code, unit="mg"))
    assert (said.substance, said.group) == (substance, group)


def test_a_drug_nobody_asks_about_is_silent_and_an_unknown_code_is_not() -> None:
    paracetamol = ras(rxa("N02BE01^paracetamol^ATC", unit="mg"))
    assert (given(paracetamol), paracetamol.issues) == ([], ())
    unknown = ras(rxa("NA20^Noradrenaline^99PHARM", unit="mg"))
    (issue,) = unknown.issues
    assert (issue.code, issue.where, issue.detail) == ("unmapped-drug", "RXA-5 #1", "NA20")
    glucose = ras(rxa("4850^glucose^RXNORM", unit="g"))
    assert given(glucose) == [], "RxNorm 4850 is glucose, listed as a steroid elsewhere (clinical 3.3)"


def test_the_site_s_own_codes(tmp_path: Any) -> None:
    folder = tmp_path / "mappings" / "sites"
    folder.mkdir(parents=True)
    text = "site: own\nencoding: utf-8\ntimezone: UTC\ndecimal: ','\npatient_identifier: {authority: any, type: MR}\n"
    (folder / "own.yaml").write_text(text + "drugs: {NA20: norepinephrine}\nnot_needed: [PCM]\n")
    rules = load_rulebook(tmp_path, trials=())
    body = er7(msh("RAS^O17"), pid(), pv1(), "ORC|RE|P1|F1", rxa("NA20", amount="0,12"), rxa("PCM", unit="mg"))
    seen = interpret(raw(body, site="own"), rules, message_id="1")
    (said,) = given(seen)
    assert (said.substance, told(said)["rate"]) == ("norepinephrine", "0.12")
    assert seen.issues == ()


def test_an_amount_or_unit_nobody_can_read_is_no_amount_and_the_drug_was_still_given() -> None:
    seen = ras(rxa(amount="some"), rxa(unit="drops", sub="2"))
    assert [(said.rate, said.dose) for said in given(seen)] == [(None, None), (None, None)]
    found = [(issue.code, issue.where, issue.detail) for issue in seen.issues]
    assert found == [("unreadable-value", "RXA-6 #1", ""), ("unmapped-unit", "RXA-7 #2", "drops")]


@pytest.mark.parametrize(
    ("amount", "unit", "code"),
    [
        ("999", "ug/kg/min", "untold-amount"),
        ("999", "mg", "untold-amount"),
        ("-0.1", "ug/kg/min", "unreadable-value"),
        ("120", "ug/kg/min", "impossible-value"),
        ("1", "mg/kg/min", "impossible-value"),
    ],
)
def test_an_amount_that_none_was_given_is_unknown_and_not_that_much(amount: str, unit: str, code: str) -> None:
    seen = ras(rxa(amount=amount, unit=unit))
    (said,) = given(seen)
    assert (said.rate, said.dose, said.original.value, [issue.code for issue in seen.issues]) == (
        None,
        None,
        amount,
        [code],
    )


def test_no_amount_of_what_is_infused_is_reported_where_it_was_given() -> None:
    seen = ras(rxa(amount="", unit=""))
    assert [(issue.code, issue.where) for issue in seen.issues] == [("untold-amount", "RXA-6 #1")]
    for quiet in (rxa(code="J01DD04^ceftriaxone^ATC", amount="", unit=""), rxa(amount="", unit="", done="RE")):
        assert ras(quiet).issues == ()


@pytest.mark.parametrize("per", ["hrs", "/h", "Hours", "^hour", "uur"])
def test_an_amount_per_hour_however_it_is_written(per: str) -> None:
    said = one(rxa(amount="0.5", unit="mg", per=per))
    assert said.rate is not None
    assert (str(said.rate.value), said.rate.unit) == ("1/2", "mg/h")


@pytest.mark.parametrize("per", ["1", "shift", "Q8H"])
def test_an_amount_per_a_time_nobody_knows_is_no_dose_either(per: str) -> None:
    seen = ras(rxa(amount="0.5", unit="mg", per=per))
    (said,) = given(seen)
    assert (said.rate, said.dose, [issue.code for issue in seen.issues]) == (None, None, ["unmapped-unit"])
    assert one(rxa(per='""')).rate is not None


def test_999_of_an_order_and_a_great_rate_of_what_is_not_charted_stand() -> None:
    order = "RXE||C01CA03^norepinephrine^ATC|999||ug"
    assert told(given(ras(order, kind="RDE^O11"))[0])["dose"] == "999"
    assert one(rxa(code="J01DD04^ceftriaxone^ATC", amount="998", unit="mg/h")).rate is not None
    assert one(rxa(amount="49.9", unit="ug/kg/min")).rate is not None


def test_without_a_time_nothing_is_stated() -> None:
    seen = ras(rxa(start=""))
    assert given(seen) == []
    assert [issue.code for issue in seen.issues] == ["no-time"]


def test_observations_inside_are_read_and_counted() -> None:
    seen = ras(rxa(), "RXR|IV", obx("29463-7", "80", "kg", at="20260102020000"))
    assert seen.ledger.as_json()["used"] == 1
    assert [type(event) for event in seen.events if isinstance(event, ObservationReceived)] == [ObservationReceived]


@pytest.mark.parametrize(
    ("word", "route"),
    [("EPIDURAL", "topical"), ("IT", "topical"), ("IV Infusion", "iv"), ("CVC", "iv"), ("by hand", "other"), ("", "")],
)
def test_a_route_by_its_word(word: str, route: str) -> None:
    assert one(rxa(), *([f"RXR|{word}"] if word else [])).route == route


def test_a_route_speaks_of_the_lines_before_it() -> None:
    first, second, third = given(ras(rxa(), rxa(sub="2"), "RXR|IV", rxa(sub="3"), "RXR|PO"))
    assert (first.route, second.route, third.route) == ("iv", "iv", "oral")


def test_of_one_giving_the_statement_told_last_stands() -> None:
    running = one(rxa(), at="20260102030000")
    ended = one(rxa(end="20260102060000"), at="20260102061000")
    gone = one(rxa(action="D"), at="20260102070000")
    other = one(rxa(start="20260102080000"), at="20260102080000")
    assert running.identity == ended.identity == gone.identity != other.identity
    assert standing([ended, running]) == (ended,)
    assert standing([gone, running, ended]) == ()
    assert standing([other, running]) == (running, other)


def test_two_patients_in_one_message_are_refused() -> None:
    body = er7(msh("RAS^O17"), pid(), "ORC|RE|P1|F1", rxa(), pid("101"), "ORC|RE|P2|F2", rxa())
    seen = interpret(raw(body), RULES, message_id="1")
    assert (seen.disposition, seen.reason, seen.events) == ("quarantined", "DUP_PID", ())
