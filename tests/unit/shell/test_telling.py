"""`adapter explain` for people: values, messages, rules and sources, each on a line of its own."""

from collections.abc import Mapping
from typing import Any

from adapter.cli.telling import told
from tests.bedside import Patient


def explained(hour: float) -> dict[str, Any]:
    sick = {"pao2": "75", "fio2": "50", "plt": "88", "bili": "24", "map": "64", "gcs": "14", "crea": "190"}
    patient = Patient(site="attikon").admit(ward="TEP").labs(1, **sick).labs(1.5, ferritin="5200")
    return patient.explain(hour)


def with_source(value: Any) -> Any:
    """As the command does it from the inbox."""
    if isinstance(value, Mapping):
        more = {"source": "lab", "type": "ORU^R01"} if "message" in value else {}
        return {name: with_source(inner) for name, inner in value.items()} | more
    return [with_source(inner) for inner in value] if isinstance(value, list) else value


def test_each_value_is_told_canonical_and_as_reported_with_time_and_message() -> None:
    lines = told(with_source(explained(2))).splitlines()
    (found,) = {line.strip() for line in lines if line.strip().startswith("creatinine")}
    assert found.startswith("creatinine 2.14932 mg/dL, reported as 190 umol/L, 2026-03-02T")
    assert "message 2 (lab ORU^R01)" in found
    assert any("platelets 88 10*3/uL, reported as 88 K/ul" in line for line in lines)


def test_each_organ_and_criterion_is_told_with_its_rule_and_source() -> None:
    text = told(explained(2))
    assert text.count("      source: registry NCT04990232") == 23
    assert text.count("      rule: ") == 23 + 6
    assert "      rule: neutrophils.latest below 1.5 10*3/uL within 48 h" in text
    assert "message 2\n" in text


def test_the_score_at_onset_stands_beside_that_of_today() -> None:
    old = told(explained(50)).splitlines()
    assert next(line for line in old if line.startswith("SOFA 0 to 24 over 24 h, ")).endswith("hours left")
    assert any(" at onset 2026-03-02T" in line for line in old)
    assert "at onset" not in told(Patient().admit().labs(1, plt="200").explain(2))
