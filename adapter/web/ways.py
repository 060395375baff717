"""What each reader searched for, and by which list they came to a patient: beside their session, so that no address holds a name."""

import secrets
from collections import OrderedDict
from urllib.parse import parse_qsl, urlsplit

from adapter.web import filters
from adapter.web.sessions import Visitor

REMEMBERED = 10_000
"""Of all readers, of which the oldest are forgotten first."""
LONGEST_ID = 64

Kept = OrderedDict[tuple[str, str], str]


class Ways:
    """By session. Nothing here outlives the process; where several serve the pages, each knows its own."""

    def __init__(self) -> None:
        self._searches: Kept = OrderedDict()
        self._lists: Kept = OrderedDict()

    def search(self, reader: Visitor, words: str) -> str:
        """What an address may call this search: a random name, which tells nobody else anything."""
        name = secrets.token_hex(4)
        _keep(self._searches, (reader.session, name), words)
        return name

    def words(self, reader: Visitor, search: str) -> str:
        """Empty for one that is no longer known, or that is somebody else's."""
        return self._searches.get((reader.session, search), "")

    def back(self, reader: Visitor, candidate: str, before: str) -> str:
        """The list by which they came here: `before`, where the address of the page before is one; else as they came last."""
        here = (reader.session, candidate[:LONGEST_ID])
        if listed := _list_at(before):
            _keep(self._lists, here, listed)
        return self._lists.get(here, "/")

    def forget(self, reader: Visitor) -> None:
        """They sign out."""
        for kept in (self._searches, self._lists):
            for key in [key for key in kept if key[0] == reader.session]:
                del kept[key]


def _keep(kept: Kept, key: tuple[str, str], text: str) -> None:
    kept[key] = text
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _list_at(address: str) -> str:
    """The list's address as we write it; empty for any other page."""
    try:
        page = urlsplit(address)
    except ValueError:
        return ""
    return filters.read(dict(parse_qsl(page.query))).here if page.path == "/" else ""
