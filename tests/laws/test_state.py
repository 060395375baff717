"""The state is a join: any order and any repetition of the same events ends in the same state."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.events import (
    ClinicalEvent,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    StatusDecided,
)
from adapter.domain.observation import Observation, Original, ResultStatus
from adapter.domain.patient import Decision, Demographics, Determination, PatientId, PatientState, Stated
from adapter.domain.quantity import Quantity
from adapter.domain.truth import Truth
from adapter.domain.visits import visits
from adapter.screening.state import apply_all

WHO = PatientId("site", "HOSP", "1")
T0 = datetime(2026, 1, 2, tzinfo=UTC)
moments = st.integers(0, 6).map(lambda hours: T0 + timedelta(hours=hours))


@st.composite
def observations(draw: st.DrawFn) -> ClinicalEvent:
    concept = draw(st.sampled_from(["platelets", "creatinine"]))
    sub, value = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    status, issued = draw(st.sampled_from(ResultStatus)), draw(st.none() | moments)
    effective = draw(moments)
    bare = status in {ResultStatus.WITHDRAWN, ResultStatus.PROMOTED}
    return ObservationReceived(
        WHO,
        Observation(
            identity=f"{concept}{sub}",
            concept=concept,
            effective=effective,
            status=status,
            original=Original("" if bare else str(value), "1", "x", "LN"),
            message="1",
            quantity=None if bare else Quantity(Fraction(value), "1"),
            issued=issued,
            sender_time=draw(st.none() | moments),
            digest=f"{status}{value}{issued}{effective}",
        ),
    )


@st.composite
def statements(draw: st.DrawFn) -> ClinicalEvent:
    action, at = draw(st.sampled_from(EncounterAction)), draw(moments)
    ward, kind = draw(st.sampled_from(["", "ED", "ICU"])), draw(st.sampled_from([None, *EncounterClass]))
    visit, began = draw(st.sampled_from(["V1", "V2"])), draw(st.none() | moments)
    return EncounterChanged(
        WHO,
        EncounterStatement(
            visit,
            action,
            at,
            kind,
            ward,
            "",
            draw(st.none() | moments),
            f"{visit}{action}{at}{ward}{kind}{began}",
            "1",
            admitted=began,
        ),
    )


described = st.builds(
    lambda name, value, at: PatientDescribed(WHO, Demographics({name: Stated(value, at)})),
    st.sampled_from(["family", "sex", "birth_date"]),
    st.sampled_from(["", "A", "B"]),
    moments,
)
determined = st.builds(
    lambda answer, at: CriterionDetermined(WHO, Determination("t", "I4", answer, at, "kim", digest=f"{answer}{at}")),
    st.sampled_from(Truth),
    moments,
)
decided = st.builds(
    lambda status, at: StatusDecided(WHO, Decision("t", "V1", status, at, "kim", digest=f"{status}{at}")),
    st.sampled_from(["screening", "declined"]),
    moments,
)
events = st.lists(observations() | statements() | described | determined | decided, min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_the_state_does_not_depend_on_order_or_repetition(said: list[ClinicalEvent], random: object) -> None:
    empty = PatientState(WHO)
    shuffled = [*said, *said[: len(said) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = apply_all(empty, said), apply_all(empty, shuffled)
    assert first == second
    assert visits(first.statements) == visits(second.statements)


@settings(max_examples=100, deadline=None)
@given(events)
def test_saying_everything_again_changes_nothing(said: list[ClinicalEvent]) -> None:
    once = apply_all(PatientState(WHO), said)
    assert apply_all(once, said) == once
