"""Where a candidate's page goes on after an answer: to the next question, so that nobody looks for it with a thumb."""

from adapter.domain.trial import Trial
from adapter.web.effects import effect
from adapter.web.sheet import Item, Sheet

PARTS = ("to-ask", "status")
"""Of the page: the questions that were passed over, and what is to be done after the last one."""


def onward(trial: Trial, criterion: str, answer: str, following: str) -> str:
    """The part of the page to show next: what its form says follows, but an answer that rules the patient out itself, and one
    that was only changed.
    """
    asked = trial.criterion(criterion)
    stops = asked is not None and effect(str(asked.kind), answer) == "stops"
    if not stops and following in PARTS:
        return following
    return f"criterion-{criterion if stops or trial.criterion(following) is None else following}"


def just_answered(shown: Sheet, criterion: str) -> Item | None:
    """As it stands now."""
    items = (*shown.to_ask, *shown.waiting, *shown.stopping, *shown.settled)
    return next((item for item in items if item.id == criterion), None)
