"""After a restore nothing leaves until a person says so: the mark that every process of the store sees (reliability 5.4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.store import marks
from adapter.store.codec import canonical, instant, moment
from adapter.store.database import Snapshot, Transaction

_MARK = "restored"


@dataclass(frozen=True, slots=True)
class Hold:
    """`restored`: when; `since`: up to when each feed was in the backup; `last_message` the last one in it."""

    restored: datetime
    since: Mapping[str, datetime]
    last_message: int


def begin(tx: Transaction, hold: Hold) -> None:
    since = {feed: instant(at) for feed, at in hold.since.items()}
    said = {"restored": instant(hold.restored), "since": since, "last_message": hold.last_message}
    marks.put(tx, _MARK, canonical(said))


def stands(conn: Snapshot) -> bool:
    """Whether alerts and pushes wait."""
    return bool(marks.said(conn, _MARK))


def read(conn: Snapshot) -> Hold | None:
    text = marks.said(conn, _MARK)
    if not text:
        return None
    said = json.loads(text)
    since = {feed: moment(at) for feed, at in said["since"].items()}
    return Hold(moment(said["restored"]), since, said["last_message"])


def release(tx: Transaction) -> Hold | None:
    """What was held; None where nothing was."""
    held = read(tx)
    if held is not None:
        marks.put(tx, _MARK, "")
    return held
