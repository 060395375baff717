"""`[canary]`: a patient who was made up is told to the inbox again and again, and has to be found (reliability 0.9, 5.3; P12).

It shows that messages are stored, read by each site's page, scored and judged as on the day it was set up. What it does not
pass are the ports and the ways to people, which have alarms of their own.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import Metric

from adapter import telemetry
from adapter.domain.message import MessageState
from adapter.errors import StorageFailedError, UnavailableError
from adapter.pipeline.receive import StoreInbox
from adapter.ports import Clock
from adapter.screening import canary
from adapter.screening.interpret import interpret
from adapter.screening.rulebook import Rulebook
from adapter.settings import CanarySection, Settings
from adapter.store import inbox as stored
from adapter.store.database import Database
from adapter.store.outcomes import issues_of
from adapter.telemetry import Metrics

PATIENCE_SECONDS = 300.0
"""Longer than this no message may wait to be screened (as of the alarm `inbox-waiting`)."""
LOOK_SECONDS = 0.5
ALARM = "canary-missed"


def canary_of(
    settings: Settings, rules: Callable[[], Rulebook], database: Database, metrics: Metrics, clock: Clock
) -> "CanaryRounds | None":
    """None without `[canary]`, or where this process receives nothing."""
    if settings.canary is None or "receive" not in settings.adapter.roles:
        return None
    rounds = CanaryRounds(settings.canary, rules, sites_of(settings), database, clock)
    metrics.compute(rounds.figures)
    return rounds


def sites_of(settings: Settings) -> tuple[str, ...]:
    """Whose pages are read by."""
    return tuple(dict.fromkeys(source.site for source in settings.source))


def judged(rules: Rulebook, site: str, section: CanarySection, now: datetime) -> list[str]:
    """What would be missed, without a store; empty when all is found."""
    seen = interpret(canary.told(rules, rules.sites[site], now, section.expect), rules, message_id="")
    return [f"{one.where}: {one.text}" for one in seen.issues]


@dataclass(slots=True)
class CanaryRounds:
    """`rules`: those in force, for the number and the decimal mark by which a page knows a patient."""

    section: CanarySection
    rules: Callable[[], Rulebook]
    sites: Sequence[str]
    database: Database
    clock: Clock
    patience: float = PATIENCE_SECONDS
    _found: datetime | None = None
    _trouble: str = ""

    async def run(self, inbox: StoreInbox) -> None:
        while True:
            await self.round(inbox)
            await asyncio.sleep(self.section.every.total_seconds())

    async def round(self, inbox: StoreInbox) -> None:
        """Once for each site's page. Raises StorageFailedError."""
        said = [f"site '{site}': {text}" for site in self.sites for text in await self._told(inbox, site)]
        if not said:
            self._found = self.clock()
        trouble = "; ".join(said)
        if trouble and trouble != self._trouble:
            telemetry.warn("canary missed", text=trouble)
        elif self._trouble and not trouble:
            telemetry.log("canary found again")
        self._trouble = trouble

    async def _told(self, inbox: StoreInbox, site: str) -> list[str]:
        rules = self.rules()
        message = canary.told(rules, rules.sites[site], self.clock(), self.section.expect)
        try:
            receipt = await inbox.put(message)
            async with asyncio.timeout(self.patience):
                while (seen := await asyncio.to_thread(self._seen, receipt.inbox_id)) is None:  # noqa: ASYNC110 — another process may end it
                    await asyncio.sleep(LOOK_SECONDS)
        except StorageFailedError:
            raise
        except UnavailableError as error:
            return [f"it could not be told ({error})"]
        except TimeoutError:
            return [f"it was not read within {self.patience:g} s — look at adapter inbox count"]
        return seen

    def _seen(self, message: int) -> list[str] | None:
        """None while it waits. In a thread."""
        with self.database.read() as conn:
            row = stored.find(conn, message)
            if row is None or row.state is MessageState.PENDING:
                return None
            said = [f"{one.where}: {one.text}" for one in issues_of(conn, message)]
        return said or ([] if row.reason == canary.PASSED else [f"it ended as {row.state} ({row.reason})"])

    def alarms(self) -> tuple[str, ...]:
        return (ALARM,) if self._trouble else ()

    def figures(self) -> Iterator[Metric]:
        if self._found is not None:
            means = "When the patient who is made up was last found as expected"
            yield telemetry.gauge("canary_last_success_timestamp_seconds", means, self._found.timestamp())
