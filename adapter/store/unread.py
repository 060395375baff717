"""Results as they are stored, taken apart when somebody looks: of a long stay a message asks for the last day only.

Most of what reading a chart would cost is the JSON and the twenty objects of each result. Where a result is (its time, its
identity) and whether it counts is all that laying out a chart needs, and the row says that much.
"""

import re
from datetime import datetime
from typing import Any

from adapter.domain.observation import USABLE, Result
from adapter.store import codec

_STATUS = re.compile('"status":"([a-z]+)"')
"""As `codec` writes it. No text inside JSON looks like this: its quotation marks are escaped."""
_put = object.__setattr__
"""A result is frozen for everybody else."""


class Unread(Result):
    """One statement, whose text is read when `versions` is first asked for: the slot is empty until then."""

    __slots__ = ("_text", "at", "counts", "identity")

    def __init__(self, at: datetime, identity: str, text: str, *, counts: bool) -> None:
        _put(self, "at", at)
        _put(self, "identity", identity)
        _put(self, "counts", counts)
        _put(self, "_text", text)

    def __getattr__(self, name: str) -> Any:
        """Python asks here where a slot is empty."""
        if name != "versions":
            raise AttributeError(name)
        text = self._text
        if text:
            _put(self, "versions", codec.read_versions(text))
            _put(self, "_text", "")
        return self.versions


def stored(effective: str, identity: str, versions: str) -> Result:
    """Of a row of `results`. Several statements are read at once: only together do they say what stands."""
    said = _STATUS.findall(versions)
    if len(said) != 1:
        return Result(codec.read_versions(versions))
    return Unread(datetime.fromisoformat(effective), identity, versions, counts=said[0] in USABLE)
