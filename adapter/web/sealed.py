"""Values that a browser carries for us and cannot read or change: encrypted, dated, for one purpose."""

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from adapter.store.secret import SiteSecret

LASTING = timedelta(days=36_500)


class Seal:
    """Keyed by the site's secret: every process of this house opens what another one sealed."""

    def __init__(self, secret: SiteSecret, purpose: str) -> None:
        self._box = Fernet(urlsafe_b64encode(secret.derive(purpose)))

    def close(self, values: dict[str, Any], now: datetime) -> str:
        return self._box.encrypt_at_time(json.dumps(values).encode(), int(now.timestamp())).decode()

    def open(self, text: str, now: datetime, valid: timedelta = LASTING) -> dict[str, Any] | None:
        """None for anything but what we sealed for this purpose, less than `valid` ago."""
        try:
            plain = self._box.decrypt_at_time(text.encode(), int(valid.total_seconds()), int(now.timestamp()))
        except InvalidToken:
            return None
        found: dict[str, Any] = json.loads(plain)
        return found
