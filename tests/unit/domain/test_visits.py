"""The life of a visit from its statements."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.visits import visits

T0 = datetime(2026, 1, 2, 3, tzinfo=UTC)


def said(action: EncounterAction, hour: float, **more: object) -> EncounterStatement:
    at = T0 + timedelta(hours=hour)
    values = {"encounter_class": None, "ward": "", "bed": "", **more}
    return EncounterStatement(
        visit="V1", action=action, at=at, sender_time=at, digest=f"{action}{hour}{more}", message="1", **values
    )


ADMIT = said(EncounterAction.ADMIT, 0, encounter_class=EncounterClass.EMERGENCY, ward="ED", bed="3")
MOVE = said(EncounterAction.TRANSFER, 2, encounter_class=EncounterClass.INPATIENT, ward="ICU", bed="7")
LEAVE = said(EncounterAction.DISCHARGE, 50)
DETAILS = said(EncounterAction.UPDATE, 60, ward="ICU", bed="8")


def test_an_admission_through_the_emergency_department_keeps_its_beginning_after_a_move() -> None:
    (visit,) = visits([ADMIT, MOVE])
    assert (visit.admitted, visit.started_in_emergency, visit.ward, visit.bed) == (T0, True, "ICU", "7")
    assert visit.encounter_class is EncounterClass.INPATIENT


def test_an_update_after_the_discharge_revives_nothing() -> None:
    (visit,) = visits([ADMIT, LEAVE, DETAILS])
    assert visit.discharged == LEAVE.at


def test_a_cancelled_discharge_leaves_the_patient_in_bed() -> None:
    (visit,) = visits([ADMIT, LEAVE, said(EncounterAction.CANCEL_DISCHARGE, 51)])
    assert visit.discharged is None


def test_a_cancelled_admission_is_no_admission() -> None:
    (visit,) = visits([ADMIT, said(EncounterAction.CANCEL_ADMIT, 1)])
    assert visit.cancelled
    assert visit.admitted is None


def test_a_cancelled_transfer_puts_the_patient_back() -> None:
    (visit,) = visits([ADMIT, MOVE, said(EncounterAction.CANCEL_TRANSFER, 3)])
    assert visit.ward == "ED"


def test_a_planned_admission_is_not_a_visit() -> None:
    assert visits([said(EncounterAction.PLAN, 0)]) == ()


def test_the_order_of_arrival_does_not_matter() -> None:
    everything = [ADMIT, MOVE, LEAVE, said(EncounterAction.CANCEL_DISCHARGE, 51), DETAILS]
    assert len({visits(order) for order in permutations(everything)}) == 1
