"""What holds for every bundle."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.bundle import bundle_text, candidate_bundle
from adapter.fhir.ids import resource_id
from adapter.fhir.subject import ASSERTED, merged
from tests.assessments import AT, CONTEXT, assessment, evidence, organ, sofa

SECRET = b"s" * 32
CONCEPTS = st.sampled_from(["platelets", "creatinine", "map", "pao2", "culture-organism", "unheard-of"])
VALUES = st.decimals(0, 10_000, places=3).map(str) | st.text(max_size=12) | st.just(">2000")
EVIDENCE = st.builds(
    lambda concept, value, hours, identity: evidence(
        concept, value, "1", effective=AT - timedelta(hours=hours), identity=identity
    ),
    CONCEPTS,
    VALUES,
    st.integers(0, 30),
    st.sampled_from(["", "one", "two"]),
)


@given(found=st.lists(EVIDENCE, max_size=8), score=st.none() | st.integers(0, 4))
def test_any_evidence_gives_a_sound_bundle_and_the_same_bytes_again(found: list[object], score: int | None) -> None:
    def text() -> str:
        scored = sofa(renal=organ(score, *found))  # type: ignore[arg-type]
        return bundle_text(candidate_bundle(assessment(sofa=scored), screening_id="7Q2KX", context=CONTEXT))

    once = text()
    names = [entry["fullUrl"] for entry in json.loads(once)["entry"]]
    assert once == text()
    assert len(set(names)) == len(names)
    assert set(re.findall(r'"reference":"([^"]*)"', once)) <= set(names)


@given(st.text(), st.text(), st.text())
def test_an_id_is_a_uuid_that_depends_on_everything(screening_id: str, key: str, other: str) -> None:
    ours = resource_id(SECRET, "t", "r", screening_id, key)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ours)
    assert (resource_id(SECRET, "t", "r", screening_id, other) == ours) == (other == key)


OURS: dict[str, Any] = candidate_bundle(assessment(), screening_id="7Q2KX", context=CONTEXT)["entry"][0]["resource"]
STATUSES = st.sampled_from(["candidate", "screening", "on-study", "ineligible"])


@given(asserted=st.none() | STATUSES, held=STATUSES, wanted=st.lists(STATUSES, min_size=1, max_size=4))
def test_a_status_somebody_else_set_is_never_touched_again(asserted: str | None, held: str, wanted: list[str]) -> None:
    def subject(status: str, said: str | None) -> dict[str, object]:
        parts = [p for p in OURS["extension"][0]["extension"] if p["url"] != ASSERTED]
        said_part = [{"url": ASSERTED, "valueCode": said}] if said else []
        return OURS | {"status": status, "extension": [{**OURS["extension"][0], "extension": [*parts, *said_part]}]}

    current = subject(held, asserted)
    for status in wanted:
        current = merged(current, subject(status, status))
    assert current["status"] == (wanted[-1] if asserted == held else held)


@given(st.decimals(Decimal("0.001"), 100_000, places=3))
def test_a_number_is_told_with_all_its_digits(value: Decimal) -> None:
    given_ = assessment(stratum_evidence=(evidence("ferritin", str(value), "ng/mL"),), facts={})
    bundle = json.loads(
        bundle_text(candidate_bundle(given_, screening_id="7Q2KX", context=CONTEXT)), parse_float=Decimal
    )
    ferritin = next(
        e["resource"] for e in bundle["entry"] if "2276-4" in json.dumps(e["resource"].get("code", {}), default=str)
    )
    assert Decimal(ferritin["valueQuantity"]["value"]) == value
