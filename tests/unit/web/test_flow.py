"""The flow of patients and its figures, without a store: every step adds up, whatever people decided in whatever order."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.patient import Decision, PatientId
from adapter.domain.trial import Trial
from adapter.store.screening_log import Answered, Judged, Logged
from adapter.web import figures, flow
from adapter.web.flow import Stage
from adapter.web.pictures import bar_picture, flow_picture
from tests.builders import T0, hours
from tests.web_house import rules

TRIAL: Trial = rules().trials[0]
CHOICES = [(name, reason) for name, reasons in TRIAL.statuses for reason in (reasons or ("",))]
EMPTY = Judged(0, 0, {})


def logged(*choices: tuple[str, str], **parts: object) -> Logged:
    """Flagged at `T0`, then decided hour by hour."""
    made = tuple(
        Decision(TRIAL.id, "V1", status, T0 + hours(n), "anna", reason, digest=str(n))
        for n, (status, reason) in enumerate(choices, 1)
    )
    plain = Logged(
        id="c1", patient=PatientId("generic", "HOSP", "1"), trial=TRIAL.id, episode="V1", verdict="candidate",
        certainty="certain", stratum="mals", status="", standing=True, ward="", bed="", family="", given="",
        birth_date="", sex="", tied=False, flagged=T0, flag="candidate", seen=None, onset=None, sofa=None, decisions=made,
    )  # fmt: skip
    return replace(plain, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choices", "stage", "why"),
    [
        ((), Stage.FLAGGED, ""),
        ((("screening", ""),), Stage.FLAGGED, ""),
        ((("eligible", ""),), Stage.ELIGIBLE, ""),
        ((("not-eligible", "exclusion-criterion"),), Stage.FLAGGED, "not eligible: exclusion criterion"),
        ((("eligible", ""), ("not-eligible", "other")), Stage.FLAGGED, "not eligible: other"),
        ((("consent-asked", ""), ("not-eligible", "time-limit")), Stage.APPROACHED, "not eligible: time limit"),
        ((("declined", "patient"),), Stage.APPROACHED, "declined: patient"),
        ((("declined", "physician"),), Stage.ELIGIBLE, "declined: physician"),
        ((("consented", ""), ("eligible", "")), Stage.ELIGIBLE, ""),
        ((("consented", ""), ("withdrawn", "died")), Stage.CONSENTED, "withdrawn: died"),
        ((("withdrawn", "consent-withdrawn"),), Stage.CONSENTED, "withdrawn: consent withdrawn"),
        ((("on-study", ""), ("withdrawn", "safety")), Stage.RANDOMISED, "withdrawn: safety"),
        ((("on-study", ""), ("eligible", "")), Stage.RANDOMISED, ""),
        ((("declined", "Mrs Doe said no"),), Stage.ELIGIBLE, "declined: other"),
    ],
)
def test_how_far_somebody_came(choices: tuple[tuple[str, str], ...], stage: Stage, why: str) -> None:
    assert flow.passage(logged(*choices), TRIAL) == flow.Passage(stage, why)


def test_a_consent_that_a_person_recorded_counts_as_the_edc_counts_it() -> None:
    consent = TRIAL.parameters.consent_criterion
    for answer, by, stage in (
        ("met", "anna", Stage.CONSENTED),
        ("met", "", Stage.FLAGGED),
        ("not-met", "anna", Stage.APPROACHED),
        ("unknown", "anna", Stage.FLAGGED),
    ):
        one = logged(answers=(Answered(consent, "inclusion", answer, by),))
        assert flow.passage(one, TRIAL).stage is stage


MANY = st.lists(
    st.builds(
        lambda choices, verdict, standing: logged(*choices, verdict=verdict, standing=standing),
        st.lists(st.sampled_from(CHOICES), max_size=4),
        st.sampled_from(["candidate", "incomplete", "not-candidate", "expired"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(MANY, st.dictionaries(st.sampled_from(["not-candidate", "incomplete", "expired"]), st.integers(1, 50)))
def test_each_step_is_the_one_before_without_those_who_left(many: list[Logged], untold: dict[str, int]) -> None:
    judged = Judged(len(many) + sum(untold.values()), 1, untold)
    steps = flow.flow(TRIAL, judged, many)
    assert len(steps) == len(Stage) + 1
    for step, following in pairwise(steps):
        assert step.count - step.gone == following.count, step
    assert steps[1].count == len(many)


@given(MANY)
def test_the_picture_holds_every_number_and_nothing_overlaps(many: list[Logged]) -> None:
    steps = flow.flow(TRIAL, Judged(len(many), 1, {}), many)
    picture = flow_picture(steps)
    said = [line for box in picture.steps for _, line in box.lines]
    assert said == [word for step in steps for word in (step.name, str(step.count))]
    boxes = [*picture.steps, *(box for _, box in picture.sides)]
    assert all(
        box.x >= 0 and box.x + box.width <= picture.width and box.y + box.height <= picture.height for box in boxes
    )
    column = sorted([*picture.steps, *(box for _, box in picture.sides)], key=lambda box: box.y)
    assert all(above.y + above.height <= below.y for above, below in pairwise(column))
    assert all(f"{step.gone} did not go on" in [b.lines[0][1] for _, b in picture.sides] for step in steps if step.gone)


def test_who_left_undecided_is_told_apart() -> None:
    many = [logged(), logged(standing=False), logged(verdict="expired", standing=False)]
    assert dict(flow.flow(TRIAL, EMPTY, many)[1].left) == {
        "not decided yet": 1,
        "taken back by the machine before anybody decided": 1,
        "time ran out before anybody decided": 1,
    }


def test_times_are_quartiles_of_those_who_went_that_way() -> None:
    seen = [logged(seen=T0 + timedelta(minutes=minutes)) for minutes in (10, 20, 30, 40, 50)]
    looked, decided, whole = figures.times([*seen, logged(), logged(("screening", ""), ("eligible", ""), seen=T0)])
    assert (looked.number, looked.without) == (6, 1)
    assert looked.median == pytest.approx(25 / 60)
    assert (decided.number, decided.median, whole.low) == (1, 2.0, 2.0)
    assert figures.times([])[0].median is None


@given(st.lists(st.floats(0, 1e4), min_size=2))
def test_quartiles_lie_in_order_within_the_values(values: list[float]) -> None:
    low, middle, high = figures.quartiles(sorted(values))
    assert low is not None
    assert middle is not None
    assert high is not None
    assert min(values) <= low <= middle <= high <= max(values)
    assert middle == pytest.approx(median(values))


@pytest.mark.parametrize(
    ("right", "number", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_s_interval_is_the_published_one(right: int, number: int, low: float, high: float) -> None:
    """The last row is Newcombe 1998, table I; the others are Wilson's formula by hand."""
    assert figures.wilson(right, number) == pytest.approx((low, high), abs=5e-5)


def test_only_decided_flags_say_how_often_a_flag_was_right() -> None:
    many = [
        logged(("eligible", "")),
        logged(("declined", "patient")),
        logged(("not-eligible", "exclusion-criterion"), flag="incomplete"),
        logged(("screening", "")),
        logged(),
    ]
    found = {one.name: (one.right, one.decided) for one in figures.by_flag(TRIAL, many)}
    assert found == {
        "All flags": (2, 3),
        "First shown as candidate": (2, 2),
        "First shown as incomplete": (0, 1),
        "Stratum: MALS": (2, 3),
    }


def test_a_criterion_is_credited_with_what_the_record_answered_and_not_with_what_a_person_did() -> None:
    def answered(i5: tuple[str, str], *choices: tuple[str, str]) -> Logged:
        return logged(*choices, answers=(Answered("I5", "inclusion", *i5), Answered("E5", "exclusion", "not-met", "")))

    many = [
        answered(("met", ""), ("eligible", "")),
        answered(("met", "anna"), ("eligible", "")),
        answered(("not-met", "anna"), ("not-eligible", "inclusion-not-met")),
        answered(("unknown", ""), ("not-eligible", "other")),
        answered(("met", "")),
    ]
    found = {one.id: one for one in figures.by_criterion(TRIAL, many)}
    i5, e5 = found["I5"], found["E5"]
    assert (i5.taken.right, i5.taken.decided, i5.open, i5.overruled) == (1, 1, 1, 1)
    assert (e5.taken.right, e5.taken.decided, e5.open, e5.overruled) == (2, 4, 0, 0)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=60), st.integers(0, 10**6)), max_size=9))
def test_no_bar_leaves_its_picture(pairs: list[tuple[str, int]]) -> None:
    picture = bar_picture(pairs)
    assert all(picture.left + bar.width < picture.width and bar.y < picture.height for bar in picture.bars)
    assert [bar.number for bar in picture.bars] == [number for _, number in pairs]
