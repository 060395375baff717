"""Canaries: tokens that stand for what identifies a patient, and the search for them in any dress."""

import base64
import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from urllib.parse import quote

LATIN = "ABCDEFGHJKLMNPQRTUVWXYZabcdefghjkmnpqrtuvwxyz23456789"
GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΤΥΦΧΨΩαβγδεζηθικλμνξοπρτυφχψω"
DIGEST_SHOWN = 16
"""Hexadecimal digits of a hash that give it away; products like to cut hashes short."""
LETTERS = 16


@dataclass
class Canaries:
    """Mints tokens by name; the same name is the same token. `seed` makes a run repeatable."""

    seed: int = 20260102
    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def _chance(self) -> random.Random:
        return random.Random(self.seed)

    def word(self, name: str, letters: str = LATIN) -> str:
        if name not in self.tokens:
            self.tokens[name] = ("".join(self._chance.choices(letters, k=LETTERS)),)
        return self.tokens[name][0]

    def greek(self, name: str) -> str:
        return self.word(name, GREEK)

    def digits(self, name: str) -> str:
        return self.word(name, "0123456789")

    def day(self, name: str) -> str:
        """A date of birth, YYYYMMDD, looked for as people and machines write it."""
        if name not in self.tokens:
            found = date(1931, 1, 1) + timedelta(days=self._chance.randrange(15000))
            ways = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%d %B %Y")
            self.tokens[name] = tuple(found.strftime(way) for way in ways)
        return self.tokens[name][0]

    def found(self, data: bytes) -> set[str]:
        """`name (dress)` of every token in the data."""
        folded = data.lower()
        return {
            f"{name} ({dress})"
            for name, spellings in self.tokens.items()
            for spelling in spellings
            for dress, needles in dressed(spelling).items()
            for needle in needles
            if (needle in data if dress == "base64" else needle.lower() in folded)
        }

    def plain(self, data: bytes) -> set[str]:
        """Names of the tokens that stand in the data as they are."""
        return {name for name, spellings in self.tokens.items() if any(s.encode() in data for s in spellings)}


@cache
def dressed(token: str) -> dict[str, set[bytes]]:
    """Every dress a token may leave in; letter case is the searcher's business, but for letters beyond ASCII."""
    cases = {token, token.upper(), token.lower()}
    raws = {way.encode() for way in cases}
    if not token.isascii():
        raws |= {way.encode("iso-8859-7") for way in cases}
    return {
        "as it is": raws,
        "reversed": {way[::-1].encode() for way in cases} | {raw[::-1] for raw in raws},
        "base64": {core for raw in raws for core in in_base64(raw)},
        "url": {quote(raw, safe="").encode() for raw in raws},
        "json": {json.dumps(way).strip('"').encode() for way in cases},
        "hex": {raw.hex().encode() for raw in raws},
        "hash": {digest for raw in raws for digest in hashes(raw)},
    }


def in_base64(raw: bytes) -> set[bytes]:
    """The letters that are the same wherever the token stands in a longer text, in both alphabets."""
    cores = set()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + raw)
        core = text[(lead * 8 + 5) // 6 : (lead + len(raw)) * 8 // 6]
        cores |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return cores


def hashes(raw: bytes) -> set[bytes]:
    return {getattr(hashlib, kind)(raw).hexdigest()[:DIGEST_SHOWN].encode() for kind in ("sha256", "sha1", "md5")}
