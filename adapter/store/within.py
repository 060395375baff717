"""Which candidates somebody works for, as a condition of a query."""

from sqlalchemy import ColumnElement, select

from adapter.store.accounts import Scope
from adapter.store.schema import candidates, patients


def within(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """None for one who works everywhere."""
    found: list[ColumnElement[bool]] = []
    if scope.trials is not None:
        found.append(candidates.c.trial.in_(scope.trials))
    if scope.sites is not None:
        there = select(patients.c.key).where(patients.c.site.in_(scope.sites))
        found.append(candidates.c.patient.in_(there))
    return tuple(found)
