"""The link to the next page of a search, made to bear that resources change while it is followed."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

PLACES = frozenset({"_offset", "_skip"})
"""Words of servers that count from the beginning of what they find now: what is changed or deleted on a page before moves all
behind it up, and as many resources stand between the pages, which nobody is shown."""
SHARE = 10
"""So many places in a hundred are read twice; a version that was stored is not stored again."""
FEWEST = 2


def steady(link: str, before: str, read: int) -> str:
    """A link by place a few places early, though never back at `before`, the link that was followed last; any other as it was given.

    `read` are the resources of the page that gave it.
    """
    try:
        parts = urlsplit(link)
    except ValueError:
        return link  # whoever follows it says what is wrong with it
    given = parse_qsl(parts.query, keep_blank_values=True)
    asked = [(name, _early(value, _place(before, name), read) if name in PLACES else value) for name, value in given]
    return link if asked == given else urlunsplit(parts._replace(query=urlencode(asked, safe=",:")))


def _place(link: str, name: str) -> int:
    return _number(dict(parse_qsl(urlsplit(link).query)).get(name, "")) or 0


def _early(value: str, last: int, read: int) -> str:
    place = _number(value)
    if place is None or place <= last + 1 or read < FEWEST:
        return value
    return str(max(last + 1, place - max(1, read * SHARE // 100)))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000000000") else None
