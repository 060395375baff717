"""A rule of the protocol page said in words, as it stands beside an answer: `ferritin.latest above 4420 ng/mL within 72 h`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

from adapter.domain.quantity import decimal_text
from adapter.domain.trial import Clock, Comparison, Connective, Criterion, Needs, Operator, Rule, Stratum
from adapter.eligibility.rules import comparisons

OPERATORS = {
    Operator.AT_LEAST: "at least",
    Operator.ABOVE: "above",
    Operator.BELOW: "below",
    Operator.AT_MOST: "at most",
    Operator.IS: "is",
}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONGEST_IN_HOURS = timedelta(days=3)
"""72 h is said in hours, 14 d in days."""
BY_PERSON = "a person answers"
ALWAYS = "no rule: it holds for everybody"


def rule_words(criterion: Criterion, strata: Sequence[Stratum], clocks: Sequence[Clock]) -> str:
    """What the machine looks for; a fact derived from other rules is followed by them."""
    rule, suggested = criterion.met_when, criterion.suggested_when
    if rule is None and criterion.needs is Needs.NOTHING:
        return ALWAYS
    said = BY_PERSON if rule is None else in_words(rule)
    derived = {"stratum.assigned": _strata(strata), "clock.open": _clocks(clocks)}
    named = {found.fact for found in comparisons(rule)} if rule else set()
    where = "; ".join(text for fact, text in derived.items() if fact in named)
    shown = f"; shown to that person: {in_words(suggested)}" if suggested else ""
    return f"{said}{f' ({where})' if where else ''}{shown}"


def in_words(rule: Rule) -> str:
    if isinstance(rule, Comparison):
        return _comparison(rule)
    parts = [in_words(part) if isinstance(part, Comparison) else f"({in_words(part)})" for part in rule.rules]
    return _JOINED[rule.connective](parts)


_JOINED: Mapping[Connective, Callable[[list[str]], str]] = {
    Connective.ALL: " and ".join,
    Connective.ANY: " or ".join,
    Connective.NOT: lambda parts: f"not {parts[0]}",
}


def _comparison(rule: Comparison) -> str:
    words = [rule.fact, f"of {rule.of}" if rule.of else "", OPERATORS[rule.operator], _value(rule.value), rule.unit]
    if rule.within is not None:
        words.append(f"within {_duration(rule.within)}")
    if rule.paired_with:
        words.append(f"paired with {rule.paired_with}")
    if rule.context is not None:
        words.append(f"seen as {rule.context}")
    return " ".join(word for word in words if word)


def _value(value: Fraction | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return decimal_text(value) if isinstance(value, Fraction) else value


def _duration(span: timedelta) -> str:
    if span > LONGEST_IN_HOURS and span % DAY == timedelta():
        return f"{span // DAY} d"
    return f"{decimal_text(Fraction(span // timedelta(seconds=1), HOUR // timedelta(seconds=1)))} h"


def _strata(strata: Sequence[Stratum]) -> str:
    return "; ".join(f"{stratum.id}: {in_words(stratum.met_when)}{_blocked(stratum)}" for stratum in strata)


def _blocked(stratum: Stratum) -> str:
    return f", unless {in_words(stratum.blocked_when)}" if stratum.blocked_when else ""


def _clocks(clocks: Sequence[Clock]) -> str:
    return "; ".join(f"less than {_duration(clock.limit)} since {clock.starts}" for clock in clocks)
