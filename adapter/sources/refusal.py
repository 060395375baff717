"""Why a file is refused as a whole, in words for whoever finds it; nothing of its content or its name is told."""

from typing import IO

PACKED = "PACKED"
_MAGIC = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"(\xb5/\xfd")

REASONS = {
    PACKED: "The file is compressed. Unpack it, or let the sender write it uncompressed.",
    "XML": "The file is in XML. Ask the sender for HL7 v2 with bars and hats (ER7), or for FHIR in JSON.",
    "CHARSET": "The file is in UTF-16, or JSON that is not UTF-8. Ask the sender for UTF-8.",
    "JSON": "The file is no sound JSON. Was it cut off? Ask the sender for it once more.",
    "NO_FHIR": "The file is JSON, but no FHIR resource or Bundle. Look at what the sender exports.",
    "TOO_BIG": "One message is over 16 MiB, or one resource or Bundle over 32 MiB. Ask for NDJSON, or for smaller Bundles.",
    "FRAME_TRUNC": "The file holds MLLP frames without an end, and no whole one. Ask the sender for it once more.",
}
OTHER = (
    "No message was found. A file must begin with MSH, FHS, BHS, an MLLP frame, or the { of FHIR's JSON. "
    "Look at what the sender writes here."
)


def sniffed(file: IO[bytes]) -> str:
    """What its first bytes already say."""
    file.seek(0)
    return PACKED if file.read(8).startswith(_MAGIC) else ""


def reason_for(code: str) -> str:
    return (
        f"{code}\n{REASONS.get(code, OTHER)}\n"
        "Nothing of it was stored. Mended, drop it again under another name; then delete it here, and this file too.\n"
    )
