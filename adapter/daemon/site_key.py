"""The key of a store: worklist ids and screening numbers are made with it, so no other may take its place."""

import hashlib
from pathlib import Path

from adapter.errors import ConfigError
from adapter.store import marks, screening_ids
from adapter.store.database import Database, Snapshot
from adapter.store.secret import SiteSecret

LABEL = 16

MEND = "restore it from its backup, or copy it from the first data folder (mode 0400)"


def site_key(database: Database, path: Path) -> SiteSecret:
    """The key, made where the store knows of none. Raises ConfigError as `refuse_other_key`."""
    with database.write() as tx:
        refuse_other_key(tx, path)
        secret = SiteSecret.load_or_create(path)
        if not marks.agrees(tx, marks.SITE_KEY, _mark(secret)):  # another process was first
            raise _other(path)
    return secret


def refuse_other_key(conn: Snapshot, path: Path) -> None:
    """Raises ConfigError where the store was made with a key that is gone, or with another than this one.

    A store of a version that kept no mark knows its key by what that opens.
    """
    mark = marks.said(conn, marks.SITE_KEY)
    if not path.exists():
        if mark or screening_ids.keyed(conn):
            raise ConfigError(f"{path} is gone, and this store was made with it — {MEND}")
        return
    secret = SiteSecret.load_or_create(path)
    if mark != _mark(secret) if mark else not screening_ids.opened_by(conn, secret):
        raise _other(path)


def label(conn: Snapshot) -> str:
    """Which key the store was made with, as a label that tells nothing of it; empty in a store that kept no mark."""
    mark = marks.said(conn, marks.SITE_KEY)
    return _label(mark) if mark else ""


def label_of(secret: SiteSecret) -> str:
    return _label(_mark(secret))


def _label(mark: str) -> str:
    return hashlib.sha256(mark.encode()).hexdigest()[:LABEL]


def _mark(secret: SiteSecret) -> str:
    return secret.derive("same-site-key").hex()


def _other(path: Path) -> ConfigError:
    return ConfigError(f"{path} is not the key of this store — {MEND}")
