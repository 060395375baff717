"""Whether an EDC still holds what it was sent, by what it answers now: one restored from a backup does not."""

import json
from collections.abc import Mapping, Sequence

from adapter.domain.message import Delivery
from adapter.fhir.codes import RESOURCE_NUMBER, SCREENING_NUMBER
from adapter.fhir.contents import element, elements
from adapter.fhir.subject import ASSERTED, parts_of
from adapter.pipeline.exchange import Json


def questions(sent: Sequence[Delivery]) -> dict[str, str]:
    """Type → what its search is asked: the subjects by screening number, the newest Provenance of each by its tag."""
    subjects, provenances = zip(*(_named(one) for one in sent), strict=True)
    return {
        "ResearchSubject": f"identifier={','.join(f'{SCREENING_NUMBER}|{_number(one)}' for one in subjects)}",
        "Provenance": f"_tag={','.join(f'{RESOURCE_NUMBER}|{_tag(one)}' for one in provenances)}",
    }


def about(subjects: Sequence[Json]) -> str:
    """Any Provenance of them: whether this EDC keeps tags at all, asked where it has none of those it was asked for."""
    return "target=" + ",".join(f"ResearchSubject/{one.get('id')}" for one in subjects)


def of_kind(kind: str, page: Json) -> list[Json]:
    """What of this type a page holds."""
    found = [element(entry, "resource") for entry in elements(page, "entry")]
    return [one for one in found if one.get("resourceType") == kind]


def has_more(page: Json) -> bool:
    return any(link.get("relation") == "next" for link in elements(page, "link"))


def tagged(provenances: Sequence[Json]) -> bool:
    return any(_tag(one) for one in provenances)


def lost(sent: Sequence[Delivery], found: Mapping[str, Sequence[Json]], *, keeps_tags: bool) -> list[int]:
    """Deliveries whose subject is missing or says something older; or whose Provenance is missing."""
    subjects = {_number(one): one for one in found["ResearchSubject"]}
    tags = {_tag(one) for one in found["Provenance"]}
    gone = []
    for delivery in sent:
        subject, provenance = _named(delivery)
        held = subjects.get(_number(subject))
        if held is None or not _says(held, subject) or (keeps_tags and _tag(provenance) not in tags):
            gone.append(delivery.id)
    return gone


def _says(held: Json, ours: Json) -> bool:
    """Our finding as we told it last; the status is people's. An EDC that keeps no extension cannot be asked this."""
    there = parts_of(held)
    return not there or all(there.get(url) == part for url, part in parts_of(ours).items() if url != ASSERTED)


def _named(delivery: Delivery) -> tuple[Json, Json]:
    resources = [entry["resource"] for entry in json.loads(delivery.payload)["entry"]]
    by_kind = {one["resourceType"]: one for one in resources}
    return by_kind["ResearchSubject"], by_kind["Provenance"]


def _number(subject: Json) -> str:
    return _of(SCREENING_NUMBER, subject.get("identifier"), "value")


def _tag(provenance: Json) -> str:
    return _of(RESOURCE_NUMBER, element(provenance, "meta").get("tag"), "code")


def _of(system: str, named: object, member: str) -> str:
    listed = named if isinstance(named, list) else []
    return next((str(one.get(member)) for one in listed if isinstance(one, dict) and one.get("system") == system), "")
