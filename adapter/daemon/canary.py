"""`[canary]`: patients who are made up are told to the inbox again and again, and have to be found (reliability 0.9, 5.3; P12).

It shows that messages are stored, read by each site's page, scored and judged as on the day it was set up. What it does not
pass are the ports and the ways to people, which have alarms of their own. Whoever tells it waits for nothing: what became of it
stands in the store, where every process looks.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client.core import Metric

from adapter import telemetry
from adapter.errors import StorageFailedError, UnavailableError
from adapter.pipeline.receive import StoreInbox
from adapter.ports import Clock
from adapter.screening import canary
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.settings import CanarySection, Settings
from adapter.store import canaries
from adapter.store.canaries import Told
from adapter.store.database import Snapshot

PATIENCE = timedelta(minutes=5)
"""Longer than this no message may wait to be screened (as of the alarm `inbox-waiting`)."""
LATE = timedelta(minutes=30)
"""So long ago it may have passed at most (reliability 5.1), or two rounds."""
AGAIN = timedelta(seconds=30)
"""After one that could not be told."""
ALARM = canary.MISSED
UNTRIED = (
    "%s believes the central laboratory alone and the page names none, so that anybody is shown whatever the limits are — "
    "write central_laboratory, or the strata under [canary] expect"
)


def sites_of(settings: Settings) -> tuple[str, ...]:
    """Whose pages are read by."""
    return tuple(dict.fromkeys(source.site for source in settings.source))


def tries(rules: Rulebook, settings: Settings, section: CanarySection, now: datetime) -> Iterator[tuple[str, str]]:
    """(`error` or `warning`, what): what would be missed, without a store, and what is not tried."""
    for site in sites_of(settings):
        seen = interpret(canary.told(rules, rules.sites[site], now, section.expect), rules, message_id="")
        yield from (("error", f"site '{site}': {one.where}: {one.text}") for one in seen.issues)
        for trial in rules.trials:
            if canary.untried(trial, rules.sites[site]) and trial.id not in section.expect:
                yield "warning", f"site '{site}': {UNTRIED % trial.id}"


@dataclass(slots=True)
class CanaryWatch:
    """Where it stands. `began`: of this process, which has to wait for the first round."""

    section: CanarySection
    sites: Sequence[str]
    clock: Clock
    began: datetime = field(init=False)
    _found: datetime | None = None
    _trouble: str = ""

    def __post_init__(self) -> None:
        self.began = self.clock()

    def look(self, conn: Snapshot) -> tuple[str, ...]:
        """The alarm, while it stands. Told in the log when it changes."""
        now = self.clock()
        newest = canaries.newest(conn, now)
        here = {site: [one for one in newest if one.site == site] for site in self.sites}
        passed = [next((one.at for one in said if one.reason == canary.PASSED), None) for said in here.values()]
        known = [at for at in passed if at is not None]
        self._found = min(known) if known and len(known) == len(passed) else None
        trouble = "; ".join(f"site '{site}': {text}" for site, said in here.items() for text in self._wrong(said, now))
        if trouble and trouble != self._trouble:
            telemetry.warn("canary missed", text=trouble)
        elif self._trouble and not trouble:
            telemetry.log("canary found again")
        self._trouble = trouble
        return (ALARM,) if trouble else ()

    def _wrong(self, said: Sequence[Told], now: datetime) -> Iterator[str]:
        ended = next((one for one in said if one.reason), None)
        waits = next((one for one in reversed(said) if not one.reason and (ended is None or one.at > ended.at)), None)
        if waits is not None and now - waits.at > PATIENCE:
            yield f"it was not read within {PATIENCE.total_seconds():.0f} s — look at adapter inbox count"
        elif ended is not None and ended.reason != canary.PASSED:
            yield from [f"{where}: {text}" for where, text in ended.missed] or [f"it ended as {ended.reason}"]
        elif now - max(self.began, ended.at if ended else self.began) > self.late:
            yield "nobody told it any more — look at the processes that receive"

    @property
    def late(self) -> timedelta:
        return max(2 * self.section.every, LATE)

    def fresh(self, now: datetime) -> bool:
        """Whether it passed lately: before that nothing is known."""
        return self._found is not None and now - self._found <= self.late

    def figures(self) -> Iterator[Metric]:
        if self._found is not None:
            means = "When the patients who are made up were last found as expected"
            yield telemetry.gauge("canary_last_success_timestamp_seconds", means, self._found.timestamp())


async def rounds(
    section: CanarySection, rules: Callable[[], Rulebook], sites: Sequence[str], inbox: StoreInbox, clock: Clock
) -> None:
    """For ever: told once for each site's page. Raises StorageFailedError."""
    while True:
        pages, now = rules(), clock()
        messages = [canary.told(pages, pages.sites[site], now, section.expect) for site in sites]
        wait = section.every
        try:
            await asyncio.gather(*(inbox.put(message) for message in messages))
        except StorageFailedError:
            raise
        except UnavailableError as error:
            telemetry.warn("canary not told", text=str(error))
            wait = min(wait, AGAIN)
        await asyncio.sleep(wait.total_seconds())
