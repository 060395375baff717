"""Which searches a round makes: one a type, or one a type and patient where a server wants to be asked so."""

from collections.abc import Iterator

from adapter.fhir.page import Page, name_of, read_resource, targets
from adapter.fhir.search import PRESENT, Search
from adapter.sources.fhir_client import PollError
from adapter.sources.fhir_crawl import Crawl


def asked(crawl: Crawl) -> Iterator[Search]:
    """Raises PollError where it cannot be known who is here."""
    server = crawl.server
    for patient in _patients(crawl) if server.manners.by_patient else [""]:
        yield from (Search(kind, server.narrowed.get(kind, ()), patient) for kind in server.kinds)


def _patients(crawl: Crawl) -> list[str]:
    """A group that the hospital keeps for us, or whoever has an encounter now."""
    found = _members(crawl) if crawl.server.group else _present(crawl)
    return list(dict.fromkeys(found))


def _members(crawl: Crawl) -> Iterator[str]:
    got = crawl.client.read("Group", crawl.server.group)
    entry = read_resource(got.body) if got else None
    if entry is None or entry.kind != "Group":
        raise PollError("group", "the group of this source is not on the server — mend 'group'")
    for member in entry.resource.get("member") or ():
        if not isinstance(member, dict) or member.get("inactive") is True:
            continue
        entity = member.get("entity")
        reference = entity.get("reference") if isinstance(entity, dict) else None
        name = name_of(str(reference), crawl.server.base)
        if name and name[0] == "Patient":
            yield name[1]


def _present(crawl: Crawl) -> list[str]:
    found: list[str] = []

    def look(page: Page) -> None:
        named = (name for one in page.entries for name in targets(one, crawl.server.base))
        found.extend(identity for kind, identity in named if kind == "Patient")

    crawl.again(Search("Encounter", PRESENT, timeless=True), crawl.desk.clock(), look)
    return found
