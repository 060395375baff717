"""The closed language of trial rules: `all / any / not`, five comparisons, `fact`, `unit`, `within`, `context`."""

from datetime import timedelta
from fractions import Fraction

from adapter.domain.encounter import EncounterClass
from adapter.domain.trial import Code, Combination, Comparison, Connective, Operator, Rule, Vocabulary
from adapter.eligibility.coded import COMBINATION
from adapter.eligibility.facts import EVERY_DAY, FACTS, GROUP, SET, Fact, Kind
from adapter.eligibility.place import Place

CONNECTIVES = tuple(str(word) for word in Connective)
OPERATORS = tuple(str(word) for word in Operator)
CONTEXTS = (str(EncounterClass.EMERGENCY), str(EncounterClass.INPATIENT))
OF = {SET: "a set of mappings/codesets/conditions.csv", GROUP: "a group of mappings/codesets/substances.csv"}
WORDS = (*CONNECTIVES, "fact", *OPERATORS, "unit", "within", "context", "paired_with", "of")


def read_rule(place: Place, vocabulary: Vocabulary) -> Rule:
    """Raises ConfigError at the line of the first word that is not in the language."""
    place.only(WORDS)
    joined = [word for word in CONNECTIVES if word in place.value]
    if not joined:
        return _comparison(place, vocabulary)
    if len(place.value) != 1:
        raise place.error(f"'{joined[0]}' stands alone: put the rest inside it or beside it in a list")
    inner = place.need(joined[0])
    if joined[0] == Connective.NOT:
        return Combination(Connective.NOT, (read_rule(inner, vocabulary),))
    rules = tuple(read_rule(item, vocabulary) for item in inner.items())
    if not rules:
        raise inner.error(f"'{joined[0]}' needs at least one rule")
    return Combination(Connective(joined[0]), rules)


def _comparison(place: Place, vocabulary: Vocabulary) -> Comparison:
    name = place.need("fact").word(FACTS)
    fact = FACTS[name]
    operator, given = _operator(place, fact)
    unit = _unit(place, fact)
    of = _set(place, fact, vocabulary)
    return Comparison(
        fact=name,
        operator=operator,
        value=_value(given, fact, unit, vocabulary),
        unit=fact.unit,
        within=_within(place, fact),
        context=_context(place, fact),
        paired_with=_pair(place, fact),
        of=of[0],
        codes=of[1],
    )


def _operator(place: Place, fact: Fact) -> tuple[Operator, Place]:
    given = [word for word in OPERATORS if word in place.value]
    if len(given) != 1:
        raise place.error(f"a comparison has exactly one of {', '.join(OPERATORS)}")
    operator = Operator(given[0])
    if (operator is Operator.IS) == (fact.kind is Kind.NUMBER):
        allowed = "at_least, above, below or at_most" if fact.kind is Kind.NUMBER else "is"
        raise place.need(given[0]).error(f"'{fact.name}' is compared by {allowed}")
    return operator, place.need(given[0])


def _unit(place: Place, fact: Fact) -> Place | None:
    unit = place.get("unit")
    if fact.unit and unit is None:
        raise place.error(f"'{fact.name}' needs a unit, for example unit: '{fact.unit}'")
    if unit is not None and not fact.unit:
        raise unit.error(f"'{fact.name}' has no unit")
    return unit


def _value(given: Place, fact: Fact, unit: Place | None, vocabulary: Vocabulary) -> Fraction | str | bool:
    if fact.kind is Kind.WORD:
        if given.value not in fact.words:
            raise given.error(f"'{fact.name}' is never '{given.value}'", got=str(given.value), known=fact.words)
        return str(given.value)
    if fact.kind is Kind.YES_NO:
        if not isinstance(given.value, bool):
            raise given.error(f"'{fact.name}' is true or false")
        return given.value
    number = given.number()
    if unit is None:
        return number
    converted = vocabulary.convert(fact.concept, number, unit.text())
    if converted is None:
        raise unit.error(f"unknown unit '{unit.value}' for {fact.concept}", got=unit.text(), known=(fact.unit,))
    return converted


def _within(place: Place, fact: Fact) -> timedelta | None:
    within = place.get("within")
    if within is None:
        if fact.ages:
            raise place.error(f"'{fact.name}' needs 'within': how old may it be, for example within: 72 h")
        return None
    if not fact.windowed:
        raise within.error(f"'{fact.name}' has no 'within'")
    window = within.duration()
    if fact.name == EVERY_DAY and window < timedelta(days=1):
        raise within.error(f"'{fact.name}' asks about whole days: 'within' is 1 d or more")
    return window


def _context(place: Place, fact: Fact) -> EncounterClass | None:
    context = place.get("context")
    if context is None:
        return None
    if not fact.contextual:
        raise context.error(f"'{fact.name}' has no 'context'")
    return EncounterClass(context.word(CONTEXTS))


def _set(place: Place, fact: Fact, vocabulary: Vocabulary) -> tuple[str, tuple[Code, ...]]:
    of = place.get("of")
    if not fact.of:
        if of is not None:
            raise of.error(f"'{fact.name}' has no 'of'")
        return "", ()
    if of is None:
        raise place.error(f"'{fact.name}' needs 'of': {OF[fact.of]}")
    if fact.of == GROUP:
        name = of.word(sorted(vocabulary.groups))
        return name, tuple(Code(GROUP, one) for one in vocabulary.groups if one in {name, f"{name}{COMBINATION}"})
    name = of.word(sorted(vocabulary.sets))
    return name, vocabulary.sets[name]


def _pair(place: Place, fact: Fact) -> str | None:
    paired = place.get("paired_with")
    if paired is None:
        return None
    if not fact.concept:
        raise paired.error(f"'{fact.name}' is not drawn from the patient: it has no 'paired_with'")
    return paired.word(sorted({other.concept for other in FACTS.values() if other.concept} - {fact.concept}))
