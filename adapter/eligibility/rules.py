"""A rule against a view of the patient."""

from adapter.domain.trial import Comparison, Rule
from adapter.eligibility.facts import FACTS
from adapter.eligibility.finding import Finding, combine, compare
from adapter.eligibility.view import View


def evaluate(rule: Rule, view: View) -> Finding:
    if isinstance(rule, Comparison):
        return compare(rule, FACTS[rule.fact].read(view, rule))
    return combine(rule, (evaluate(part, view) for part in rule.rules))


def comparisons(rule: Rule) -> tuple[Comparison, ...]:
    """Every comparison in a rule, in reading order."""
    if isinstance(rule, Comparison):
        return (rule,)
    return tuple(found for part in rule.rules for found in comparisons(part))
