"""`adapter erase`: a person taken out of all that is stored, or left out from now on; the answer is the certificate."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapter.daemon.rules import SECRET, load_rules
from adapter.daemon.site_key import site_key
from adapter.domain.document import nearest
from adapter.domain.patient import PatientId
from adapter.errors import ConfigError, RejectedError
from adapter.pipeline.erasing import Certificate, Eraser, Wish
from adapter.pipeline.keep import Keeper
from adapter.ports import Clock
from adapter.screening.rulebook import Rulebook
from adapter.settings import Settings
from adapter.store.database import Database

if TYPE_CHECKING:
    from adapter.daemon.parts import Parts

Json = dict[str, Any]
PARTS = 3
SHORTEST = 4
"""Characters of a number that a reason may not hold: less is a word like any other."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`screening` does a piece of work in the thread that screens, so that nobody has the person in hand meanwhile."""

    eraser: Eraser
    clock: Clock
    environment: str
    sites: frozenset[str]
    screening: Callable[[Callable[[], Any]], Any]
    kept: timedelta | None = None
    """How long our backups are kept: until then they hold who was erased. None where `[backup]` makes none."""


def beside(parts: "Parts", eraser: Eraser, screening: Executor) -> Desk | None:
    """Of a daemon; None where another process reads the messages."""
    if "process" not in parts.settings.adapter.roles:
        return None
    return _desk(parts.settings, parts.rules, eraser, lambda work: screening.submit(work).result())


def alone(settings: Settings, database: Database, clock: Clock) -> Desk:
    """Where no daemon runs here. Raises ConfigError."""
    rules, key = load_rules(settings), site_key(database, settings.adapter.data / SECRET)
    eraser = Eraser(database, database.shares(), Keeper(database, rules, key, (), ""), clock)
    return _desk(settings, rules, eraser, lambda work: work())


def _desk(settings: Settings, rules: Rulebook, eraser: Eraser, screening: Callable[[Callable[[], Any]], Any]) -> Desk:
    kept = settings.backup.keep if settings.backup else None
    return Desk(eraser, eraser.clock, settings.adapter.environment, frozenset(rules.sites), screening, kept)


def patient_of(line: str) -> PatientId:
    """Of `SITE|AUTHORITY|NUMBER`. Raises ConfigError, without what was written."""
    parts = [part.strip() for part in line.strip().split("|")]
    if len(parts) != PARTS or not parts[0] or not parts[2]:
        raise ConfigError(
            "standard input: write SITE|AUTHORITY|NUMBER on one line (AUTHORITY may be empty where messages name none)"
        )
    return PatientId(*parts)


def _erase(desk: Desk, request: Mapping[str, Any]) -> Json:
    wish = _wish(desk, request)
    found = desk.eraser.look(wish)
    done: Certificate = desk.screening(lambda: desk.eraser.erase(wish, found))
    now = desk.clock()
    scrubbed = wish.rehearsal or desk.eraser.scrub()
    return {
        "erased": not wish.rehearsal,
        "environment": desk.environment,
        "at": now.isoformat(timespec="seconds"),
        "records": done.records,
        "messages": done.messages,
        "shared_messages": done.shared,
        "other_messages_with_the_number": done.mentions,
        "rows": dict(done.counts),
        "takes_part": done.enrolled,
        "pushed": [{"outlet": outlet, "screening_number": number} for outlet, number in done.pushed],
        "opted_out": wish.opt_out,
        "log_emptied": scrubbed,
        "audit": None if wish.rehearsal else done.audit,
        "backups_hold_it_until": None if desk.kept is None else (now + desk.kept).date().isoformat(),
        "reason": wish.reason,
    }


def _take_back(desk: Desk, request: Mapping[str, Any]) -> Json:
    wish = _wish(desk, request)
    number = desk.screening(lambda: desk.eraser.take_back(wish))
    return {"opted_in": True, "audit": number, "reason": wish.reason}


def _wish(desk: Desk, request: Mapping[str, Any]) -> Wish:
    patient, reason = PatientId(*map(str, request["patient"])), str(request.get("reason", "")).strip()
    if patient.site not in desk.sites:
        raise RejectedError(f"no site of this name is configured{nearest(patient.site, desk.sites)} — SITE comes first")
    if not reason:
        raise RejectedError("say why with --reason: it is put on record")
    if len(patient.value) >= SHORTEST and patient.value in reason:
        raise RejectedError(
            "--reason holds the number itself, and stays on record for ever — say why without saying who"
        )
    opt_out, enrolled, rehearsal = (bool(request.get(name)) for name in ("opt_out", "enrolled", "rehearsal"))
    return Wish(patient, reason, str(request.get("by", "")), opt_out=opt_out, enrolled=enrolled, rehearsal=rehearsal)


COMMANDS: Mapping[str, Callable[[Desk, Mapping[str, Any]], Json]] = {"erase": _erase, "opt-in": _take_back}
