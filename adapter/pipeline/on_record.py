"""What the audit says of persons tied together and of what people were told."""

from adapter.pipeline.knots import Knotted
from adapter.screening.screen import Judgement
from adapter.store import audit


def tied(found: Knotted, message_id: int) -> audit.Act:
    """How many records and persons hang together now."""
    people = found.knot.persons
    circle = any(person.cycle for person in people)
    detail = {"records": len(found.knot.records), "persons": len(people), "circle": circle}
    return audit.Act("adapter", "system", "records-tied", "message", str(message_id), detail)


def told(candidate: str, judgement: Judgement) -> audit.Act:
    assessment, change = judgement.assessment, judgement.change
    kind = str(change.kind) if change is not None else ""
    detail = {"trial": assessment.trial, "verdict": str(assessment.verdict), "rulebook": assessment.rulebook}
    return audit.Act("adapter", "system", f"alert-{kind}", "candidate", candidate, detail)
