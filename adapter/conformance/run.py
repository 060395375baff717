"""A run: which cases are played, in their order, within their time; and the report that comes of it."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter.conformance.judge import GOOD_LINE, judge, owed
from adapter.conformance.model import Act, Case, Finding, Say, Severity, Verdict
from adapter.conformance.player import Player, Where
from adapter.conformance.probe import Probe
from adapter.conformance.profiles import PROFILES, Profile
from adapter.errors import UnavailableError

Clock = Callable[[], datetime]
FIRST = "R01"
"""While a good message is not acknowledged, nothing else can be shown."""
SECONDS, SLOW_SECONDS = 60.0, 240.0
ACQUAINTED = 10
"""After so many cases we know how fast this receiver answers, and wait no longer than need be for silence …"""
AS_OFTEN, AT_LEAST = 20, 1.0
"""… so many times its slowest answer, and so many seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was agreed with the receiver, and how much is asked of it."""

    where: Where
    profile: Profile = field(default_factory=lambda: PROFILES["generic"])
    slow: bool = False
    tls: bool = False
    client_certificate: bool = False
    processing: str = "P"
    limit: int = 16 * 1024 * 1024
    seconds: float = 0
    """After which no further case is begun; 0: as long as usual."""

    def lacks(self, case: Case) -> str:
        """Why a case is not applicable, or nothing."""
        if case.strict_only and not self.profile.refuses:
            return f"the profile {self.profile.name} refuses no content"
        reasons = {
            "tls": "" if self.tls else "the port speaks no TLS",
            "client certificate": "" if self.client_certificate else "no client certificate is asked for",
            "plain": "the port speaks TLS" if self.tls else "",
            "production": "" if self.processing == "P" else f"the port is for {self.processing} messages",
        }
        return reasons.get(case.needs, "")


@dataclass(frozen=True, slots=True)
class Report:
    """What two teams can sign."""

    address: str
    plan: Plan
    began: datetime
    ended: datetime
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict, severity: Severity | None = None) -> int:
        return sum(one.verdict is verdict and severity in (None, one.case.severity) for one in self.findings)

    @property
    def conforms(self) -> bool:
        """Whether everything that must hold was played and holds."""
        return self.count(Verdict.PASSED) > 0 and not self.count(Verdict.FAILED, Severity.MUST) and not self.unproven

    @property
    def unproven(self) -> int:
        """Cases that should have been played and were not."""
        return sum(one.verdict is Verdict.SKIPPED and one.case.needs != "slow" for one in self.findings)


async def run(cases: Sequence[Case], plan: Plan, clock: Clock, told: Callable[[Finding], None]) -> Report:
    """Every case once, one after the other. Raises UnavailableError when nobody listens."""
    began = clock()
    await _somebody_listens(plan.where)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (plan.seconds or (SLOW_SECONDS if plan.slow else SECONDS))
    probe = Probe(
        f"{int(began.timestamp()):x}{secrets.token_hex(1)}",
        began.strftime("%Y%m%d%H%M%S%z"),
        processing=plan.processing,
        limit=plan.limit,
    )
    findings: list[Finding] = []
    table = _Table(plan, probe, clock)
    for case in cases:
        reason = _unplayed(case, plan, findings, late=loop.time() > deadline)
        finding = reason or await table.play(case)
        findings.append(finding)
        told(finding)
    return Report(f"{plan.where.host}:{plan.where.port}", plan, began, clock(), tuple(findings))


async def _somebody_listens(where: Where) -> None:
    try:
        async with asyncio.timeout(where.patience):
            _, writer = await asyncio.open_connection(where.host, where.port)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(
            f"nobody listens at {where.host}:{where.port} ({type(error).__name__}) — start the receiver, or mend the address"
        ) from error
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _unplayed(case: Case, plan: Plan, before: Sequence[Finding], *, late: bool) -> Finding | None:
    lacking = plan.lacks(case)
    if lacking:
        return Finding(case, Verdict.NOT_APPLICABLE, came=lacking)
    if case.needs == "slow" and not plan.slow:
        return Finding(case, Verdict.SKIPPED, came="takes long", do="run it with --slow")
    if before and before[0].case.id == FIRST and before[0].verdict is Verdict.FAILED:
        return Finding(case, Verdict.SKIPPED, came="no good message is acknowledged", do=f"mend {FIRST} first")
    if late:
        return Finding(case, Verdict.SKIPPED, came="the time was up", do=f"run it with --only {case.id}")
    return None


@dataclass(slots=True)
class _Table:
    """Where the cases of one run are played; it learns how fast the receiver answers."""

    plan: Plan
    probe: Probe
    clock: Clock
    played: int = 0
    slowest: float = 0.0

    @property
    def where(self) -> Where:
        if self.played < ACQUAINTED:
            return self.plan.where
        patience = min(self.plan.where.patience, max(AT_LEAST, AS_OFTEN * self.slowest))
        return replace(self.plan.where, patience=patience)

    async def play(self, case: Case) -> Finding:
        loop, probe, profile = asyncio.get_running_loop(), self.probe, self.plan.profile
        began = loop.time()
        probe.fresh()
        acts = _acts(case.send(probe))
        probe.on(0 if case.after == "same" else GOOD_LINE).oru()
        player = Player(self.where, case)
        await player.play(acts, owed(case, probe.made, profile))
        finding = judge(case, probe.made, player.lines, profile, now=self.clock().timestamp())
        self.played += 1
        if self.played <= ACQUAINTED:
            self.slowest = max(self.slowest, player.slowest)
        return replace(finding, seconds=round(loop.time() - began, 3))


def _acts(sent: bytes | Iterable[Act]) -> list[Act]:
    return [Say(sent)] if isinstance(sent, bytes) else list(sent)
