"""Everything configured that pure code needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapter.domain.trial import Trial
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.site import SiteMap
from adapter.mapping.words import Words
from adapter.scoring.options import ScoringOptions

COLUMNS = {"converted-units": "converted", "printed-units": "printed"}
"""The convention of a site → which unit column counts; with none of them both do."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """`digest` is the fingerprint of it all, on every assessment; `production` refuses test messages (MSH-11).

    `words` are the sites' in the terms of the dictionary, with the memory of what was understood.
    """

    dictionary: Dictionary
    sites: Mapping[str, SiteMap]
    trials: tuple[Trial, ...]
    digest: str
    software: str
    production: bool = True
    words: Mapping[str, Words] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = {name: Words(site, self.dictionary) for name, site in self.sites.items()}
        object.__setattr__(self, "words", words)

    def scoring_options(self, site: str) -> ScoringOptions:
        """What the site changes about the score; the defaults for a site nobody configured."""
        here = self.sites.get(site)
        if here is None:
            return ScoringOptions()
        return ScoringOptions(
            rate_hold=here.rate_hold,
            device_hold=here.device_hold,
            norepinephrine_basis=here.norepinephrine_basis,
            hfnc_is_support="hfnc-is-support" in here.conventions,
            rrt_scores_4="rrt-scores-4" in here.conventions,
            unit_policy=next((policy for word, policy in COLUMNS.items() if word in here.conventions), "native_table"),
            timezone=here.timezone,
        )
