"""`python -m tests.conformance.page` writes docs/conformance.md from the cases."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from adapter.conformance.cases import CASES, GROUPS
from adapter.conformance.judge import expected
from adapter.conformance.model import Case
from adapter.conformance.player import Where
from adapter.conformance.profiles import PROFILES
from adapter.conformance.rules import UNSEEN, rule_of, spoken
from adapter.conformance.run import Plan, Report
from adapter.conformance.telling import site_sheet
from tests.catalogue.page import line
from tests.conformance.tables import HAPI, PYTHON_HL7

PATH = Path(__file__).parents[2] / "docs" / "conformance.md"
OPENING = """# Conformance of an MLLP receiver

`adapter conformance HOST:PORT` plays {count} wire cases against a running MLLP receiver, ours or anybody's, and reports rule by
rule what it answers. It is for the day on which a hospital's integration team and the adapter's team agree on an interface:
both can sign the report. This page is written from the cases: `python -m tests.conformance.page`.

## Run it

```sh
adapter conformance 127.0.0.1:2575                                   # a table, what failed, and what to do about it
adapter conformance adapter.hospital.example:2575 --profile mirth --html report.html --hospital "Integration" --team "Adapter"
adapter conformance adapter.hospital.example:2576 --tls --ca ca.pem --certificate ours.pem
adapter conformance 127.0.0.1:2575 --only M06 --only H19             # some of the cases
adapter conformance 127.0.0.1:2575 --json                            # one JSON object a case, then a summary
adapter conformance --list                                           # every case with its weight and its rules
```

* **Profile** is what the receiver is configured to answer (`ack` in `adapter.toml`). Only `strict` refuses content.
* **Time**: half a minute on a receiver that answers; under a minute in any case, and then what was not played is `skipped`.
  `--slow` adds cases that wait a minute or send five times the largest message.
* **Load**: one message at a time but for the cases that are about several; the most is {lines} connections and one message
  over the agreed size (`--max-bytes`).
* **Exit**: 0 when all that must hold holds, 1 when it does not, 2 for wrong use, 3 when nobody listens.

## What it sends

Messages about nobody. The patient is `ZZTEST-CONFORMANCE`, numbered by the assigning authority
`CONFORMANCE&conformance.invalid&DNS` (`.invalid` is reserved by RFC 2606: no hospital can have it), the sender is
`CONFORMANCE|TEST`, results carry codes of the coding system `99CONFORMANCE` that nobody maps, and times of the year 1900.
So no receiver scores or shows anything. MSH-11 is `P`, because a production port must be tried as it is; `--processing-id T`
is for a test port. The adapter stores what it acknowledges: afterwards its inbox holds these messages, about thirty of them in
quarantine, and its quality page an unmapped code. At a site whose `test_patients` begin with `ZZTEST`, or that names its own
assigning authority, they end there. Before go-live is the time to run it; on a port in use, tell whoever watches the quarantine.

## Read it

* **must**: a receiver that fails it loses, doubles or mixes messages, or stops a feed. **should**: engines or operators will
  trip over it. **may**: good to have.
* **pass**, **fail**, **not applicable** (another profile, no TLS), **skipped** (not played: the report then proves nothing).
* **expected** and **came** are answers: `AE 207` is MSA-1 with the code of table 0357 in ERR. A failed case also says what to do.
* The judge reads answers by itself: a fault in the adapter's own reader cannot hide one.
"""
SEEN_ELSEWHERE = """
## What other receivers fail

The tool is tried on our daemon, which must pass everything, on receivers with one thing spoiled on purpose, and on two others,
for which these tables must hold exactly (`tests/conformance`). They are libraries used as their documentation shows; a receiver
built on them can do better.
"""


def text() -> str:
    lines = [OPENING.format(count=len(CASES), lines=25)]
    lines += ["## Profiles\n", "| profile | what it is for |", "|---|---|"]
    lines += [line(f"`{profile.name}`", profile.remark) for profile in PROFILES.values()]
    lines += ["\n## Cases\n", "Under *strict* stands what the profile `strict` answers where that differs."]
    for title, cases in GROUPS:
        lines += [
            f"\n### {title}\n",
            "| case | what is played | weight | expected | strict | rules |",
            "|---|---|---|---|---|---|",
        ]
        lines += [line(*cells(case)) for case in cases]
    lines += ["\n## Rules and sources\n", "| rule | what it asks | source |", "|---|---|---|", *rules()]
    lines += ["\n## What cannot be seen from outside\n", "| rule | why |", "|---|---|", *unseen()]
    lines += ["\n## Site sheet\n", "Printed at the end of the HTML report, filled in as far as the run knows.\n"]
    lines += ["| | |", "|---|---|", *(line(name, "") for name, _ in site_sheet(blank()))]
    lines += [SEEN_ELSEWHERE, "### python-hl7, `start_hl7_server`\n", *others(PYTHON_HL7)]
    lines += ["\n### HAPI HL7v2, `SimpleServer`\n", *others(HAPI)]
    return "\n".join(lines) + "\n"


def cells(case: Case) -> Iterator[str]:
    yield f"`{case.id}`"
    yield case.title + ({"slow": " *(`--slow`)*", "": ""}.get(case.needs) or "")
    yield case.severity
    behind = "; then AA for"
    generic = expected(case, PROFILES["generic"]).partition(behind)[0]
    strict = expected(case, PROFILES["strict"]).partition(behind)[0]
    yield "" if case.strict_only else generic
    yield strict if strict != generic or case.strict_only else ""
    yield ", ".join(map(spoken, case.named))


def rules() -> Iterator[str]:
    named = {name for case in CASES for name in case.named if name.isdigit()}
    for name in sorted(named, key=int):
        yield line(name, rule_of(name).text, rule_of(name).source)
    yield line("M, H, C", "Rows of the catalogue of bad input", "[bad-input.md](bad-input.md)")
    yield line(spoken("D"), rule_of("D").text, rule_of("D").source)


def unseen() -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in UNSEEN.items():
        by_reason.setdefault(reason, []).append(name)
    return (line(", ".join(names), reason) for reason, names in by_reason.items())


def others(table: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield "| what | cases that fail |"
    yield "|---|---|"
    for reason, cases in table.items():
        yield line(reason, ", ".join(f"`{case}`" for case in cases))


def blank() -> Report:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return Report("", Plan(Where("", 0)), moment, moment, ())


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
