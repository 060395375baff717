"""The site's secret: thirty-two bytes in a file outside the database, from which every key is derived."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from adapter import flushed
from adapter.errors import ConfigError
from adapter.store.disk import OTHERS

SIZE = 32
OWNER_READS = 0o400


@dataclass(frozen=True, slots=True)
class SiteSecret:
    """Losing it breaks the link between patients and screening ids for good: back it up, apart from the database."""

    key: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, path: Path) -> "SiteSecret":
        """Raises ConfigError for a file that others can read or that is not 32 bytes long."""
        if not path.exists():
            _create(path)
        if path.stat().st_mode & OTHERS:
            raise ConfigError(f"{path} can be read by others — chmod 400 {path}")
        key = path.read_bytes()
        if len(key) != SIZE:
            raise ConfigError(f"{path} is not a site secret of {SIZE} bytes — restore it from its backup")
        return cls(key)

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; keys of different purposes say nothing of each other (HKDF-Expand, RFC 5869)."""
        return hmac.new(self.key, purpose.encode() + b"\x01", hashlib.sha256).digest()


def _create(path: Path) -> None:
    """On the disk, under its name, before anything is derived from it; a concurrent creator loses."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flushed.write(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_READS), secrets.token_bytes(SIZE))
    try:
        path.hardlink_to(made)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    flushed.flush_folder(path.parent)
