from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.observation import Laboratory, Observation, Original, ResultStatus
from adapter.domain.quantity import Comparator, Quantity
from adapter.mapping.identity import fingerprint, result_digest, result_identity, text_digest

TEXT = st.text(max_size=12) | st.sampled_from(["", '"', "\\", "µmol/L", "\0", "\udce9", "𝛍"])
AT = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 — the strategy adds the zone
QUANTITIES = st.none() | st.builds(Quantity, st.fractions(), TEXT, st.none() | st.sampled_from(Comparator))


def listed(quantity: Quantity | None) -> list[str] | None:
    return None if quantity is None else [str(quantity.value), quantity.unit, str(quantity.comparator or "")]


@given(TEXT, TEXT, TEXT, TEXT, st.none() | AT)
def test_an_identity_is_the_fingerprint_of_its_parts(
    site: str, order: str, concept: str, sub: str, at: datetime | None
) -> None:
    """Written by hand for speed; stores of other versions hold the same."""
    made = result_identity(site=site, order=order, concept=concept, sub_id=sub, effective=at)
    assert made == fingerprint(["result", site, order, concept, sub, at and at.isoformat()])[:32]


@given(
    st.builds(
        Observation,
        identity=TEXT,
        concept=TEXT,
        effective=AT,
        status=st.sampled_from(ResultStatus),
        original=st.builds(Original, TEXT, TEXT, TEXT, TEXT),
        message=TEXT,
        quantity=QUANTITIES,
        native=QUANTITIES,
        code=st.none() | TEXT,
        issued=st.none() | AT,
        laboratory=st.sampled_from(Laboratory),
        specimen=TEXT,
        specimen_id=TEXT,
        visit=TEXT,
        flags=st.lists(TEXT, max_size=3).map(tuple),
    )
)
def test_a_digest_is_the_fingerprint_of_what_is_stated(o: Observation) -> None:
    """As above."""
    was = [o.original.value, o.original.unit, o.original.code, o.original.system]
    said = [listed(o.quantity), listed(o.native), o.code, str(o.status), str(o.laboratory)]
    times = [o.effective.isoformat(), o.issued and o.issued.isoformat()]
    parts = [o.identity, o.concept, was, said, times, o.specimen, o.specimen_id, o.visit, list(o.flags)]
    assert result_digest(o) == fingerprint(parts)


def test_known_digests_stand() -> None:
    """Golden: they are in every store there is."""
    at = datetime(2026, 1, 2, 3, tzinfo=UTC)
    quantity = Quantity(Fraction(6, 5), "mg/dL")
    made = Observation(
        "i", "creatinine", at, ResultStatus.FINAL, Original("1.2", "mg/dL", "2160-0", "LN"), "1", quantity
    )
    assert result_digest(made) == "f566b1d7f2ab44f54e62ed14b48671544d3cea11e2579ac32d496d4fdf953dfa"


@given(TEXT)
def test_the_digest_of_a_text_is_that_of_a_list_of_it(text: str) -> None:
    assert text_digest(text) == fingerprint([text])
