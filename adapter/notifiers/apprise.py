"""Tells people by whatever Apprise speaks (Teams, Slack, ntfy, Signal, SMS gateways): a link, never a patient."""

import asyncio
import json
from typing import Any

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import ConfigError, UnavailableError
from adapter.notifiers.email import subject_of, text_of


class AppriseNotifier:
    """A Notifier. Apprise says only whether it worked, so a failure is tried again. Raises ConfigError without the extra, or
    for a URL that Apprise does not know.
    """

    def __init__(self, url: str) -> None:
        try:
            import apprise
        except ImportError:
            raise ConfigError(
                "a notifier of kind apprise needs the extra: pip install 'immunosep-adapter[apprise]'"
            ) from None
        self._sender: Any = apprise.Apprise()
        if not self._sender.add(url):
            raise ConfigError("Apprise does not know the notifier's url — see its list of services")

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """Raises UnavailableError."""
        said = json.loads(delivery.payload)
        if not await asyncio.to_thread(self._sender.notify, title=subject_of(delivery.kind, said), body=text_of(said)):
            raise UnavailableError("the service behind Apprise did not take the message — tried again")
        return None
