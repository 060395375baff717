"""Messages that were read and are read again, because what they said was not wholly understood: found, and put back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from adapter.domain.issue import Issue
from adapter.domain.message import MessageState
from adapter.store import unmapped
from adapter.store.codec import canonical, moment
from adapter.store.inbox import Item, read_item
from adapter.store.locks import Lock, take
from adapter.store.schema import feeds, inbox, inbox_outcomes, inbox_pending

RUN = 200
"""Messages put back in one transaction: receiving, and the newest messages, wait for it."""

LOOKED_BACK = 20_000
"""How many of the last messages are looked at for examples: a page must not walk through years."""

BIGGEST_EXAMPLE = 128 * 1024
"""Bytes of a message that is looked at for examples."""


@dataclass(frozen=True, slots=True)
class Mended:
    """Which messages: those of `site` with the issue `code` whose detail `means` accepts. `word` narrows the search where the
    detail can only be this very one.
    """

    site: str
    code: str
    means: Callable[[str], bool]
    word: str = ""

    def of(self, issues: Sequence[Issue]) -> int:
        """How many of a message's issues are meant."""
        return sum(issue.code == self.code and self.means(issue.detail) for issue in issues)


def affected(conn: Connection, mended: Mended, after: int = 0, limit: int = RUN) -> tuple[list[tuple[int, int]], int]:
    """(id, issues meant) of applied messages behind `after`, oldest first; and behind which id to go on, 0 at the end."""
    rows = conn.execute(_wanted(mended).where(inbox_outcomes.c.id > after).limit(limit)).all()
    found = [(row.id, mended.of(_issues(row.issues))) for row in rows]
    return [one for one in found if one[1]], rows[-1].id if len(rows) == limit else 0


def _wanted(mended: Mended) -> Select[Any]:
    """By the very text of the JSON: the issues are kept in one canonical form."""
    wanted = select(inbox_outcomes.c.id, inbox_outcomes.c.issues).join(inbox, inbox.c.id == inbox_outcomes.c.id)
    says = [f'"code":{canonical(mended.code)}', *([f'"detail":{canonical(mended.word)}'] if mended.word else ())]
    text = [inbox_outcomes.c.issues.contains(one, autoescape=True) for one in says]
    ours = (inbox.c.site == mended.site, inbox_outcomes.c.state == str(MessageState.APPLIED))
    return wanted.where(*ours, *text).order_by(inbox_outcomes.c.id)


def put_back(tx: Connection, messages: Sequence[int]) -> list[int]:
    """Those that had ended wait again, oldest first; what they had counted is taken back."""
    take(tx, Lock.TALLY)
    gone = delete(inbox_outcomes).where(inbox_outcomes.c.id.in_(messages))
    ended = tx.execute(gone.returning(inbox_outcomes.c.id, inbox_outcomes.c.state, inbox_outcomes.c.issues)).all()
    rows = tx.execute(select(inbox.c.id, inbox.c.source).where(inbox.c.id.in_(messages)))
    sources = {row.id: row.source for row in rows}
    for message, state, issues in ended:
        unmapped.take_back(tx, message, _issues(issues))
        less = {state: feeds.c[state] - 1}
        tx.execute(update(feeds).where(feeds.c.source == sources[message]).values(less))
    waiting = sorted(row.id for row in ended)
    if waiting:
        tx.execute(insert(inbox_pending), [{"id": one, "source": sources[one], "again": 1} for one in waiting])
    return waiting


def newest(conn: Connection, limit: int, *, source: str | None = None) -> list[tuple[int, list[Issue]]]:
    """Of the last messages stored the newest applied ones that had issues, with these."""
    stored = conn.execute(select(func.coalesce(func.max(inbox.c.id), 0))).scalar_one()
    wanted = select(inbox_outcomes.c.id, inbox_outcomes.c.issues).where(
        inbox_outcomes.c.id > stored - LOOKED_BACK,
        inbox_outcomes.c.state == str(MessageState.APPLIED),
        inbox_outcomes.c.issues != "[]",
    )
    if source is not None:
        wanted = wanted.join(inbox, inbox.c.id == inbox_outcomes.c.id).where(inbox.c.source == source)
    rows = conn.execute(wanted.order_by(inbox_outcomes.c.id.desc()).limit(limit))
    return [(row.id, _issues(row.issues)) for row in rows]


def bodies(conn: Connection, messages: Sequence[int]) -> list[Item]:
    """Messages with their bytes, oldest first; big ones (documents, mostly) are left out."""
    small = func.length(inbox.c.body) <= BIGGEST_EXAMPLE
    rows = conn.execute(select(inbox).where(inbox.c.id.in_(messages), small).order_by(inbox.c.id))
    return [read_item(row, attempts=0) for row in rows]


def received(conn: Connection, message: int) -> Any:
    """When it came."""
    return moment(conn.execute(select(inbox.c.received).where(inbox.c.id == message)).scalar_one())


def _issues(text: str) -> list[Issue]:
    return [Issue(**issue) for issue in json.loads(text)]
