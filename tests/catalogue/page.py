"""`python -m tests.catalogue.page` writes docs/bad-input.md from the catalogue."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from tests.catalogue import elsewhere
from tests.catalogue.cases import ROWS, SECTIONS
from tests.catalogue.model import Case, Row

PATH = Path(__file__).parents[2] / "docs" / "bad-input.md"
OPENING = """# Bad input

What the adapter answers to odd, broken and hostile messages, and what becomes of them. Every line with a case is a test
(`tests/catalogue`): the case is sent on a real socket between two good messages, and both good ones must be acknowledged
and applied. This page is written from the same data: `python -m tests.catalogue.page`.

* **Answer** is what goes over the wire with the profile `generic`: `AA` means *stored*, not *understood*. Other profiles
  differ only where **strict** says so.
* **Inside** is what becomes of the message: `applied`, `ignored`, `quarantined` with its reason (stored, shown to staff,
  never retried), `duplicate` (not applied again). A result that cannot be used leaves its message applied and goes to a
  bucket of the ledger (`bad_value`, `unmapped_unit`, …).
* **Found** are issues reported with the message, and flags that stay on the result.
"""


def text() -> str:
    parts = [OPENING]
    for title, rows in SECTIONS:
        lines = [line for row in rows for line in lines_of(row)]
        parts += [
            f"\n## {title}\n",
            "| # | Input | Answer | Inside | Found | Remarks |",
            "|---|---|---|---|---|---|",
            *lines,
        ]
    for title, rows in elsewhere.SECTIONS:
        found = [line(one.id, one.given, one.note, f"`{one.elsewhere.rpartition('/')[2]}`") for one in rows]
        parts += [f"\n## {title}\n", "| # | Input | What follows | Test |", "|---|---|---|---|", *found]
    parts.append(f"\n{len(ROWS)} rows, {sum(len(row.cases) for row in ROWS)} cases.")
    return "\n".join(parts) + "\n"


def lines_of(row: Row) -> Iterator[str]:
    remark = f"*later: {row.later}*" if row.later else row.note
    if row.elsewhere:
        remark = "; ".join(part for part in (remark, f"`{row.elsewhere.rpartition('/')[2]}`") if part)
    if not row.cases:
        yield line(row.id, row.given, "", "", "", remark)
    for number, case in enumerate(row.cases):
        given = row.given if not case.what else f"{row.given}: {case.what}" if number == 0 else f"… {case.what}"
        yield line(row.id if number == 0 else "", given, *told(row, case), remark if number == 0 else "")


def told(row: Row, case: Case) -> tuple[str, str, str]:
    answer = f"{counted(case.wire) or 'none'}{f'; strict: {case.strict}' if case.strict else ''}"
    if row.later:
        return answer, "", ""
    inside = [counted(case.lot) or "not stored"]
    inside += [f"`{case.bucket}`"] if case.bucket else []
    inside += [f"{concept} {'unknown' if value is None else value}" for concept, value in case.holds.items()]
    inside += [] if case.candidate is None else ["candidate" if case.candidate else "no candidate"]
    inside += [first_line(case)] if case.check else []
    found = [f"`{word}`" for word in (*case.issues, *case.flags)]
    found += [f"counted `{case.counted}`"] if case.counted else []
    return answer, ", ".join(inside), ", ".join(found)


def first_line(case: Case) -> str:
    return (inspect.getdoc(case.check) or "").split("\n")[0]


def counted(words: tuple[str, ...]) -> str:
    """`AA, AA`; more than three of one kind as `50 × AA`."""
    if len(words) > 3 and len(set(words)) == 1:
        return f"{len(words)} × {words[0]}"
    return ", ".join(words)


def line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
