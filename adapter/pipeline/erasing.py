"""Erasing a person: found in everything that is stored, taken out of it in one transaction, forgotten in memory (docs/adr/0044)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter import telemetry
from adapter.domain.ledger import Bucket, Ledger
from adapter.domain.message import MessageState
from adapter.domain.patient import PatientId
from adapter.domain.persons import Knot
from adapter.errors import RejectedError, StorageFailedError, UnavailableError
from adapter.mapping.site import ANY
from adapter.pipeline.keep import Keeper
from adapter.pipeline.left_out import LeftOut
from adapter.pipeline.looking import Found, Looking
from adapter.pipeline.parting import taken_out
from adapter.pipeline.steps import Read
from adapter.ports import Clock
from adapter.store import audit, enrolment, erasing, inbox, opt_outs, persons, scrubbing
from adapter.store.database import Database, Transaction
from adapter.store.emptied import ERASED, OPTED_OUT
from adapter.store.erasing import Whom, Why
from adapter.store.partitions import ALL, partitions_of
from adapter.store.shares import Shares

NOBODY = "nobody is known under this number — compare site, authority and number with `adapter convert` on a message of theirs"
ENROLLED = (
    "this person takes part, or an EDC holds what was sent of them: the trial's file must be kept (GDPR article 17(3); "
    "the protocol says how long) — ask the sponsor and the data protection officer; --enrolled erases here all the same"
)
UNCLEAR = (
    "this number stands in messages of several beside their own numbers, and nobody can say whose it is — give the one under "
    "`patient` of `adapter convert`, a number"
)
OUT_ALREADY = (
    "nothing is stored of this number, and it is on the list of those who want no part — there is nothing to do"
)
MERGED = "one record with that of a person who wants no part"
PARTICIPANT = "PARTICIPANT"
"""Why a message waits for a person that would take a participant out with somebody who wants no part."""
SHARED = "SHARED_NUMBER"
"""The same, where the number that is left out stands beside numbers of others, too."""


LEFT_OUT = "LEFT_OUT"
"""Why one waits that a replay alone can read: released, it is read by the daemon, which takes these out."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`opt_out`: later messages are emptied too; `enrolled`: also one who takes part; `rehearsal`: only counts."""

    patient: PatientId
    reason: str
    by: str
    opt_out: bool = False
    enrolled: bool = False
    rehearsal: bool = False
    with_message: int | None = None
    """A message that says so itself."""
    also: frozenset[PatientId] = frozenset()
    """Records that it makes one with this one."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`counts` by table; `pushed` is (outlet, screening number): what an EDC was sent, and holds still."""

    records: int
    counts: Mapping[str, int]
    messages: int
    shared: int
    mentions: int
    pushed: tuple[tuple[str, str], ...]
    enrolled: bool
    listed: int
    audit: int = 0


class EnrolledError(RejectedError):
    """They take part, or an EDC knows them."""


class _RehearsedError(Exception):
    """Takes everything back."""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__()
        self.certificate = certificate


def _stop_at_rehearsal(wish: Wish, certificate: Certificate) -> None:
    if wish.rehearsal:
        raise _RehearsedError(certificate)


class Eraser:
    """`erase` runs in the thread that screens: nobody else may hold the person in hand meanwhile. `forget` are told that what was
    read ahead is to be read anew, and that patients may have changed hands.
    """

    def __init__(self, database: Database, shares: Shares, keeper: Keeper, clock: Clock) -> None:
        self._database, self._shares, self._keeper, self.clock = database, shares, keeper, clock
        self._left_out, self._looking = LeftOut(database, keeper.secret), Looking(database, keeper)
        self._kept = dict[frozenset[PatientId], str]()
        self.forget: Sequence[Callable[[], None]] = ()
        self.files = database
        """Where it stands who takes part: of a replay, the store that is told again. A replay takes nobody out."""

    def look(self, wish: Wish, before: Found | None = None) -> Found:
        """In any thread: it may take long. Behind what was looked at `before`, of the records known now."""
        asked = frozenset({wish.patient, *wish.also})
        return self._looking.found(asked, before, only=wish.with_message is not None)

    def erase(self, wish: Wish, found: Found) -> Certificate:
        """Raises RejectedError where nobody is known, nobody can say who is meant, or the trial's file must stay; UnavailableError."""
        try:
            self._apart(found)
            found = self.look(wish, found)
            if found.unclear:
                raise RejectedError(self._unclear(wish.patient.site))
            with self._keeper.certain(), self._shares.write() as tx:
                certificate = self._erased(tx, wish, found)
                _stop_at_rehearsal(wish, certificate)
        except _RehearsedError as rehearsed:
            return rehearsed.certificate
        self._forget(partitions_of(found.records))
        return certificate

    def scrub(self) -> bool:
        """In any thread, after an erasure: out of the files too. False where it is left to the housekeeping."""
        try:
            return scrubbing.settle(self._database)
        except StorageFailedError:
            raise
        except UnavailableError:
            return False

    def take_back(self, wish: Wish) -> int:
        """Messages of this person are read again from now on. Raises RejectedError where they are not on the list."""
        self._forget(self._shares.renew())
        with self._shares.write() as tx:
            number = opt_outs.take_back(tx, self._keeper.secret, wish.patient)
            if not number:
                raise RejectedError("this number is not on the list of those who want no part — nothing to take back")
            act = audit.Act(wish.by, "operator", "opt-in", "person", "", {"identifiers": number}, reason=wish.reason)
            head = audit.append(tx, act, self.clock())
        self._forget(frozenset())
        return head.seq

    def sift(self, read: Sequence[Read]) -> list[Read]:
        """What may be heard. Whom a message makes one with somebody who wants no part is taken out at once, or the message is set
        aside where the trial's file must stay: then nothing is heard, and all is read anew.
        """
        if not self._left_out.anybody():
            return list(read)
        along = self._left_out.along(read)
        if along is None:
            return self._left_out.sifted(read, self._keeper.rules)
        one, records = along
        if why := self._stays(one, records):
            self._set_aside(one, why)
        return []

    def _stays(self, one: Read, records: frozenset[PatientId]) -> str:
        """Why a person must settle it; empty where these were taken out. Of the same records the inbox is walked through once."""
        if why := self._kept.get(records):
            return why
        wish = Wish(
            *(min(records), MERGED, "adapter"),
            opt_out=True,
            rehearsal=self.files is not self._database,
            with_message=one.item.id,
            also=records,
        )
        try:
            done = self.erase(wish, self.look(wish))
        except RejectedError as refused:
            self._kept[records] = PARTICIPANT if isinstance(refused, EnrolledError) else SHARED
            return self._kept[records]
        if wish.rehearsal:
            self._kept[records] = LEFT_OUT
            return LEFT_OUT
        telemetry.warn("erased with a merge", inbox_id=one.item.id, count=done.messages)
        return ""

    def _set_aside(self, one: Read, why: str) -> None:
        """A person says who goes, or that the other is not left out any more."""
        ledger = Ledger({Bucket.MESSAGE_NOT_USED: one.whole.ledger.observations}).as_json()
        ending = inbox.Ending(MessageState.QUARANTINED, self.clock(), why, ledger)
        with self._shares.write() as tx:
            if inbox.state(tx, one.item.id) is MessageState.PENDING:  # another process may have had it meanwhile
                inbox.finish(tx, one.item.id, ending)
        telemetry.warn("merge with an opt-out set aside", inbox_id=one.item.id, code=why)

    def _forget(self, partitions: frozenset[int]) -> None:
        self._keeper.forget(partitions)
        self._left_out.forget()
        self._kept.clear()
        for told in self.forget:
            told()

    def _apart(self, found: Found) -> None:
        """On a shared store: the person's patients are nobody else's until the next step."""
        if self._database.many_writers:
            self._keeper.forget(ALL)
            self._shares.renew()
            self._shares.apart(lambda: partitions_of(self._keeper.touched(found.records, ())))

    def _erased(self, tx: Transaction, wish: Wish, found: Found) -> Certificate:
        now, secret = self.clock(), self._keeper.secret
        cause = OPTED_OUT if wish.with_message is not None else ERASED
        reasons = {code for trial in self._keeper.rules.trials for _, codes in trial.statuses for code in codes}
        knots = self._knots(tx, found.records)
        # What another's visit rests on cannot be told again either, once these are empty.
        moved = any(knot.moves for knot in knots)
        messages = {message: shared or moved for message, shared in found.messages.items()}
        if wish.with_message is not None:
            messages.setdefault(wish.with_message, False)
        whom = erasing.whom(tx, secret, found.records, messages, Why(cause, now, frozenset(reasons)))
        listed = opt_outs.add(tx, secret, found.records, now) if wish.opt_out else 0
        if not (whom.keys or whom.messages or listed):
            raise RejectedError(self._unknown(tx, wish))
        pushed, enrolled = self._file(tx, whom, found.records)
        if (pushed or enrolled) and not wish.enrolled:
            raise EnrolledError(ENROLLED)
        counts = taken_out(tx, whom, knots, found.records)
        certificate = Certificate(
            records=len(whom.keys),
            counts=counts,
            messages=counts.get("inbox", 0),
            shared=sum(messages.values()),
            mentions=found.mentions,
            pushed=pushed,
            enrolled=bool(pushed or enrolled),
            listed=listed,
        )
        entry = audit.append(tx, _act(wish, certificate), now).seq
        scrubbing.owe(tx, entry, [*counts, "inbox_outcomes"])
        return replace(certificate, audit=entry)

    def _file(
        self, tx: Transaction, whom: Whom, records: frozenset[PatientId]
    ) -> tuple[tuple[tuple[str, str], ...], bool]:
        """What an EDC was sent, and whether they take part."""
        if self.files is self._database:
            return enrolment.pushed(tx, whom.numbers), enrolment.takes_part(tx, whom.candidates)
        with self.files.read() as conn:
            theirs = frozenset[PatientId]().union(*(persons.knot(conn, one).person(one).members for one in records))
            known = erasing.whom(conn, self._keeper.secret, theirs, {}, Why(whom.cause, whom.at, whom.reasons))
            return enrolment.pushed(conn, known.numbers), enrolment.takes_part(conn, known.candidates)

    def _unclear(self, site: str) -> str:
        authority = self._keeper.rules.sites[site].authority
        of = f" of '{authority}'" if authority != ANY else ""
        return f"{UNCLEAR}{of}"

    def _unknown(self, tx: Transaction, wish: Wish) -> str:
        return OUT_ALREADY if opt_outs.token(self._keeper.secret, wish.patient) in opt_outs.listed(tx) else NOBODY

    def _knots(self, tx: Transaction, records: frozenset[PatientId]) -> list[Knot]:
        found: list[Knot] = []
        left = set(records)
        while left:
            found.append(persons.knot(tx, min(left)))
            left -= set(found[-1].records)
        return found


def _act(wish: Wish, done: Certificate) -> audit.Act:
    """Counts and why: nothing that tells who."""
    role = "system" if wish.with_message is not None else "operator"
    return audit.Act(wish.by, role, "erase", "person", "", dict(_detail(wish, done)), reason=wish.reason)


def _detail(wish: Wish, done: Certificate) -> Iterator[tuple[str, Any]]:
    yield "rows", dict(done.counts)
    yield "shared_messages", done.shared
    yield "enrolled", done.enrolled
    yield "opted_out", wish.opt_out
