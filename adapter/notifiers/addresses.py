"""Where a webhook may go: the address a name has now, if it is one we may call, and no other later (SSRF)."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter

from adapter.errors import RejectedError, UnavailableError


@dataclass(frozen=True, slots=True)
class Pinned:
    """A URL by number, and the name that the peer must answer to."""

    url: str
    host: str
    name: str


def pinned(url: str, *, allow_private: bool) -> Pinned:
    """Resolve once and keep to it, so that a second answer of the DNS changes nothing (threat STR-A2).

    Raises UnavailableError when the name has no address, RejectedError when one is not public and that is not allowed.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = _resolve(name, port)
    if not allow_private and any(not _public(address) for address in found):
        raise RejectedError("its host has a private address — set allow_private if that is meant")
    address = found[0]
    literal = f"[{address}]" if ":" in address else address
    return Pinned(urlunsplit((parts.scheme, f"{literal}:{port}", parts.path, "", "")), parts.netloc, name)


def _resolve(name: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnavailableError(f"its host has no address ({type(error).__name__}) — tried again") from None
    return [str(answer[4][0]) for answer in answers]


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global) and not address.is_multicast


class NamedAdapter(HTTPAdapter):
    """Calls a number and still checks the certificate for the name."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, server_hostname=self._name, assert_hostname=self._name)
