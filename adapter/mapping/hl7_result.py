"""One OBX in its order → the statement it makes about a result, or the reason why it makes none."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.observation import Laboratory, Observation, Original, ResultStatus
from adapter.domain.observation import written as as_written
from adapter.hl7.datatypes import Moment
from adapter.hl7.er7 import Segment
from adapter.mapping.codes import Unmapped, of_device
from adapter.mapping.dictionary import Concept
from adapter.mapping.feed import Feed
from adapter.mapping.groups import ResultLine
from adapter.mapping.identity import result_identity, sealed, times_text
from adapter.mapping.microbiology import is_interpreted
from adapter.mapping.order import OrderFacts
from adapter.mapping.plain import plain
from adapter.mapping.specimen import Specimen
from adapter.mapping.status import Said, said
from adapter.mapping.values import MOST_ANSWERS, SEVERAL_ANSWERS, Refused, Value, written
from adapter.mapping.words import Subject

STATUSES = {
    Said.FINAL: ResultStatus.FINAL,
    Said.CORRECTED: ResultStatus.CORRECTED,
    Said.CONFIRMED: ResultStatus.FINAL,
    Said.NOT_FINAL: ResultStatus.PRELIMINARY,
}
BUCKETS = {Said.WITHDRAWN: Bucket.WITHDRAWN, Said.NOT_FINAL: Bucket.NOT_FINAL}
"""The buckets that a status decides alone, before code, specimen, unit and value (decisions C7)."""
CHARTED = ("OBX-14", "OBR-7")
"""Where the time of what is charted is looked for."""
DRAWN = frozenset({"arterial", "venous", "capillary", "blood"})
"""What else stands in the report of such a specimen (FiO2 beside a blood gas) is of the moment it was drawn (clinical 2.5)."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one OBX came to."""

    bucket: Bucket
    observations: tuple[Observation, ...] = ()
    issues: tuple[Issue, ...] = ()


PUMP = "a pump's rate does not name its drug — have infusions charted, or sent as RAS; else add it under 'not_needed'"
NOBODYS = Refused(
    Bucket.UNSUITABLE_SPECIMEN,
    "nobodys-specimen",
    "a control or a pool (SPM-11) reported under a patient's number — ask the sender to leave these out",
)
STATUS_ONLY = Line(Bucket.STATUS_ONLY)
KNOWN_NOT_NEEDED = Line(Bucket.KNOWN_NOT_NEEDED)


@dataclass(frozen=True, slots=True)
class ResultReader:
    """The OBX of one order; `culture` says whether one of them is a culture's."""

    feed: Feed
    order: OrderFacts
    visit: str
    culture: Callable[[], bool]

    def read(self, line: ResultLine) -> Line:
        if self.order.nobodys:
            return refused(NOBODYS, "SPM-11", line)
        if not line.obx.raw(2) and not line.obx.raw(5) and of_device(line.obx.components(3)):
            return KNOWN_NOT_NEEDED
        status = said(line.obx.text(11), self.order.status)
        if status is Said.NOTHING:
            return STATUS_ONLY
        if status is None:
            text = "no known result status, so not taken as final — ask the sender for OBX-11"
            issue = issue_of(line, "unknown-status", "OBX-11", text)
            return replace(self.of_status(Said.NOT_FINAL, line), issues=(issue,))
        return self.of_status(status, line)

    def of_status(self, status: Said, line: ResultLine) -> Line:
        """Withdrawn and not-final results keep their bucket whatever else is wrong with them."""
        found = self.of_code(status, line)
        return Line(BUCKETS[status], found.observations) if status in BUCKETS else found

    def of_code(self, status: Said, line: ResultLine) -> Line:
        subject = self.feed.words.subject(line.obx, self.order.specimen, self.order.specimen_name)
        if isinstance(subject, Unmapped):
            return KNOWN_NOT_NEEDED if is_interpreted(line.obx) and self.culture() else unmapped(subject, line)
        found = self.without_value(status, subject, line) or self.with_value(status, subject, line)
        if status is Said.CORRECTED and not stated(found, subject.concept):
            # What stood there is no longer true, and what is true now cannot be read: the result is taken back.
            gone = self.valueless(ResultStatus.WITHDRAWN, subject, subject.concept, line)
            found = replace(found, observations=(gone, *found.observations))
        if subject.specimen.unknown:
            text = "this specimen is not known — add it under 'specimens' in the site's file"
            issue = issue_of(line, "unknown-specimen", "SPM-4", text, subject.specimen.name)
            found = replace(found, issues=(*found.issues, issue))
        return found

    def without_value(self, status: Said, subject: Subject, line: ResultLine) -> Line | None:
        """Statements that carry none: a result taken back, or a preliminary one made final without being resent."""
        if status is Said.WITHDRAWN:
            concept = self.feed.words.concept_of_unit(subject.concept, line.obx)
            return Line(Bucket.WITHDRAWN, (self.valueless(ResultStatus.WITHDRAWN, subject, concept, line),))
        if status is Said.CONFIRMED and written(line.obx).empty:
            concept = self.feed.words.concept_of_unit(subject.concept, line.obx)
            return Line(Bucket.USED, (self.valueless(ResultStatus.PROMOTED, subject, concept, line),))
        return None

    def with_value(self, status: Said, subject: Subject, line: ResultLine) -> Line:
        if not subject.specimen.suitable:
            text = f"{subject.concept.id} is not read from this specimen — nothing to do unless it is mislabelled"
            name = subject.specimen.name
            return refused(Refused(Bucket.UNSUITABLE_SPECIMEN, "unsuitable-specimen", text, name), "SPM-4", line)
        value = self.feed.words.value(subject.concept, subject.meaning.unit, line.obx)
        if isinstance(value, Refused):
            return refused(value, "OBX-6" if value.bucket is Bucket.UNMAPPED_UNIT else "OBX-5", line)
        effective = self.effective(subject, line)
        if effective is None:
            text = "no readable time of the specimen or the charting — ask the sender for OBR-7 or OBX-14"
            return refused(Refused(Bucket.BAD_VALUE, "missing-time", text), "OBX-14", line)
        if self.feed.in_future(effective.instant):
            text = "the time lies in the future — compare the clocks and the site's time zone"
            return refused(Refused(Bucket.BAD_VALUE, "future-time", text), "OBX-14", line)
        made = self.observation(STATUSES[status], value, effective, subject, line)
        return Line(Bucket.USED, (made,), (*time_issues(made, subject, line), *answer_issues(value, line)))

    def valueless(self, status: ResultStatus, subject: Subject, concept: Concept, line: ResultLine) -> Observation:
        """Must not miss its result for want of a time: then the time it was issued, sent or received stands in."""
        told = self.feed.sender_time or self.feed.received
        issued = self.order.issued or Moment(told, "second", zone_stated=True)
        effective = self.effective(subject, line) or Moment(issued.instant, "second", zone_stated=True)
        return self.observation(status, Value(concept), effective, subject, line)

    def observation(
        self, status: ResultStatus, value: Value, effective: Moment, subject: Subject, line: ResultLine
    ) -> Observation:
        obx, concept, order, issued = line.obx, value.concept, self.order, self.order.issued
        made = Observation(
            identity=result_identity(
                site=self.feed.words.site.site,
                order=order.number,
                concept=concept.id,
                sub_id=plain(obx.text(4)),
                effective=effective.instant if self.moves(concept) else None,
            ),
            concept=concept.id,
            effective=effective.instant,
            status=status,
            original=original(obx, subject),
            message=self.feed.message_id,
            quantity=value.quantity,
            native=value.native,
            code=value.code,
            issued=None if issued is None else issued.instant,
            sender_time=self.feed.told,
            laboratory=self.laboratory(obx),
            specimen=subject.specimen.kind,
            specimen_id=order.specimen_number,
            visit=self.visit,
            flags=flags(value, effective, subject.specimen, line),
        )
        return sealed(made, value.told, times_text(effective.iso, None if issued is None else issued.iso))

    def moves(self, concept: Concept) -> bool:
        """Whether one order's number stands for results of many moments, or of none."""
        return not self.order.number or (concept.charted and not self.order.one_result)

    def effective(self, subject: Subject, line: ResultLine) -> Moment | None:
        """Charting: OBX-14, then OBR-7; a specimen result: the site's order (decisions B3)."""
        charting = subject.concept.charted and self.order.specimen not in DRAWN
        for field in CHARTED if charting else self.feed.words.site.effective:
            found = self.time(field, line)
            if found is not None:
                return found
        return None

    def time(self, field: str, line: ResultLine) -> Moment | None:
        if field == "OBX-14":
            return self.feed.moment(line.obx, 14)
        return self.order.observed if field == "OBR-7" else self.order.collected

    def laboratory(self, obx: Segment) -> Laboratory:
        """By OBX-23, OBX-15 or MSH-4 (decisions B9)."""
        central = self.feed.words.site.central_laboratory
        if not central:
            return Laboratory.LOCAL
        names = {obx.text(23), obx.text(23, 10), obx.text(15), obx.text(15, 2), self.feed.facility}
        return Laboratory.CENTRAL if names & central else Laboratory.LOCAL


def unmapped(found: Unmapped, line: ResultLine) -> Line:
    if found.known:
        return KNOWN_NOT_NEEDED
    text = PUMP if found.pump else "this code is not mapped — add it under 'codes' or 'not_needed' in the site's file"
    return refused(Refused(Bucket.UNMAPPED_CODE, "unmapped-code", text, found.code), "OBX-3", line)


def refused(why: Refused, where: str, line: ResultLine) -> Line:
    return Line(why.bucket, (), (issue_of(line, why.code, where, why.text, why.detail),))


def issue_of(line: ResultLine, code: str, where: str, text: str, detail: str = "") -> Issue:
    return Issue(code, f"{where} #{line.number}", text, plain(detail))


def stated(line: Line, concept: Concept) -> bool:
    return any(observation.concept == concept.id for observation in line.observations)


def time_issues(made: Observation, subject: Subject, line: ResultLine) -> tuple[Issue, ...]:
    if subject.concept.charted or made.issued is None or made.issued >= made.effective:
        return ()
    text = "the result was issued before its specimen was taken — compare OBR-7 and OBR-22"
    return (issue_of(line, "issued-before-taken", "OBR-22", text),)


def answer_issues(value: Value, line: ResultLine) -> tuple[Issue, ...]:
    if SEVERAL_ANSWERS not in value.flags:
        return ()
    text = "several organisms stand in one result, so only the first counts — ask the sender for an OBX of each"
    return (issue_of(line, "several-answers", "OBX-5", text),)


def flags(value: Value, effective: Moment, specimen: Specimen, line: ResultLine) -> tuple[str, ...]:
    found = value.flags + effective.flags
    if effective.precision == "day":
        found += ("time_day_only",)
    if specimen.unknown:
        found += ("specimen_unknown",)
    if value.concept.comments and line.notes:
        notes = " ".join(note.whole(3) for note in line.notes).lower()
        found += tuple(sorted({flag for word, flag in value.concept.comments.items() if word in notes}))
    return found


def original(obx: Segment, subject: Subject) -> Original:
    """As the source wrote it, without a document's megabytes."""
    name = obx.text(6, 2)
    unit = obx.whole(6) if name[:1].isdigit() else obx.text(6) or name  # `10^9/L` without an escape
    return as_written(plain(repeated(obx)), plain(unit), subject.code, subject.system)


def repeated(obx: Segment) -> str:
    count = min(obx.repetitions(5), MOST_ANSWERS)
    return obx.whole(5) if count <= 1 else " ~ ".join(obx.whole(5, each) for each in range(1, count + 1))
