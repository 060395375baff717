"""Patient → who somebody is, and whose record is whose; and which patient another resource speaks of."""

from collections.abc import Iterator

from adapter.domain.events import ClinicalEvent, PatientDescribed, RecordsTied
from adapter.domain.issue import Issue
from adapter.domain.observation import BEGINNING
from adapter.domain.patient import Demographics, PatientId
from adapter.domain.ties import Merge
from adapter.fhir.contents import Contents, codings, element, elements, text
from adapter.fhir.strict import DUPKEY, Json, Unsound
from adapter.hl7 import compose
from adapter.hl7.datatypes import Identifier
from adapter.mapping.feed import Feed, meant
from adapter.mapping.fhir_fields import dtm, identifiers_of, in_fhir, segments
from adapter.mapping.hl7_patient import described
from adapter.mapping.hl7_patient import stated as said
from adapter.mapping.identity import patient_identity
from adapter.mapping.site import SiteMap

SEXES = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
REPLACED = "replaced-by"
TEST = "HTEST"
"""v3 ActReason: test health data."""
SUBJECTS = ("subject", "patient")
LINK = Issue(
    "link-not-here",
    "Patient.link",
    "the record that takes this one's place is not in this page, so the two stay apart — ask for it with the search",
)
INACTIVE = Issue(
    "patient-inactive", "Patient.active", "the record is not in use and says of no other one — look at the hospital's"
)


def patient_of(resource: Json, contents: Contents, feed: Feed) -> PatientId | str:
    """Whom a resource speaks of, or the quarantine reason: `NO_PATIENT` where the Patient is not here to say who it is."""
    if resource["resourceType"] == "Patient":
        return _identity(resource, contents, feed)
    reference = next((resource[name] for name in SUBJECTS if name in resource), None)
    target = contents.target(reference, resource)
    if target is not None and target["resourceType"] == "Patient":
        return _identity(target, contents, feed)
    logical = element(reference, "identifier")
    return patient_identity(stated({"identifier": [logical]}, feed.site), feed.site) if logical else "NO_PATIENT"


def _identity(patient: Json, contents: Contents, feed: Feed) -> PatientId | str:
    """Asked once of each Patient of a page. One in which a name stands twice may be two people: it vouches for nobody."""
    if isinstance(patient, Unsound) and patient.reason == DUPKEY:
        return DUPKEY
    found = contents.known.get(id(patient))
    if found is None:
        found = contents.known[id(patient)] = patient_identity(stated(patient, feed.site), feed.site)
    return found


def stated(patient: Json, site: SiteMap) -> tuple[Identifier, ...]:
    """Its numbers; a system that the site file lists is the site's own authority."""
    return tuple(
        Identifier(text(one, "value"), authority(text(one, "system"), site), type_of(one))
        for one in identifiers_of(patient)
    )


def authority(system: str, site: SiteMap) -> str:
    return site.authority if system in site.identifier_systems else system.removeprefix("urn:oid:")


def type_of(identifier: Json) -> str:
    """Of table 0203."""
    return next((code for code, _, _ in codings(element(identifier, "type"))), "")


def events_of(
    patient: Json, who: PatientId, contents: Contents, feed: Feed
) -> tuple[tuple[ClinicalEvent, ...], list[Issue]]:
    (pid,) = segments([_pid(patient, feed)])
    events, found = described(who, pid, None, feed)
    links, issues = _links(patient, who, contents, feed)
    if any(code == TEST for one in elements(patient.get("meta"), "security") for code, _, _ in codings(one)):
        marked = Demographics({"test": said("yes", feed.told or feed.received)})
        events = (*events, PatientDescribed(who, marked))
    return (*events, *links), [*(in_fhir(one, patient) for one in found), *issues]


def _pid(patient: Json, feed: Feed) -> str:
    names = elements(patient, "name")
    name = next((one for one in names if text(one, "use") == "official"), names[0] if names else {})
    given = name.get("given")
    first = given[0] if isinstance(given, list) and given and isinstance(given[0], str) else ""
    died, when = patient.get("deceasedBoolean"), text(patient, "deceasedDateTime")
    moment = feed.words.moment(dtm(when))
    when = "" if moment is not None and meant(moment) is None else when
    indicator = "Y" if died is True or when else "N" if died is False else ""
    rest: list[compose.Field] = [None] * 20
    return compose.segment(
        "PID", "1", "", "", "", (text(name, "family"), first), "", dtm(text(patient, "birthDate")),
        SEXES.get(text(patient, "gender"), ""), *rest, dtm(when), indicator,
    )  # fmt: skip


def _links(patient: Json, who: PatientId, contents: Contents, feed: Feed) -> tuple[list[ClinicalEvent], list[Issue]]:
    """`replaced-by` is a merge (HL7 A40); the other kinds say that two records may be of use together."""
    events: list[ClinicalEvent] = []
    issues: list[Issue] = []
    replaced = [link for link in elements(patient, "link") if text(link, "type") == REPLACED]
    for link in replaced:
        other = patient_of({"resourceType": "", "subject": link.get("other")}, contents, feed)
        if isinstance(other, str):
            issues.append(LINK)
        elif other != who:
            events.append(RecordsTied(who, Merge(who, other, feed.told or BEGINNING)))
    if patient.get("active") is False and not replaced:
        issues.append(INACTIVE)
    return events, issues


def named(contents: Contents, feed: Feed) -> Iterator[tuple[str, str, str]]:
    """Every number of every Patient here, as (authority, number, type)."""
    for one in contents.resources:
        if one["resourceType"] == "Patient":
            yield from ((number.authority, number.value, number.type) for number in stated(one, feed.site))
