"""The words of one hospital, each understood once: codes, values and times come again and again, message after message.

Every question here is pure, so what is remembered is what would be answered again. The memories are bounded in number
and in length: a feed may send a million codes, or one of a megabyte.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from adapter.hl7.datatypes import Moment, moment
from adapter.hl7.er7 import Segment
from adapter.mapping.codes import Meaning, Parts, Unmapped, code_of, meaning
from adapter.mapping.dictionary import Concept, Dictionary
from adapter.mapping.identity import value_text
from adapter.mapping.plain import plain
from adapter.mapping.site import SiteMap
from adapter.mapping.specimen import Specimen, specimen_of
from adapter.mapping.values import Refused, Value, ValueReader, Written, written

REMEMBERED = 4096
"""Answers kept of each kind of question: a hospital's codes, and the values of a few hours."""
LONGEST_LINE = 400
"""Bytes of an OBX whose words are worth remembering."""
LONGEST_TIME = 32


@dataclass(frozen=True, slots=True)
class Subject:
    """What a mapped OBX is about; `code` and `system` as the sender wrote them."""

    meaning: Meaning
    specimen: Specimen
    code: str
    system: str

    @property
    def concept(self) -> Concept:
        return self.meaning.concept


class Words:
    """What `site` writes, in the terms of `dictionary`."""

    def __init__(self, site: SiteMap, dictionary: Dictionary) -> None:
        self.site = site
        self.dictionary = dictionary
        self._reader = ValueReader(site, dictionary)
        self._known_moment = lru_cache(REMEMBERED)(self._moment)
        self._known_meaning = lru_cache(REMEMBERED)(self._meaning)
        self._known_subject = lru_cache(REMEMBERED)(self._subject)
        self._known_value = lru_cache(REMEMBERED)(self._value)

    def moment(self, text: str) -> Moment | None:
        """A DTM of any precision, in the site's zone."""
        if not text:
            return None
        return self._known_moment(text) if len(text) <= LONGEST_TIME else self._moment(text)

    def _moment(self, text: str) -> Moment | None:
        return moment(text, self.site.timezone)

    def meaning(self, code: Parts) -> Meaning | Unmapped:
        """What a code is, whatever its specimen."""
        look = self._known_meaning if sum(map(len, code)) <= LONGEST_LINE else self._meaning
        return look(code)

    def _meaning(self, code: Parts) -> Meaning | Unmapped:
        return meaning(code, self.site, self.dictionary)

    def subject(self, obx: Segment, specimen: str, specimen_name: str) -> Subject | Unmapped:
        """What an OBX is about in an order of this specimen, by our word and by the sender's."""
        short = len(obx.wire) + len(specimen_name) <= LONGEST_LINE
        look = self._known_subject if short else self._subject
        return look(obx.components(3), specimen, specimen_name)

    def _subject(self, obx_3: Parts, specimen: str, specimen_name: str) -> Subject | Unmapped:
        found = meaning(obx_3, self.site, self.dictionary)
        if isinstance(found, Unmapped):
            return found
        code, system = map(plain, code_of(obx_3))
        kind = specimen_of(found, specimen, specimen_name)
        if not (kind.suitable or found.specimen) and found.concept.elsewhere:
            found = replace(found, concept=self.dictionary.concepts[found.concept.elsewhere])
            kind = replace(kind, suitable=True)
        return Subject(found, kind, code, system)

    def value(self, concept: Concept, default_unit: str, obx: Segment) -> Value | Refused:
        """OBX-5 in the concept's own unit; `default_unit` serves where OBX-6 is silent."""
        look = self._known_value if len(obx.wire) <= LONGEST_LINE else self._value
        return look(concept.id, default_unit, written(obx))

    def _value(self, concept: str, default_unit: str, result: Written) -> Value | Refused:
        found = self._reader.read(self.dictionary.concepts[concept], result, default_unit)
        if isinstance(found, Refused):
            return found
        return replace(found, told=value_text(found.quantity, found.native, found.code))

    def concept_of_unit(self, concept: Concept, obx: Segment) -> Concept:
        """The unit may mean another concept, with or without a value."""
        unit = self._reader.unit(concept, written(obx), "")
        other = concept.instead.get(unit) if isinstance(unit, str) else None
        return concept if other is None else self.dictionary.concepts[other]
