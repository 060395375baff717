from adapter.domain.observation import Result
from adapter.domain.patient import PatientId, PatientState
from adapter.pipeline.remembered import Known, Remembered
from adapter.scoring.chart import Chart
from tests.builders import T0, hours, observation


def someone(number: int) -> PatientId:
    return PatientId("generic", "HOSP", str(number))


def known(number: int, results: int) -> Known:
    told = tuple(Result((observation("platelets", "98", at=T0 + hours(n)),)) for n in range(results))
    return Known(Chart(PatientState(someone(number), {"platelets": told} if told else {})), {})


def filled(memory: Remembered, *results: int) -> list[int]:
    """Patients 0, 1, … with so many results; who is still there."""
    for number, count in enumerate(results):
        memory.put(someone(number), known(number, count))
    return [number for number in range(len(results)) if someone(number) in memory]


def test_who_was_spoken_of_longest_ago_goes_first() -> None:
    memory = Remembered(most_patients=2)
    assert filled(memory, 1, 1) == [0, 1]
    assert memory.get(someone(0)) is not None
    memory.put(someone(2), known(2, 1))
    assert [number for number in range(3) if someone(number) in memory] == [0, 2]


def test_results_are_bounded_whatever_the_patients() -> None:
    assert filled(Remembered(most_results=10), 4, 4, 4) == [1, 2]
    assert filled(Remembered(most_results=10), 4, 4, 2) == [0, 1, 2]


def test_one_who_alone_is_too_much_stays_and_makes_the_others_go() -> None:
    assert filled(Remembered(most_results=10), 4, 4, 11) == [2]


def test_a_patient_put_again_or_forgotten_counts_no_more_than_what_is_there() -> None:
    memory = Remembered(most_results=10)
    for _ in range(5):
        memory.put(someone(0), known(0, 6))
    memory.put(someone(1), known(1, 4))
    assert len(memory) == 2
    memory.forget(someone(1))
    memory.forget(someone(9))
    memory.put(someone(2), known(2, 4))
    assert len(memory) == 2
    memory.clear()
    assert len(memory) == 0
    assert memory.get(someone(0)) is None
    assert filled(memory, 4, 6) == [0, 1]
