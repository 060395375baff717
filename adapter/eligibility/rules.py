"""A rule against a view of the patient."""

from adapter.domain.trial import Comparison, Rule
from adapter.eligibility.facts import FACTS
from adapter.eligibility.finding import Finding, Reading, combine, compare
from adapter.eligibility.view import View


def evaluate(rule: Rule, view: View) -> Finding:
    if isinstance(rule, Comparison):
        return compare(rule, _read(rule, view))
    return combine(rule, (evaluate(part, view) for part in rule.rules))


def _read(rule: Comparison, view: View) -> Reading:
    """A fact does not ask what it will be compared with, unless it counts the days that reached it."""
    fact = FACTS[rule.fact]
    value = rule.value if fact.counts_days else None
    asked = (rule.fact, rule.within, rule.context, rule.paired_with, rule.of, value)
    found = view.readings.get(asked)
    if found is None:
        found = view.readings[asked] = fact.read(view, rule)
    return found


def comparisons(rule: Rule) -> tuple[Comparison, ...]:
    """Every comparison in a rule, in reading order."""
    if isinstance(rule, Comparison):
        return (rule,)
    return tuple(found for part in rule.rules for found in comparisons(part))
