"""`python -m tests.catalogue.receiver` writes docs/receiver.md from the rules."""

from pathlib import Path

from tests.catalogue.page import line
from tests.catalogue.rules import RULES, SECTIONS, Rule

PATH = Path(__file__).parents[2] / "docs" / "receiver.md"
OPENING = """# The receiver

What interface engines expect of whom they send to, and what this one does: rules gathered from HL7 v2 chapter 2, from MLLP release 1
and from the manuals and sources of Mirth, InterSystems, Rhapsody, Cloverleaf, BizTalk and others. Each names the tests that show it:
a row like `M04` of [bad input](bad-input.md), sent on a real socket between two good messages, or a test below `tests/`.
Written from `tests/catalogue/rules.py`: `python -m tests.catalogue.receiver`. Answers by engine: [acknowledgment](acknowledgment.md).
"""


def text() -> str:
    parts = [OPENING]
    for title, rules in SECTIONS:
        parts += [f"\n## {title}\n", "| # | Rule | Here | Shown by |", "|---|---|---|---|"]
        parts += [line(str(one.number), one.asked, one.done, shown(one)) for one in rules]
    tested = sum(bool(one.tests) for one in RULES)
    parts.append(f"\n{len(RULES)} rules, {tested} of them tested.")
    return "\n".join(parts) + "\n"


def shown(one: Rule) -> str:
    words = [f"`{name.rpartition('::')[2]}`" if "::" in name else name for name in one.tests]
    return f"*{one.later}*" if one.later else ", ".join(words)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
