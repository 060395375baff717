"""Tells another system that a candidate waits, signed by the Standard Webhooks scheme: a link, never a patient."""

import asyncio
import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

import requests

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import ConfigError, RejectedError, UnavailableError
from adapter.notifiers.addresses import NamedAdapter, pinned
from adapter.pipeline.exchange import RETRIED, Limits, checked_url, exchange, session
from adapter.pipeline.retry import retry_after
from adapter.ports import Clock

LIMITS = Limits(connect=5.0, read=10.0, total=10.0, size=65536)
"""Ten seconds in all (bad-input E12); nothing of the answer but its status is read."""
PREFIX = "whsec_"
REDIRECTS = range(300, 400)
GONE = 410


@dataclass(frozen=True, slots=True)
class Webhook:
    """`secrets` as `whsec_<base64>`; two while one replaces the other."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)
    verify: str = ""
    allow_private: bool = False


class WebhookNotifier:
    """A Notifier. At least once: a repeat carries the same webhook-id (P6).

    Raises ConfigError for an unusable URL or secret.
    """

    def __init__(self, webhook: Webhook, clock: Clock) -> None:
        self._url = checked_url(webhook.url)
        self._webhook, self._clock = webhook, clock
        self._keys = [_key(secret) for secret in webhook.secrets]

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        await asyncio.to_thread(self._deliver, delivery)
        return None

    def _deliver(self, delivery: Delivery) -> None:
        target = pinned(self._url, allow_private=self._webhook.allow_private)
        body = delivery.payload.encode()
        headers = {"Host": target.host, "Content-Type": "application/json", **self._signed(delivery.key, body)}
        with session() as peer:
            peer.verify = self._webhook.verify or True
            peer.mount("https://", NamedAdapter(target.name))
            answer = exchange(peer, requests.Request("POST", target.url, data=body, headers=headers), LIMITS)
        _judge(answer.status, retry_after(answer.headers.get("Retry-After"), self._clock()))

    def _signed(self, key: str, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp()))
        signatures = " ".join(sign(secret, key, stamp, body) for secret in self._keys)
        return {"webhook-id": key, "webhook-timestamp": stamp, "webhook-signature": signatures}


def sign(secret: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks 1.0)."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ConfigError("the webhook's secret is no base64 — write it as whsec_<base64 of 24 to 64 random bytes>")
    return key


def _judge(status: int, wish: float | None) -> None:
    if status in REDIRECTS:
        raise RejectedError(
            f"the webhook answered HTTP {status}; redirects are not followed — configure the new address"
        )
    if status == GONE:
        raise RejectedError("the webhook is gone (HTTP 410) — remove it from the configuration")
    if status in RETRIED:
        raise UnavailableError(f"the webhook answered HTTP {status} — tried again", retry_after=wish)
    if status > REDIRECTS.start:
        raise RejectedError(f"the webhook answered HTTP {status} — ask its owner, then send again")
