"""Peers that speak no MLLP, named by a word of ours."""

LANGUAGES = {b"\x16\x03": "tls", b"GET ": "http", b"POST ": "http", b"HEAD ": "http", b"MSH": "hl7-without-frame"}


def language(sample: bytes) -> str:
    """What a peer without frames speaks, in a word of ours: its own bytes may hold a patient (reliability P10, M05)."""
    return next((name for start, name in LANGUAGES.items() if sample.startswith(start)), "unknown")
