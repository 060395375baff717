"""What of the worklist somebody wants to see, as it stands in the address: nothing of a patient ever does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from adapter.domain.trial import Trial
from adapter.eligibility.words import INDETERMINATE, UNCLASSIFIED
from adapter.store.board import Part

MINE, FREE = "mine", "free"
LONGEST = 100
MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """`hand`: `mine`, `free` (nobody has it) or empty; `page` counts from 1; `found`: the name of a search, which is of the whole
    list.
    """

    trial: str = ""
    stratum: str = ""
    ward: str = ""
    hand: str = ""
    news: bool = False
    part: Part = Part.OPEN
    page: int = 1
    found: str = ""

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.trial or self.stratum or self.ward or self.hand or self.news)

    def link(self, **changes: Any) -> str:
        """The same list but for the changes, from its first page unless one is named."""
        wanted = replace(self, **({"page": 1} | changes))
        asked = ((field.name, getattr(wanted, field.name), field.default) for field in fields(Filters))
        said = {name: _text(value) for name, value, plain in asked if value != plain}
        return f"/?{urlencode(said)}" if said else "/"

    @property
    def here(self) -> str:
        return self.link(page=self.page)


def read(given: Mapping[str, str]) -> Filters:
    """What is not understood is left out: an old link shows more, never an error."""
    if given.get("found"):
        return Filters(found=given["found"][:LONGEST])
    hand, part, page = given.get("hand", ""), given.get("part", ""), given.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= len(str(MOST_PAGES)) else 1
    return Filters(
        trial=given.get("trial", "")[:LONGEST],
        stratum=given.get("stratum", "")[:LONGEST],
        ward=given.get("ward", "")[:LONGEST],
        hand=hand if hand in {MINE, FREE} else "",
        news=given.get("news") == "1",
        part=Part(part) if part in set(Part) else Part.OPEN,
        page=min(max(1, number), MOST_PAGES),
    )


def strata(trials: Iterable[Trial]) -> list[str]:
    """What a candidate of these trials may be found in, in their order, and what is said where there is none."""
    named = (name for trial in trials for one in trial.strata for name in (one.id, one.blocked_as) if name)
    return list(dict.fromkeys((*named, UNCLASSIFIED, INDETERMINATE)))


def _text(value: Any) -> str:
    return "1" if value is True else str(value)
