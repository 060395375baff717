"""After a restore: for each feed which time must be sent again, and by whom (reliability P15)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.daemon.copies import Manifest
from adapter.screening import canary
from adapter.settings import FhirSource, Settings
from adapter.store import by_hand
from adapter.store.codec import instant

BEFORE = timedelta(minutes=1)
"""What was under way when the last message was stored came by other connections: so much earlier, and to the full minute."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`how`: resend (its sender must), polled (asked by ourselves), pages (people must enter it again), gone (of no source now)."""

    feed: str
    how: str
    last: datetime | None

    @property
    def since(self) -> datetime | None:
        """Everything from then on is to be sent again; None: everything there is."""
        return None if self.last is None else (self.last - BEFORE).replace(second=0, microsecond=0)

    def as_json(self) -> dict[str, str | None]:
        last, since = (None if at is None else instant(at) for at in (self.last, self.since))
        return {"feed": self.feed, "how": self.how, "last_stored": last, "resend_from": since}


def gaps(settings: Settings, manifest: Manifest) -> Iterator[Gap]:
    """Of every source that is configured or was in the backup."""
    reached = {name: one.received for name, one in manifest.contents.feeds.items()}
    for source in settings.source:
        yield Gap(source.name, "polled" if isinstance(source, FhirSource) else "resend", reached.get(source.name))
    ours = {source.name for source in settings.source} | {by_hand.SOURCE, canary.SOURCE}
    for name in sorted(reached.keys() - ours):
        yield Gap(name, "gone", reached[name])
    yield Gap(by_hand.SOURCE, "pages", manifest.made)
