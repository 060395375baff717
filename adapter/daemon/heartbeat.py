"""The dead man's switch: somebody outside hears each minute that all is well, and calls people when they hear nothing (P12)."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

import requests
from prometheus_client.core import Metric

from adapter import telemetry
from adapter.daemon.canary import ALARM, CanaryWatch
from adapter.errors import AdapterError, RejectedError
from adapter.notifiers.addresses import NamedAdapter, pinned
from adapter.pipeline.exchange import Limits, checked_url, exchange, session
from adapter.ports import Clock
from adapter.settings import HeartbeatSection, Settings
from adapter.web.context import Health

LIMITS = Limits(connect=5.0, read=10.0, total=10.0, size=65536)
REFUSED = 300
STANDING_STILL = frozenset({"inbox-waiting", ALARM})
"""The store is well, and nobody screens what it holds, or not as they should."""


def heart_of(settings: Settings, metrics: telemetry.Metrics, canary: CanaryWatch | None) -> "Heartbeat | None":
    """None without `[heartbeat]`."""
    if settings.heartbeat is None:
        return None
    heart = Heartbeat(settings.heartbeat, canary)
    metrics.compute(heart.figures)
    return heart


class Heartbeat:
    """One request without a word in it, only while messages are taken and screened, and the canary was found lately.

    Raises ConfigError where the address cannot be used.
    """

    def __init__(self, section: HeartbeatSection, canary: CanaryWatch | None = None) -> None:
        self._section, self._canary = section, canary
        self._url = checked_url(section.url.reveal())
        self._heard: datetime | None = None
        self._trouble = ""

    async def run(self, health: Callable[[], Health], clock: Clock) -> None:
        while True:
            await asyncio.to_thread(lambda: self.beat(health(), clock()))
            await asyncio.sleep(self._section.every.total_seconds())

    def beat(self, health: Health, now: datetime) -> None:
        """Blocking. Whether it was heard is told in the log when that changes, and by the figure."""
        trouble = "held back: not ready" if not health.ready else ""
        if still := STANDING_STILL.intersection(health.codes):
            trouble = f"held back: screening is not to be trusted ({', '.join(sorted(still))})"
        elif not trouble and self._canary is not None and not self._canary.fresh(now):
            trouble = "held back: the canary has not been found yet"
        try:
            if not trouble:
                self._call()
                self._heard = now
        except AdapterError as error:
            trouble = str(error)
        except (OSError, ValueError) as error:  # of a library below; its words may hold the address
            trouble = f"it could not be called ({type(error).__name__}) — look at [heartbeat]"
        if trouble and trouble != self._trouble:
            telemetry.warn("heartbeat not heard", text=trouble)
        elif self._trouble and not trouble:
            telemetry.log("heartbeat heard again")
        self._trouble = trouble

    def _call(self) -> None:
        target = pinned(self._url, allow_private=self._section.allow_private)
        with session() as peer:
            peer.verify = str(self._section.verify) if self._section.verify else True
            peer.mount("https://", NamedAdapter(target.name))
            answer = exchange(peer, requests.Request("GET", target.url, headers={"Host": target.host}), LIMITS)
        if answer.status >= REFUSED:
            raise RejectedError(f"the watcher answered HTTP {answer.status} — look at the address of [heartbeat]")

    def figures(self) -> Iterator[Metric]:
        if self._heard is not None:
            means = "When the watcher outside last heard that all is well"
            yield telemetry.gauge("heartbeat_last_success_timestamp_seconds", means, self._heard.timestamp())
