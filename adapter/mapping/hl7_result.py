"""One OBX in its order → the statement it makes about a result, or the reason why it makes none."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.observation import Laboratory, Observation, Original, ResultStatus
from adapter.hl7.datatypes import Moment
from adapter.hl7.er7 import Segment
from adapter.mapping.codes import Meaning, Unmapped, code_of, meaning
from adapter.mapping.dictionary import Concept
from adapter.mapping.feed import Feed
from adapter.mapping.groups import ResultLine
from adapter.mapping.identity import result_digest, result_identity
from adapter.mapping.order import OrderFacts
from adapter.mapping.plain import plain
from adapter.mapping.specimen import Specimen, specimen_of
from adapter.mapping.status import Said, said
from adapter.mapping.values import Refused, Value, ValueReader, written

STATUSES = {
    Said.FINAL: ResultStatus.FINAL,
    Said.CORRECTED: ResultStatus.CORRECTED,
    Said.CONFIRMED: ResultStatus.FINAL,
    Said.NOT_FINAL: ResultStatus.PRELIMINARY,
}
BUCKETS = {Said.WITHDRAWN: Bucket.WITHDRAWN, Said.NOT_FINAL: Bucket.NOT_FINAL}
"""The buckets that a status decides alone, before code, specimen, unit and value (decisions C7)."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one OBX came to."""

    bucket: Bucket
    observations: tuple[Observation, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a mapped OBX is about."""

    meaning: Meaning
    specimen: Specimen

    @property
    def concept(self) -> Concept:
        return self.meaning.concept


@dataclass(frozen=True, slots=True)
class ResultReader:
    """One OBX in its order."""

    feed: Feed
    order: OrderFacts
    line: ResultLine
    visit: str

    def read(self) -> Line:
        status = said(self.line.obx.text(11), self.order.status)
        if status is Said.NOTHING:
            return Line(Bucket.STATUS_ONLY)
        if status is None:
            text = "no known result status, so not taken as final — ask the sender for OBX-11"
            return replace(self.of_status(Said.NOT_FINAL), issues=(self.issue("unknown-status", "OBX-11", text),))
        return self.of_status(status)

    def of_status(self, status: Said) -> Line:
        """Withdrawn and not-final results keep their bucket whatever else is wrong with them."""
        line = self.of_code(status)
        return Line(BUCKETS[status], line.observations) if status in BUCKETS else line

    def of_code(self, status: Said) -> Line:
        found = meaning(self.line.obx, self.feed)
        if isinstance(found, Unmapped):
            return self.unmapped(found)
        subject = Subject(found, specimen_of(found, self.order))
        line = self.without_value(status, subject) or self.with_value(status, subject)
        if status is Said.CORRECTED and not stated(line, subject.concept):
            # What stood there is no longer true, and what is true now cannot be read: the result is taken back.
            line = replace(
                line,
                observations=(self.valueless(ResultStatus.WITHDRAWN, subject, subject.concept), *line.observations),
            )
        if subject.specimen.unknown:
            text = "this specimen is not known — add it under 'specimens' in the site's file"
            issue = self.issue("unknown-specimen", "SPM-4", text, subject.specimen.name)
            line = replace(line, issues=(*line.issues, issue))
        return line

    def unmapped(self, found: Unmapped) -> Line:
        if found.known:
            return Line(Bucket.KNOWN_NOT_NEEDED)
        text = "this code is not mapped — add it under 'codes' or 'not_needed' in the site's file"
        return self.refused(Refused(Bucket.UNMAPPED_CODE, "unmapped-code", text, found.code), "OBX-3")

    def without_value(self, status: Said, subject: Subject) -> Line | None:
        """Statements that carry none: a result taken back, or a preliminary one made final without being resent."""
        if status is Said.WITHDRAWN:
            gone = self.valueless(ResultStatus.WITHDRAWN, subject, self.concept_of_unit(subject))
            return Line(Bucket.WITHDRAWN, (gone,))
        if status is Said.CONFIRMED and written(self.line.obx).empty:
            kept = self.valueless(ResultStatus.PROMOTED, subject, self.concept_of_unit(subject))
            return Line(Bucket.USED, (kept,))
        return None

    def with_value(self, status: Said, subject: Subject) -> Line:
        if not subject.specimen.suitable:
            text = f"{subject.concept.id} is not read from this specimen — nothing to do unless it is mislabelled"
            name = subject.specimen.name
            return self.refused(Refused(Bucket.UNSUITABLE_SPECIMEN, "unsuitable-specimen", text, name), "SPM-4")
        reader = ValueReader(self.feed.site, self.feed.dictionary)
        value = reader.read(subject.concept, written(self.line.obx), subject.meaning.unit)
        if isinstance(value, Refused):
            return self.refused(value, "OBX-6" if value.bucket is Bucket.UNMAPPED_UNIT else "OBX-5")
        effective = self.effective(subject)
        if effective is None:
            text = "no readable time of the specimen or the charting — ask the sender for OBR-7 or OBX-14"
            return self.refused(Refused(Bucket.BAD_VALUE, "missing-time", text), "OBX-14")
        if self.feed.in_future(effective.instant):
            text = "the time lies in the future — compare the clocks and the site's time zone"
            return self.refused(Refused(Bucket.BAD_VALUE, "future-time", text), "OBX-14")
        made = self.observation(STATUSES[status], value, effective, subject)
        return Line(Bucket.USED, (made,), tuple(self.time_issues(made, subject)))

    def time_issues(self, made: Observation, subject: Subject) -> Iterator[Issue]:
        if not subject.concept.charted and made.issued is not None and made.issued < made.effective:
            text = "the result was issued before its specimen was taken — compare OBR-7 and OBR-22"
            yield self.issue("issued-before-taken", "OBR-22", text)

    def refused(self, why: Refused, where: str) -> Line:
        return Line(why.bucket, (), (self.issue(why.code, where, why.text, why.detail),))

    def valueless(self, status: ResultStatus, subject: Subject, concept: Concept) -> Observation:
        """Must not miss its result for want of a time: then the time it was issued, sent or received stands in."""
        told = self.order.issued or self.feed.sender_time or self.feed.received
        effective = self.effective(subject) or Moment(told, "second", zone_stated=True)
        return self.observation(status, Value(concept), effective, subject)

    def concept_of_unit(self, subject: Subject) -> Concept:
        """The unit may mean another concept, with or without a value."""
        unit = ValueReader(self.feed.site, self.feed.dictionary).unit(subject.concept, written(self.line.obx), "")
        other = subject.concept.instead.get(unit) if isinstance(unit, str) else None
        return subject.concept if other is None else self.feed.dictionary.concepts[other]

    def observation(self, status: ResultStatus, value: Value, effective: Moment, subject: Subject) -> Observation:
        obx, concept, number = self.line.obx, value.concept, self.order.number
        made = Observation(
            identity=result_identity(
                site=self.feed.site.site,
                order=number,
                concept=concept.id,
                sub_id=plain(obx.text(4)),
                effective=effective.instant if concept.charted or not number else None,
            ),
            concept=concept.id,
            effective=effective.instant,
            status=status,
            original=original(obx),
            message=self.feed.message_id,
            quantity=value.quantity,
            native=value.native,
            code=value.code,
            issued=self.order.issued,
            sender_time=self.feed.told,
            laboratory=self.laboratory(),
            specimen=subject.specimen.kind,
            specimen_id=self.order.specimen_number,
            visit=self.visit,
            flags=(*value.flags, *self.flags(value.concept, effective, subject.specimen)),
        )
        return replace(made, digest=result_digest(made))

    def flags(self, concept: Concept, effective: Moment, specimen: Specimen) -> Iterator[str]:
        yield from effective.flags
        if effective.precision == "day":
            yield "time_day_only"
        if specimen.unknown:
            yield "specimen_unknown"
        if concept.comments and self.line.notes:
            notes = " ".join(note.whole(3) for note in self.line.notes).lower()
            yield from sorted({flag for word, flag in concept.comments.items() if word in notes})

    def effective(self, subject: Subject) -> Moment | None:
        """Charting: OBX-14, then OBR-7; a specimen result: the site's order (decisions B3)."""
        fields = ("OBX-14", "OBR-7") if subject.concept.charted else self.feed.site.effective
        for field in fields:
            found = self.time(field)
            if found is not None:
                return found
        return None

    def time(self, field: str) -> Moment | None:
        if field == "OBX-14":
            return self.feed.moment(self.line.obx, 14)
        return self.order.observed if field == "OBR-7" else self.order.collected

    def laboratory(self) -> Laboratory:
        """By OBX-23, OBX-15 or MSH-4 (decisions B9)."""
        central = self.feed.site.central_laboratory
        if not central:
            return Laboratory.LOCAL
        obx = self.line.obx
        names = {obx.text(23), obx.text(23, 10), obx.text(15), obx.text(15, 2), self.feed.facility}
        return Laboratory.CENTRAL if names & central else Laboratory.LOCAL

    def issue(self, code: str, where: str, text: str, detail: str = "") -> Issue:
        return Issue(code, f"{where} #{self.line.number}", text, plain(detail))


def stated(line: Line, concept: Concept) -> bool:
    return any(observation.concept == concept.id for observation in line.observations)


def original(obx: Segment) -> Original:
    """As the source wrote it, without a document's megabytes."""
    code, system = code_of(obx)
    name = obx.text(6, 2)
    unit = obx.whole(6) if name[:1].isdigit() else obx.text(6) or name  # `10^9/L` without an escape
    return Original(plain(obx.whole(5)), plain(unit), plain(code), plain(system))
