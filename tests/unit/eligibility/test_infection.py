"""When an infection was suspected, and when sepsis began where a person says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import Assessment, Sepsis
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.observation import Observation
from adapter.domain.onset import ONSET, onset_note
from adapter.domain.patient import Determination
from adapter.domain.trial import Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.eligibility.explain import as_json
from adapter.eligibility.onset import with_onset
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, given, hours, observation, state_of, visit

Judge = Callable[..., Assessment]
LATE = after(100)


def culture(at: float, organism: str = "no growth", concept: str = "culture-organism") -> Observation:
    return observation(concept, organism, None, after(at))


def antibiotic(at: float, **parts: Any) -> Administration:
    return given("antibacterial", dose="1", unit="g", at=after(at), **parts)


def diagnosis(code: str, at: float, status: str = "active") -> Condition:
    return Condition(code, "icd-10", code, ConditionStatus(status), after(at), "1", digest=f"{code}{status}{at}")


def sepsis(judged: Judge, *results: Observation, at: datetime = LATE, **parts: Any) -> Sepsis:
    return judged(state_of(*results, encounter=visit(), **parts), at).sepsis


@pytest.mark.parametrize(
    ("culture_at", "antibiotic_at", "suspected"),
    [
        (10, 12, 10),
        (12, 10, 10),
        (10, 82, 10),
        (10, 82.01, None),
        (34, 10, 10),
        (34.01, 10, None),
    ],
)
def test_a_culture_and_an_antibiotic_mean_an_infection_at_the_earlier_of_the_two(
    judged: Judge, culture_at: float, antibiotic_at: float, suspected: float | None
) -> None:
    found = sepsis(judged, culture(culture_at), administrations=(antibiotic(antibiotic_at),))
    assert found.infection == (None if suspected is None else after(suspected))
    assert found.infection_basis == ("" if suspected is None else "a culture and an antibiotic")
    assert found.provisional is (suspected is None)


@pytest.mark.parametrize("concept", ["culture-organism", "culture-other"])
def test_any_culture_counts_whatever_grew(judged: Judge, concept: str) -> None:
    assert sepsis(judged, culture(10, concept=concept), administrations=(antibiotic(12),)).infection == after(10)


def test_an_antibiotic_alone_may_be_prophylaxis_and_a_sterile_culture_alone_is_none(judged: Judge) -> None:
    assert sepsis(judged, administrations=(antibiotic(12),)).infection is None
    assert sepsis(judged, culture(10)).infection is None
    assert sepsis(judged, culture(10, "e. coli")).infection == after(10)


def test_a_commensal_may_have_come_from_the_skin_and_is_no_sign_by_itself(judged: Judge) -> None:
    """What else grew counts at its own time; with an antibiotic the culture is a pair whatever grew."""
    skin = culture(10, "staphylococcus epidermidis")
    assert sepsis(judged, skin).infection is None
    assert sepsis(judged, skin, culture(30, "e. coli")).infection == after(30)
    assert sepsis(judged, skin, administrations=(antibiotic(12),)).infection == after(10)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "cancelled",
            "canceled by laboratory",
            "rejected: unlabelled",
            "specimen not received",
            "sample leaked",
            "quantity not sufficient",
        ),
        *(
            "contaminated - please repeat",
            "test not performed",
            "haemolysed",
            "culture in progress",
            "see comment",
            "n/a",
            "ng",
            "ngtd",
        ),
        *("-", "---", ".", ""),
    ],
)
def test_words_that_name_no_organism_are_no_growth(judged: Judge, said: str) -> None:
    assert sepsis(judged, culture(10, said)).infection is None


@pytest.mark.parametrize(
    "said", ["nocardia farcinica", "neisseria meningitidis", "112283007", "gram positive cocci in clusters"]
)
def test_whatever_may_be_an_organism_is_growth(judged: Judge, said: str) -> None:
    assert sepsis(judged, culture(10, said)).infection == after(10)


@pytest.mark.parametrize("state", ["ordered", "not-given", "withdrawn"])
def test_what_was_not_given_is_no_sign(judged: Judge, state: str) -> None:
    assert sepsis(judged, culture(10), administrations=(antibiotic(12, state=state),)).infection is None


@pytest.mark.parametrize("state", ["withdrawn", "not-given"])
def test_an_antibiotic_that_was_taken_back_is_no_sign(judged: Judge, state: str) -> None:
    said = (antibiotic(12, sender_time=after(12)), antibiotic(12, state=state, sender_time=after(13)))
    for told in (said, said[::-1]):
        assert sepsis(judged, culture(10), administrations=told).infection is None


@pytest.mark.parametrize(("at", "parts"), [(12, {"group": "steroid"}), (-30, {})])
def test_an_antibiotic_that_turns_out_another_drug_or_of_another_time_is_no_sign(
    judged: Judge, at: float, parts: dict[str, Any]
) -> None:
    first = antibiotic(12, sender_time=after(12))
    said = (first, replace(antibiotic(at, sender_time=after(13)), identity=first.identity, **parts))
    for told in (said, said[::-1]):
        assert sepsis(judged, culture(10), administrations=told).infection is None


def test_signs_of_an_earlier_stay_are_not_of_this_one(judged: Judge) -> None:
    """Nor is a pneumonia that was recorded days before."""
    early = sepsis(judged, culture(-2), administrations=(antibiotic(-1),), conditions=(diagnosis("J18.9", -30),))
    assert early.infection is None


@pytest.mark.parametrize(
    ("grown_at", "now", "suspected"),
    [(-0.01, 20, False), (0, 20, True), (10, 10, True), (10, 9.99, False)],
)
def test_a_culture_that_grew_counts_from_the_admission_until_now(
    judged: Judge, grown_at: float, now: float, suspected: bool
) -> None:
    found = sepsis(judged, culture(grown_at, "e. coli"), at=after(now))
    known = (after(grown_at), "a culture grew") if suspected else (None, "")
    assert (found.infection, found.infection_basis) == known


@pytest.mark.parametrize(("given_at", "suspected"), [(-0.01, None), (0, T0), (20, after(5))])
def test_an_antibiotic_counts_from_the_moment_of_admission(
    judged: Judge, given_at: float, suspected: datetime | None
) -> None:
    """One given before may have been for another illness, however close the culture."""
    assert sepsis(judged, culture(5), administrations=(antibiotic(given_at),)).infection == suspected


def test_an_antibiotic_told_later_is_looked_at_on_the_same_chart(immunosep: Trial) -> None:
    chart, found = Chart(state_of(culture(10), encounter=visit())), list[datetime | None]()
    for drugs in ((), (antibiotic(12),)):
        chart = chart.followed_by(replace(chart.state, administrations=drugs))
        found.append(assess(immunosep, chart, LATE, options=ScoringOptions(), rulebook="").sepsis.infection)
    assert found == [None, after(10)]


def test_without_a_known_admission_a_diagnosis_counts_when_it_was_recorded(judged: Judge) -> None:
    found = judged(state_of(conditions=(diagnosis("J18.9", 5),)), LATE).sepsis
    assert (found.infection, found.infection_basis) == (after(5), "a diagnosis was recorded")


@pytest.mark.parametrize(
    ("code", "at", "status", "suspected"),
    [
        ("J18.9", -24, "active", None),  # of the day before, to the hour
        ("J18.9", -23.99, "active", T0),
        ("J18.9", 5, "active", after(5)),
        ("A41.9", 5, "active", after(5)),
        ("J18.9", -3, "active", T0),  # the day of admission, as a date alone
        ("J18.9", 5, "refuted", None),
        ("N10", 5, "active", None),  # not one this trial looks for
        ("J18.9", 200, "active", None),
    ],
)
def test_a_diagnosis_of_the_stay_is_a_sign(
    judged: Judge, code: str, at: float, status: str, suspected: datetime | None
) -> None:
    assert sepsis(judged, conditions=(diagnosis(code, at, status),)).infection == suspected


def test_the_earliest_sign_counts_and_says_what_it_is(judged: Judge, answered: Callable[..., Determination]) -> None:
    told = {"conditions": (diagnosis("J18.9", 20),), "administrations": (antibiotic(12),)}
    assert sepsis(judged, culture(10), **told).infection_basis == "a culture and an antibiotic"
    recorded = sepsis(judged, culture(10), determinations=(answered("I5", "met", after(3)),), **told)
    assert (recorded.infection, recorded.infection_basis) == (after(3), "a person recorded it")


@pytest.mark.parametrize(
    ("answered_at", "infection", "basis"),
    [
        (82, 10, "a culture and an antibiotic"),
        (82.01, 82.01, "a person recorded it"),
        (95, 90, "a culture grew"),
    ],
)
def test_an_answer_stands_over_a_sign_of_long_before_and_confirms_one_of_its_own_clock(
    judged: Judge, answered: Callable[..., Determination], answered_at: float, infection: float, basis: str
) -> None:
    """Before an operation: a sterile culture and what was given to prevent an infection."""
    signs = (culture(10), culture(90, "e. coli"))
    told = {"administrations": (antibiotic(12),), "determinations": (answered("I5", "met", after(answered_at)),)}
    found = sepsis(judged, *signs, **told)
    assert (found.infection, found.infection_basis) == (after(infection), basis)


def test_what_is_known_later_is_not_known_now(judged: Judge) -> None:
    given_later = (antibiotic(12),)
    assert sepsis(judged, culture(10), at=after(11), administrations=given_later).infection is None
    assert sepsis(judged, culture(10), at=after(12), administrations=given_later).infection == after(10)


# --- a person's own onset -------------------------------------------------------------------------------------------


def stated(began: datetime, at: datetime, answer: str = "met", reason: str = "seen on the ward") -> Determination:
    note = onset_note(began, reason) if answer == "met" else reason
    return Determination("immunosep", ONSET, Truth(answer), at, "ilse", note, digest=f"{answer}{at}")


@pytest.fixture
def septic(six_organs: Callable[..., tuple[Observation, ...]]) -> tuple[Observation, ...]:
    """SOFA 3 by platelets from T0 on."""
    return six_organs(platelets=45)


def test_a_person_states_the_onset_and_the_computed_one_stays_beside_it(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    alone = sepsis(judged, *septic, at=after(5))
    assert (alone.onset, alone.onset_computed, alone.onset_by) == (T0, T0, "")
    found = sepsis(judged, *septic, at=after(5), determinations=(stated(after(2), after(4)),))
    assert (found.onset, found.onset_computed) == (after(2), T0)
    assert (found.onset_by, found.onset_reason) == ("ilse", "seen on the ward")
    assert found.deadline == after(74)


def test_a_stated_onset_says_that_there_is_sepsis(
    judged: Judge, septic: tuple[Observation, ...], criterion: Callable[..., Any]
) -> None:
    told = judged(state_of(encounter=visit(), determinations=(stated(after(2), after(4)),)), after(5))
    assert (criterion(told, "I6").answer, criterion(told, "I6").determined_by) == ("met", "ilse")
    no = Determination("immunosep", "I6", Truth.NOT_MET, after(4.5), "ben")
    both = judged(state_of(*septic, encounter=visit(), determinations=(stated(after(2), after(4)), no)), after(5))
    assert (both.sepsis.onset, both.sepsis.onset_computed, criterion(both, "I6").answer) == (None, T0, "not-met")


def test_the_criterion_takes_over_what_was_stated(immunosep: Trial) -> None:
    said = stated(after(2), after(4))
    told = with_onset(immunosep, {ONSET: said})
    assert told == {ONSET: said, "I6": replace(said, criterion="I6", note="seen on the ward")}


def test_the_clock_runs_out_by_what_was_stated(judged: Judge, septic: tuple[Observation, ...]) -> None:
    early = state_of(*septic, encounter=visit(), determinations=(stated(T0 - hours(60), after(4)),))
    assert judged(early, after(11)).flags.count("less_than_12_h_left") == 1
    assert judged(early, after(12)).verdict in {"expired", "not-candidate"}
    assert "less_than_12_h_left" not in judged(early, after(12)).flags


def test_it_can_be_taken_back(judged: Judge, septic: tuple[Observation, ...]) -> None:
    both = (stated(after(2), after(4)), stated(after(2), after(5), "unknown"))
    found = sepsis(judged, *septic, at=after(6), determinations=both)
    assert (found.onset, found.onset_by) == (T0, "")


@pytest.mark.parametrize("note", ["", "soon", "2026-01-02T08:00:00 no offset"])
def test_a_note_without_a_moment_states_nothing(judged: Judge, septic: tuple[Observation, ...], note: str) -> None:
    broken = Determination("immunosep", ONSET, Truth.MET, after(4), "ilse", note)
    assert sepsis(judged, *septic, at=after(6), determinations=(broken,)).onset == T0


def test_both_stand_in_the_explanation(judged: Judge, septic: tuple[Observation, ...]) -> None:
    athens = after(2).astimezone(ZoneInfo("Europe/Athens"))
    patient = state_of(*septic, encounter=visit(), determinations=(stated(athens, after(4)),))
    told = as_json(judged(patient, after(5)), patient="x", software="y")["sepsis"]
    assert told["onset"] == after(2).isoformat()  # in UTC, on whatever clock it was stated
    assert told["onset_computed"] == T0.isoformat()
    assert (told["onset_by"], told["onset_reason"]) == ("ilse", "seen on the ward")
    assert timedelta(hours=told["hours_left"]) == timedelta(hours=69)
