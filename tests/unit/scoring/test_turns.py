"""When a conclusion may change although nothing is told: a chart that remembers says what one says that forgets."""

from datetime import timedelta
from itertools import chain

import pytest

from adapter.domain.administration import Administration
from adapter.domain.observation import Observation
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.sofa2 import score_2
from tests.builders import T0, after, given, hours, observation, state_of

Told = Observation | Administration
OPTIONS = ScoringOptions()
STEP = timedelta.resolution
AGES = [hours(n) for n in (0, 1, 2, 3, 23, 24, 24.75, 25, 26, 27 + 5 / 60, 29, 30)]
"""An hour of an infusion, its hold, a day, a day and a pressure's reach, a day and a hold and an hour and its gap, urine's look back."""
MAP = [observation("map", value, at=T0 + timedelta(minutes=15 * i)) for i, value in enumerate((80, 60, 62, 61))]
LINE = observation("map-arterial", 85, at=T0 + timedelta(minutes=10)), observation("map-cuff", 60)
MEAN = observation("sbp", 90), observation("dbp", 50), observation("map-cuff", 75, at=T0 + timedelta(minutes=15))
RATE = observation("norepinephrine-rate", "0.2")
RATES = (
    RATE,
    observation("norepinephrine-rate", "0.05", at=after(1.5)),
    observation("norepinephrine-rate", 0, at=after(3)),
)
LONG = [observation("norepinephrine-rate", "0.2" if hour else "0.12", at=after(hour)) for hour in (0, *range(1, 30, 2))]
BESIDE = observation("vasopressin-rate", "0.03"), given("milrinone", "0.5", at=after(1))
GIVEN = given("norepinephrine", "0.5", "mg/h", until=after(2)), observation("weight", 80, at=after(1))
STATED = given("epinephrine", "0.5", "mg/h", until=after(2)), observation("weight-stated", 40, at=after(3))
TOGETHER = given("norepinephrine", "0.15", until=after(2)), given("epinephrine", "0.1", at=after(1), until=after(2))
PARTS = observation("gcs-eye", 3), observation("gcs-verbal", 4, at=after(2)), observation("gcs-motor", 5, at=after(3))
COMA = observation("gcs-total", 9), observation("rass", -4, at=after(1)), given("propofol", "3", "mg/kg/h", at=after(2))
URINE = [observation("urine-output", 15, at=after(hour)) for hour in range(25)]
RINSED = [observation("urine-output", 15, at=after(h)) for h in (0, 6, 12, 23)], observation("bladder-irrigation", 9)
LUNG = observation("pao2", 75, specimen="arterial"), observation("fio2", "0.5"), observation("spo2", 90, at=after(1))
MACHINES = observation("circulatory-support", "va-ecmo"), observation("renal-replacement", "crrt", at=after(1))


@pytest.mark.parametrize(
    "told",
    [MAP, LINE, MEAN, [RATE], RATES, LONG, BESIDE, GIVEN, STATED, TOGETHER, PARTS, COMA, URINE, [*RINSED[0], RINSED[1]], LUNG, MACHINES],
    ids=["map", "line", "mean", "rate", "rates", "long", "beside", "given", "stated", "together", "parts", "coma", "urine", "rinsed", "lung", "machines"],
)  # fmt: skip
def test_asked_at_every_turn_a_chart_says_what_it_would_say_anew(told: list[Told]) -> None:
    results = [one for one in told if isinstance(one, Observation)]
    state = state_of(*results, administrations=tuple(one for one in told if isinstance(one, Administration)))
    begun = {one.effective if isinstance(one, Observation) else one.start for one in told[:4]}
    chart = Chart(state)
    for at in sorted(
        set(chain.from_iterable((t + age - STEP, t + age, t + age + STEP) for t in begun for age in AGES))
    ):
        assert score(chart, at, OPTIONS) == score(state, at, OPTIONS), at
        assert score_2(chart, at, OPTIONS) == score_2(state, at, OPTIONS), at
