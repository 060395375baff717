"""What `convert` shows people of its findings: each with the words of the message it is about, and their sum."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from adapter.hl7.er7 import Message, Segment
from adapter.screening.reasons import REASONS

LONGEST = 60
"""Characters of the message's own words in a line."""
ANSWER = "unmapped-answer"


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is an HL7 path (`OBX-3 #4`), `said` what stands there; `kind` is equal for findings mended together."""

    where: str
    said: str
    text: str
    kind: tuple[str, str, str]


def findings(seen: dict[str, Any], message: Message | None) -> list[Finding]:
    """`seen` is the `convert` object; `message` None where it could not be parsed."""
    return [_finding(issue, seen, message) for issue in seen["issues"]]


def _finding(issue: dict[str, str], seen: dict[str, Any], message: Message | None) -> Finding:
    where = issue["where"]
    place = where.partition(" #")[0]
    code, own = _words(where, message)
    if issue["code"] == "no-patient":
        own = ", ".join(
            f"{one['authority'] or '(no authority)'} {one['type'] or '(no type)'}" for one in seen["patient"]
        )
        own = own and f"the message names numbers of: {own}"
    said = " at ".join(word for word in (own, code) if word) or issue.get("detail", "")
    # A number is each time another one; a code, a unit or a word is mapped once.
    same = said if place in {"OBX-3", "OBX-6", "PID-3"} or issue["code"] == ANSWER else code or issue.get("detail", "")
    return Finding(where, said, issue["text"], (place, same, issue["text"]))


def _words(where: str, message: Message | None) -> tuple[str, str]:
    """OBX-3 of the OBX that is meant, and the field that is meant if it is another one."""
    place, _, number = where.partition(" #")
    segment, _, position = place.partition("-")
    lines = message.all("OBX") if message is not None and number.isdigit() else ()
    if not 0 < int(number or 0) <= len(lines):
        return "", ""
    obx = lines[int(number) - 1]
    other = segment == "OBX" and position.isdigit() and position != "3"
    return _cut(obx.whole(3)), _cut(_repeated(obx, int(position))) if other else ""


def _repeated(segment: Segment, field: int) -> str:
    """`NEG ~ POS`: a line has room for a few."""
    return " ~ ".join(segment.whole(field, each) for each in range(1, min(segment.repetitions(field), LONGEST) + 1))


def _cut(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= LONGEST else f"{printable[:LONGEST]}…"


@dataclass(slots=True)
class Sum:
    """Many messages in a few lines: what became of them, the ledger, and each finding once, the most frequent first."""

    dispositions: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    ledger: Counter[str] = field(default_factory=Counter)
    found: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, seen: dict[str, Any], message: Message | None) -> None:
        reason = f" ({seen['reason']})" if seen["reason"] else ""
        what = f"{seen['type'] or '?'} {seen['disposition']}{reason}"
        self.dispositions[what] += 1
        self.reasons[what] = seen["reason"] or ""
        self.ledger.update(seen["ledger"])
        minded = [Finding(i["where"], "", i["text"], (i["where"], "", i["text"])) for i in seen.get("lint", ())]
        for one in (*findings(seen, message), *minded):
            self.found[one.kind] += 1
            self.first.setdefault(one.kind, seen["source"])

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": dict(self.dispositions.most_common()),
            "ledger": dict(self.ledger),
            "findings": [
                {"where": kind[0], "said": kind[1], "text": kind[2], "count": count, "first": self.first[kind]}
                for kind, count in self.found.most_common()
            ],
        }

    def text(self) -> str:
        buckets = [f"{count:>8}  {name.replace('_', ' ')}" for name, count in self.ledger.items() if count]
        lines: list[str] = []
        for what, count in self.dispositions.most_common():
            lines.append(f"{count:>8}  {what}")
            lines += [f"{'':>10}{REASONS[self.reasons[what]]}"] if self.reasons[what] in REASONS else []
        lines += ["", *buckets] if buckets else []
        for (place, said, text), count in self.found.most_common():
            lines += ["", f"{count:>8}  {place} {said}".rstrip(), f"{'':>10}{text}"]
            lines.append(f"{'':>10}first in {self.first[place, said, text]}")
        return "\n".join(lines)
