"""`python -m tests.catalogue.acknowledgment` writes docs/acknowledgment.md from the table of profiles."""

from datetime import UTC, datetime
from pathlib import Path

from adapter.hl7.ack import AckPolicy, build, judge
from adapter.hl7.er7 import Message, parse
from adapter.hl7.profiles import PROFILES, SITUATIONS, Refusal
from tests.catalogue.page import line

PATH = Path(__file__).parents[2] / "docs" / "acknowledgment.md"
HEADER = "MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102031000||ORU^R01|42|P|{version}\r"
OPENING = """# Acknowledgment

What each source answers, by the profile its `ack` names. `AA` means one thing: *these bytes are durably ours*. It does not mean
that they were understood: what we cannot use lies in quarantine, where people see it, and the sender's queue goes on.
This page is written from the table that answers (`adapter/hl7/profiles.py`): `python -m tests.catalogue.acknowledgment`.

* **AE** (error: these bytes will never do) is said only where the message was not kept whole. **AR** (reject: perhaps later, perhaps
  elsewhere) exists in `strict` alone: some engines try the same message again for ever, and the feed stands still.
* In enhanced mode (MSH-15 valued) the same answers are `CA`, `CE`, `CR`, and are given when MSH-15 asks for them.
* **Not stored** (disk full, database away, stopping) is never answered, whatever the profile: the connection is closed, and the
  sender, whose copy is now the only one, sends again.
* An acknowledgment that is sent to us is never acknowledged.

## What is answered
"""
ENGINES = """
## What the sender does with it

Why five profiles say the same: to all these engines AA means done, and AE sets one message aside; they differ in what a reject or
silence does to them. A profile of its own keeps that on record, and keeps a later change for one engine from reaching another.
"""
SHAPES = """
## What an error looks like

`ERR` names the place (segment, its number, field) and a code of table 0357 with that table's own words: never a value of the message.
From version 2.5 on each has a field of its own (`ERR-2`, `ERR-3`, `ERR-4` severity, `ERR-8` text); before, `ERR-1` held both.
"""


def text() -> str:
    names = list(PROFILES)
    parts = [OPENING, line("message", *names), line(*["---"] * (len(names) + 1))]
    parts += [line(what, *(answers(codes, name) for name in names)) for what, codes in SITUATIONS]
    parts += [line("stored, whatever else is in it", *["AA"] * len(names))]
    parts += [line("**not stored**", *["none; closed"] * len(names))]
    parts += [ENGINES, line("profile", "no answer", "AE", "AR", "source"), line(*["---"] * 5)]
    parts += [line(name, one.silence, one.error, one.reject, one.source) for name, one in PROFILES.items()]
    parts += [SHAPES, "```", *(shape(version) for version in ("2.5.1", "2.3")), "```"]
    return "\n".join(parts) + "\n"


def answers(codes: tuple[str, ...], profile: str) -> str:
    """One word for all codes of a row, which the table has to bear out."""
    (word,) = {told(PROFILES[profile].refusals.get(code)) for code in codes}
    return word


def told(refusal: Refusal | None) -> str:
    return f"A{refusal.letter} {refusal.error}" if refusal else "AA"


def shape(version: str) -> str:
    message: Message = parse(HEADER.format(version=version).encode())
    ack = judge(message, AckPolicy("strict"), problem="SENDER")
    now = datetime(2026, 1, 2, 3, 10, 1, tzinfo=UTC)
    return build(message, ack, control_id="6957f0e0-1", now=now).decode().replace("\r", "\n")


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
