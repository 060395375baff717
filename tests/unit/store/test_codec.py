import json
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.observation import Laboratory, Observation, Original, ResultStatus
from adapter.domain.patient import Decision, Demographics, Determination, Stated
from adapter.domain.quantity import Comparator, Quantity
from adapter.domain.truth import Truth
from adapter.store import codec

text = st.text(max_size=20) | st.sampled_from(["", '""', "\udce9", "ΑΒΓ", "a\x00b"])
moments = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 — the strategy adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 — as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=3, minutes=30))]),
)
quantities = st.builds(Quantity, st.fractions(), text, st.none() | st.sampled_from(Comparator))
observations = st.builds(
    Observation,
    identity=text,
    concept=text,
    effective=moments,
    status=st.sampled_from(ResultStatus),
    original=st.builds(Original, text, text, text, text),
    message=text,
    quantity=st.none() | quantities,
    native=st.none() | quantities,
    code=st.none() | text,
    issued=st.none() | moments,
    sender_time=st.none() | moments,
    laboratory=st.sampled_from(Laboratory),
    specimen=text,
    specimen_id=text,
    visit=text,
    flags=st.lists(text, max_size=3).map(tuple),
    digest=text,
)


@given(st.lists(observations, max_size=3).map(tuple))
def test_a_result_is_written_as_canonical_json_is(versions: tuple[Observation, ...]) -> None:
    """By hand, for speed; one text for one value all the same."""
    said = codec.versions_text(versions)
    assert said == codec.canonical(json.loads(said))


@given(st.lists(observations, max_size=3).map(tuple))
def test_observations_come_back_exactly(versions: tuple[Observation, ...]) -> None:
    read = codec.read_versions(codec.versions_text(versions))
    assert read == versions
    assert [version.digest for version in read] == [version.digest for version in versions]
    assert [version.effective.utcoffset() for version in read] == [v.effective.utcoffset() for v in versions]


@given(
    st.builds(
        EncounterStatement,
        text,
        st.sampled_from(EncounterAction),
        moments,
        st.none() | st.sampled_from(EncounterClass),
        text,
        text,
        st.none() | moments,
        text,
        text,
        st.booleans(),
        st.none() | moments,
    )
)
def test_encounter_statements_come_back_exactly(statement: EncounterStatement) -> None:
    assert codec.read_statement(codec.statement_text(statement)) == statement


@given(
    st.builds(Determination, text, text, st.sampled_from(Truth), moments, text, text, text),
    st.builds(Decision, text, text, text, moments, text, text, text, text),
    st.builds(Demographics, st.dictionaries(text, st.builds(Stated, text, moments, text), max_size=3)),
)
def test_what_people_said_comes_back_exactly(said: Determination, decided: Decision, who: Demographics) -> None:
    assert codec.read_determination(codec.determination_text(said)) == said
    assert codec.read_decision(codec.decision_text(decided)) == decided
    assert codec.read_demographics(codec.demographics_text(who)) == who


@given(moments, moments)
def test_stored_instants_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert (codec.instant(one) < codec.instant(other)) == (one < other)
    assert codec.moment(codec.instant(one)) == one


def test_a_fraction_that_no_decimal_holds_stays_exact() -> None:
    third = Quantity(Fraction(10, 3) * Fraction(1, 171), "mg/dL", Comparator.LESS)
    observation = Observation(
        "i", "bilirubin", datetime(2026, 1, 1, tzinfo=UTC), ResultStatus.FINAL, Original("", "", "", ""), "1", third
    )
    assert codec.read_versions(codec.versions_text((observation,)))[0].quantity == third


@given(text)
def test_storable_text_is_utf8(given_text: str) -> None:
    codec.storable(given_text).encode("utf-8")


def test_canonical_json_has_one_spelling_and_no_nan() -> None:
    assert codec.canonical({"b": 1, "a": "Ä"}) == '{"a":"\\u00c4","b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.canonical(float("nan"))
