"""Which addresses belong to a server: scheme, host, port and path as configured, whatever its own answers say."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\]")


@dataclass(frozen=True, slots=True)
class Origin:
    """`base` is a checked URL without a final slash."""

    base: str

    def holds(self, url: str) -> bool:
        """Whether a credential of this server may go there (bad-input F03): never for what two readers could read differently."""
        if _ODD.search(url):
            return False
        try:
            ours, theirs = urlsplit(self.base), urlsplit(url)
            same = _door(ours) == _door(theirs)
        except ValueError:  # a port that is none, brackets that do not fit
            return False
        return same and "@" not in theirs.netloc and not theirs.fragment and _below(ours.path, theirs.path)


def _door(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme)


def _below(base: str, path: str) -> bool:
    """Under the base's own path, and nowhere else by dots or by letters in another spelling."""
    plain = unquote(path)
    if "\\" in plain or any(part in (".", "..") for part in plain.split("/")):
        return False
    return path.rstrip("/") == base or path.startswith(f"{base}/")
