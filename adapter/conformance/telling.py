"""A report in words: JSON objects, lines for a person, and the page that two teams sign."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapter.conformance.cases import CASES, GROUPS
from adapter.conformance.model import Finding, Severity, Verdict
from adapter.conformance.rules import rule_of, spoken
from adapter.conformance.run import Report


@dataclass(frozen=True, slots=True)
class Teams:
    """Who signs; an empty name leaves a line to write on."""

    hospital: str = ""
    adapter: str = ""


def finding_as_json(finding: Finding) -> dict[str, Any]:
    case = finding.case
    return {
        "kind": "case",
        "id": case.id,
        "title": case.title,
        "rules": [
            {"name": spoken(name), "text": rule_of(name).text, "source": rule_of(name).source} for name in case.named
        ],
        "severity": case.severity,
        "verdict": finding.verdict,
        "expected": finding.expected,
        "came": finding.came,
        "do": finding.do,
        "seconds": finding.seconds,
    }


def report_as_json(report: Report, version: str) -> dict[str, Any]:
    plan = report.plan
    return {
        "kind": "summary",
        "address": report.address,
        "profile": plan.profile.name,
        "tls": plan.tls,
        "processing_id": plan.processing,
        "max_bytes": plan.limit,
        "began": report.began.isoformat(),
        "ended": report.ended.isoformat(),
        "software": version,
        "verdicts": {str(verdict): report.count(verdict) for verdict in Verdict},
        "failed": {str(severity): report.count(Verdict.FAILED, severity) for severity in Severity},
        "cases": len(report.findings),
        "conforms": report.conforms,
    }


def rules_of(finding: Finding) -> str:
    return ", ".join(map(spoken, finding.case.named))


def conclusion(report: Report) -> str:
    """One sentence that can be signed."""
    failed = report.count(Verdict.FAILED, Severity.MUST)
    if failed:
        return f"The receiver does not conform: {failed} of what must hold does not."
    if not report.conforms:
        return (
            f"Nothing that was played failed, but {report.unproven} cases were not played: this proves no conformance."
        )
    wishes = report.count(Verdict.FAILED)
    but = f"; {wishes} of what should hold does not" if wishes else ""
    if len(report.findings) < len(CASES):
        return f"Of {len(CASES)} cases {len(report.findings)} were asked for, and what must hold of them holds{but}."
    return f"The receiver conforms to the profile {report.plan.profile.name}{but}."


def counts(report: Report) -> str:
    return ", ".join(f"{report.count(verdict)} {verdict}" for verdict in Verdict if report.count(verdict))


def grouped(report: Report) -> Iterator[tuple[str, list[Finding]]]:
    """In the groups of the cases; a group of which nothing was asked is left out."""
    by_id = {one.case.id: one for one in report.findings}
    for title, cases in GROUPS:
        found = [by_id[case.id] for case in cases if case.id in by_id]
        if found:
            yield title, found


def details(report: Report) -> Iterator[str]:
    """What failed, each in four lines."""
    for one in report.findings:
        if one.verdict is Verdict.FAILED:
            yield f"{one.case.id} ({one.case.severity}; {rules_of(one)}): {one.case.title}"
            yield f"  expected  {one.expected}"
            yield f"  came      {one.came}"
            yield f"  do        {one.do}"


def page(report: Report, version: str, teams: Teams) -> str:
    """Self-contained HTML."""
    environment = Environment(
        loader=PackageLoader("adapter.conformance"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        report=report,
        version=version,
        teams=teams,
        groups=list(grouped(report)),
        sheet=list(site_sheet(report)),
        conclusion=conclusion(report),
        counts=counts(report),
        rule_of=rule_of,
        spoken=spoken,
        failed=[one for one in report.findings if one.verdict is Verdict.FAILED],
    )


def site_sheet(report: Report) -> Iterator[tuple[str, str]]:
    """What both teams keep beside the report (rule 66); an empty value is a line to write on."""
    plan = report.plan
    tls = "TLS 1.2 or newer" if plan.tls else "none (inside the site's network only)"
    yield "Host", plan.where.host
    yield "Port", str(plan.where.port)
    yield "Encryption", f"{tls}; client certificate" if plan.client_certificate else tls
    yield "Profile of answers", f"{plan.profile.name}: {plan.profile.remark}"
    yield "Form of the answer", "framed ACK^event^ACK, AA/AE/AR; CA/CE/CR where MSH-15 asks for it"
    yield "Character set where MSH-18 is silent", ""
    yield "Largest message", f"{plan.limit} bytes"
    yield "Sender's timeout for an answer", ""
    yield "Processing id (MSH-11)", plan.processing
    yield "Message types and events", ""
    yield "Test messages", ""
    yield "Contact, hospital", ""
    yield "Contact, adapter", ""
