from datetime import datetime

from adapter.domain.observation import Result
from adapter.domain.patient import PatientId, PatientState
from adapter.pipeline.remembered import A_PATIENT, A_RESULT, A_SKETCH, IN_HAND, SETTLED, Known, Remembered
from adapter.scoring.chart import Chart
from adapter.scoring.memory import Kept
from tests.builders import T0, hours, observation


def someone(number: int) -> PatientId:
    return PatientId("generic", "HOSP", str(number))


def known(number: int, results: int) -> Known:
    told = tuple(Result((observation("platelets", "98", at=T0 + hours(n)),)) for n in range(results))
    chart = Chart(PatientState(someone(number), {"platelets": told} if told else {}))
    chart.memory.keep("organ", Kept("kept", (), (), T0, T0 + hours(1)))
    return Known(chart, {}, key=number + 1)


def filled(memory: Remembered, *results: int) -> list[int]:
    """Patients 0, 1, … with so many results; whose charts are still there."""
    for number, count in enumerate(results):
        memory.put(someone(number), known(number, count))
    return [number for number in range(len(results)) if memory.get(someone(number)) is not None]


def room(patients: int, results: int) -> int:
    return patients * A_PATIENT + results * A_RESULT


def test_who_was_spoken_of_longest_ago_goes_first() -> None:
    memory = Remembered(most_patients=2)
    assert filled(memory, 1, 1) == [0, 1]
    assert memory.get(someone(0)) is not None
    memory.put(someone(2), known(2, 1))
    assert [number for number in range(3) if someone(number) in memory] == [0, 2]


def test_results_are_bounded_whatever_the_patients() -> None:
    assert filled(Remembered(most=room(3, 10)), 4, 4, 4) == [1, 2]
    assert filled(Remembered(most=room(3, 10)), 4, 4, 2) == [0, 1, 2]


def test_one_who_alone_is_too_much_stays_and_makes_the_others_go() -> None:
    assert filled(Remembered(most=room(1, 10)), 4, 4, 500) == [2]


def test_a_patient_put_again_or_forgotten_counts_no_more_than_what_is_there() -> None:
    memory = Remembered(most=room(2, 100))
    for _ in range(5):
        memory.put(someone(0), known(0, 60))
    memory.put(someone(1), known(1, 40))
    assert len(memory) == 2
    memory.forget(someone(1))
    memory.forget(someone(9))
    memory.put(someone(2), known(2, 40))
    assert len(memory) == 2
    memory.clear()
    assert len(memory) == 0
    assert memory.get(someone(0)) is None
    assert filled(memory, 40, 60) == [0, 1]


def test_when_a_chart_goes_what_was_concluded_of_the_past_stays() -> None:
    memory, asked = Remembered(most=room(1, 10) + A_SKETCH), list[datetime | None]()

    def search(after: datetime | None) -> None:
        asked.append(after)

    told = known(0, 10)
    told.chart.memory.first("onset", T0, (), search)
    memory.put(someone(0), told)
    memory.put(someone(1), known(1, 10))
    assert memory.get(someone(0)) is None
    assert someone(0) in memory
    left = memory.glimpse(someone(0))
    assert left is not None
    assert (left.state.results, left.key) == ({}, 1)
    assert left.chart.memory.kept("organ", T0, ()) is None
    again = left.filled(known(0, 10).state).chart
    assert again.state == told.state
    again.memory.first("onset", T0 + hours(1), (), search)
    assert asked == [None, T0]
    memory.put(someone(0), known(0, 10))
    assert memory.get(someone(0)) is not None
    memory.drop(lambda _: True)
    assert len(memory) == 0


def test_what_stayed_makes_room_too() -> None:
    memory = Remembered(most=room(1, 10) + 3 * A_SKETCH)
    assert filled(memory, *[10] * 8) == [7]
    assert len(memory) == 4
    settled = Remembered(most=room(1, 10) + A_SKETCH + SETTLED)
    for number in range(3):
        one = known(number, 10)
        one.chart.memory.settled("admission", T0, (), lambda: 3)
        settled.put(someone(number), one)
    assert len(settled) == 2
    settled.put(someone(3), known(3, 10))
    assert len(settled) == 2


def test_of_those_who_were_sketched_too_some_are_found_where_they_come_in_turn() -> None:
    memory, found = Remembered(most_patients=45, most=room(5, 5)), 0
    beds = [known(bed, 1) for bed in range(50)]
    for turn in range(20):
        for bed in beds:
            found += turn > 9 and bed.state.patient in memory
            memory.put(bed.state.patient, bed)
    assert found > 250


def test_where_only_sketches_are_left_a_step_takes_one_at_a_time_until_there_is_a_chart() -> None:
    memory = Remembered(most=IN_HAND)
    filled(memory, 10, 10)
    memory.drop(lambda who: memory.get(who) is not None)
    assert memory.at_once(20) == 1


def test_beds_charted_in_turn_are_mostly_found_where_they_do_not_quite_fit() -> None:
    """The one spoken of longest ago is the one spoken of next: were it the one to go, nobody would be found."""
    memory, found = Remembered(most=room(45, 45)), 0
    beds = [known(bed, 1) for bed in range(50)]
    for turn in range(20):
        for bed in beds:
            found += turn > 9 and memory.get(bed.state.patient) is not None
            memory.put(bed.state.patient, bed)
    assert found > 250


def test_where_there_is_no_room_a_step_takes_up_as_many_charts_as_it_may_hold_beside() -> None:
    memory = Remembered(most=5 * IN_HAND)
    assert memory.at_once(20) == 20
    long = IN_HAND // A_RESULT // 4
    told = known(0, 1).state.results["platelets"] * long  # counted, not read
    for number in range(20):
        memory.put(someone(number), Known(Chart(PatientState(someone(number), {"platelets": told})), {}))
    assert 3 <= memory.at_once(20) <= 5
    assert memory.at_once(2) == 2
    alone = Remembered(most=1)
    alone.put(someone(0), Known(Chart(PatientState(someone(0), {"platelets": told * 9})), {}))
    assert alone.at_once(20) == 1
