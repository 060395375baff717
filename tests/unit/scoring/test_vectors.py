"""Every cut-point of the table and its two neighbours, in both unit columns."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.domain.assessment import OrganScore
from adapter.domain.observation import Observation
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from tests.builders import T0, after, observation, state_of

VECTORS = list(csv.DictReader((Path(__file__).parents[2] / "vectors/sofa.csv").read_text().splitlines()))
CONVERTED, PRINTED = ScoringOptions(unit_policy="converted"), ScoringOptions(unit_policy="printed")


def organ(row: dict[str, str], options: ScoringOptions | None = None) -> OrganScore:
    at = T0
    given: list[Observation] = []
    if row["concept"] == "pao2":
        given += [
            observation("pao2", row["value"], row["unit"], at, specimen="arterial"),
            observation("fio2", 1, "1", at),
            observation("respiratory-support", row["support"], at=at - timedelta(minutes=30)),
        ]
    elif row["concept"].endswith("-rate"):
        given += [observation(row["concept"], row["value"], row["unit"], at - timedelta(hours=1))]
    else:
        given += [observation(row["concept"], row["value"], row["unit"], at)]
    return score(state_of(*given), after(1), options or ScoringOptions()).organs[row["organ"]]


@pytest.mark.parametrize("row", VECTORS, ids=lambda r: f"{r['concept']} {r['value']} {r['unit']} {r['support']}")
def test_each_cut_point_and_its_neighbours_score_as_printed(row: dict[str, str]) -> None:
    """The other unit column stands in the interval, where it disagrees."""
    found, columns = organ(row), (int(row["score"]), int(row["converted"]))
    assert found.score == columns[0], row["line"]
    assert found.low == min(columns)
    assert found.high == (4 if row["organ"] == "renal" and row["concept"] != "creatinine" else max(columns))
    assert found.settled == (None if columns[0] == columns[1] else max(columns))
    assert ("unit_discordant" in found.flags) == (row["score"] != row["converted"]), row["line"]
    assert organ(row, CONVERTED).score == int(row["converted"]), row["line"]
    alone = organ(row, PRINTED)
    assert (alone.score, alone.settled, alone.low) == (int(row["score"]), None, int(row["score"])), row["line"]
    assert "unit_discordant" not in alone.flags


def test_every_organ_has_vectors() -> None:
    assert {row["organ"] for row in VECTORS} == {
        "respiration",
        "coagulation",
        "liver",
        "cardiovascular",
        "cns",
        "renal",
    }
