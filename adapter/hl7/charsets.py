"""Which character set a message is written in, and how its bytes become text without losing one (MSH-18, table 0211)."""

from adapter.hl7.tables import codec

ONE_BYTE = ("iso8859", "cp125")
"""How the codecs are called in which any byte is a letter, so that a wrong set makes other letters and no error."""


def charset_of(stated: str, payload: bytes, encoding: str) -> tuple[str, tuple[str, ...]]:
    """The Python codec to use and what was odd about it; `encoding` is the site's, used where MSH-18 is silent.

    A message that says ASCII and holds other bytes is read in the site's set (`charset-contradicted`). Bytes that are
    UTF-8 from end to end, and are read in a set of one byte a letter, are hardly meant so (`charset-doubtful`).
    """
    if not stated and payload.isascii():
        return encoding, ()
    names = [name for name in stated.split("~") if name.strip()]
    known = [found for name in names if (found := codec(name))]
    if payload.isascii() and (not known or b"\x1b" not in payload):
        return known[0] if known else encoding, ("charset-unknown",) if names and not known else ()
    charset = next((found for found in known if found.startswith("iso2022")), known[0] if known else encoding)
    issues = ("charset-unknown",) if names and not known else ()
    if charset == "ascii" and not payload.isascii():
        charset, issues = encoding, ("charset-contradicted",)
    if not _decodes(payload, charset):
        issues = (*issues, "charset-replaced")
    elif charset.startswith(ONE_BYTE) and _decodes(payload, "utf-8"):
        issues = (*issues, "charset-doubtful")
    return charset, issues


def _decodes(payload: bytes, charset: str) -> bool:
    try:
        payload.decode(charset)
    except UnicodeDecodeError:
        return False
    return True


def decoded(lines: list[bytes], charset: str) -> list[str]:
    """Text of each line; bytes that mean nothing in the set survive as surrogates (PEP 383)."""
    if charset == "utf-8" or charset.startswith(ONE_BYTE):
        # Together: in these a carriage return is one whatever stands before it, and no line holds one.
        return b"\r".join(lines).decode(charset, "surrogateescape").split("\r")
    try:
        return [line.decode(charset, "surrogateescape") for line in lines]
    except UnicodeDecodeError:
        return [_salvaged(line, charset) for line in lines]


def _salvaged(line: bytes, charset: str) -> str:
    """A stateful set can stumble over a byte below 128, which no surrogate may stand for."""
    try:
        return line.decode(charset, "surrogateescape")
    except UnicodeDecodeError:
        return line.decode("ascii", "surrogateescape")
