from dataclasses import replace
from typing import Any

import pytest

from adapter import assets
from adapter.hl7 import er7
from adapter.mapping.codes import Unmapped
from adapter.mapping.values import Value
from adapter.mapping.words import LONGEST_LINE, REMEMBERED, Subject, Words
from tests.builders import dictionary, obx, oru

GENERIC = assets.load_rulebook(None, trials=()).sites["generic"]


def words(**parts: Any) -> Words:
    return Words(replace(GENERIC, **parts), dictionary())


def line(*parts: str, **named: str) -> er7.Segment:
    return er7.parse(oru(obx(*parts, **named))).all("OBX")[0]


def value(of: Words, said: er7.Segment) -> Value:
    subject = of.subject(said, "", "")
    assert isinstance(subject, Subject)
    found = of.value(subject.concept, subject.meaning.unit, said)
    assert isinstance(found, Value)
    return found


def test_the_same_words_are_understood_once() -> None:
    ours = words()
    assert value(ours, line("2160-0", "1.2", "mg/dL")) is value(ours, line("2160-0", "1.2", "mg/dL"))
    assert ours.moment("20260102030405+0100") is ours.moment("20260102030405+0100")


def test_each_site_remembers_for_itself() -> None:
    point, comma = words(), words(decimal=",")
    said = line("2160-0", "1,2", "mg/dL")
    read = comma.value(dictionary().concepts["creatinine"], "", said)
    assert isinstance(read, Value)
    assert not isinstance(point.value(dictionary().concepts["creatinine"], "", said), Value)


def test_a_million_codes_do_not_fill_the_memory() -> None:
    ours = words()
    for number in range(REMEMBERED + 500):
        assert isinstance(ours.subject(line(f"X{number}", "1"), "", ""), Unmapped)
        ours.moment(f"2026010203{number % 60:02d}.{number}")
    assert ours._known_subject.cache_info().currsize == REMEMBERED
    assert ours._known_moment.cache_info().currsize == REMEMBERED


@pytest.mark.parametrize("field", ["code", "value", "specimen"])
def test_a_long_word_is_understood_and_not_remembered(field: str) -> None:
    ours, long = words(), "7" * LONGEST_LINE
    said = line(long if field == "code" else "2160-0", long if field == "value" else "1.2", "mg/dL")
    ours.subject(said, "", long if field == "specimen" else "")
    if field == "value":
        ours.value(dictionary().concepts["creatinine"], "", said)
    ours.moment(long)
    caches = (ours._known_subject, ours._known_value, ours._known_moment)
    assert [cache.cache_info().currsize for cache in caches] == [0, 0, 0]
