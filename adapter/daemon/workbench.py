"""What nobody mapped, mapped: a line into a site's file, the daemon reads by it at once, and what it concerns is read again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter import telemetry
from adapter.daemon import amending
from adapter.daemon.amending import Author
from adapter.errors import AdapterError, RejectedError
from adapter.mapping.amend import ISSUES, SiteLine, line_of
from adapter.ports import Clock
from adapter.screening.rulebook import Rulebook
from adapter.store import again, audit
from adapter.store.again import Mended
from adapter.store.database import Database

Json = dict[str, Any]
Ask = Callable[[Mapping[str, Any]], Json]


@dataclass(frozen=True, slots=True)
class Desk:
    """`rules` is what the daemon reads by now, None where none runs; `load` reads the files; `adopt` makes them the daemon's."""

    database: Database
    clock: Clock
    load: Callable[[], Rulebook]
    wake: Callable[[], None] = field(default=lambda: None)
    rules: Callable[[], Rulebook | None] = field(default=lambda: None)
    adopt: Callable[[Rulebook], None] = field(default=lambda _rules: None)


@dataclass(frozen=True, slots=True)
class Order:
    """A line for a site, and who answers for it."""

    site: str
    line: SiteLine
    author: Author
    role: str = "operator"
    actor: str = ""
    """Who did it, where that is not the author: an approver."""

    def request(self, command: str) -> Json:
        said = {"by": self.actor or self.author.name, "reason": self.author.reason, "role": self.role}
        return {"command": command, "site": self.site, "line": self.line.as_json(), **said}


def mended(site: str, line: SiteLine) -> Iterator[Mended]:
    """The messages that a line concerns, by each issue it mends."""
    word = "" if line.kind == "unit" else line.word
    for code in ISSUES[line.kind]:
        yield Mended(site, code, line.mends, word)


def carry_out(order: Order, planned: amending.Plan, load: Callable[[], Rulebook], ask: Ask) -> Json:
    """The file written, the daemon told, and everything concerned read again; as far as it came is kept.

    Raises RejectedError with the file as it was, where the daemon cannot read by it.
    """
    was = load().digest
    done = ask({"command": "mapping-ready", "was": was})
    kept = ""
    if planned.after != planned.before:  # else the line stands there, and only the reading is left to do
        kept = str(amending.write(planned, order.author.at))
        try:
            done = ask(order.request("mapping-adopt") | {"was": was, "now": load().digest})
        except AdapterError:
            amending.put_back(planned)
            raise
    return {"file": str(planned.path), "backup": kept, "messages": _read_all(order, ask), "running": done["running"]}


def _read_all(order: Order, ask: Ask) -> int:
    messages = 0
    for number in range(len(ISSUES[order.line.kind])):
        after = 0
        while True:
            run = ask(order.request("mapping-again") | {"issue": number, "after": after})
            messages += len(run["messages"])
            after = run["next"]
            if not after:
                break
    return messages


# --- what the daemon answers -------------------------------------------------------------------------------------------


def ready(desk: Desk, request: Mapping[str, Any]) -> Json:
    """Whether the daemon reads by the very files that stand there now: else they would come into force unseen."""
    running = desk.rules()
    if running is None:
        with desk.database.alone():
            return {"running": False}
    if running.digest != request["was"]:
        raise RejectedError("other files were changed since the daemon started — restart it first, then try again")
    return {"running": True}


def adopt(desk: Desk, request: Mapping[str, Any]) -> Json:
    """The files as they stand, if they are those that were asked for; on record with who and why."""
    found = ready(desk, request)
    line, site = line_of(request["line"]), str(request["site"])
    rules = desk.load()
    if rules.digest != request["now"]:
        raise RejectedError("the files were changed meanwhile — try again")
    if found["running"]:
        desk.adopt(rules)
        telemetry.log("rules changed", digest=rules.digest)
    detail = {**line.as_json(), "old": str(request["was"]), "new": rules.digest}
    with desk.database.write() as tx:
        audit.append(tx, _act(request, ("mapping-add", site), detail), desk.clock())
    return found


def read_again(desk: Desk, request: Mapping[str, Any]) -> Json:
    """The next run of messages behind the id `after`; `next` is where to go on, 0 at the end."""
    line, site = line_of(request["line"]), str(request["site"])
    which = list(mended(site, line))[int(request["issue"])]
    with desk.database.read() as conn:
        found, after = again.affected(conn, which, int(request["after"]))
    with desk.database.write() as tx:
        messages = again.put_back(tx, [message for message, _ in found])
        if messages:
            act = _act(request, ("mapping-again", site), {**line.as_json(), "messages": messages})
            audit.append(tx, act, desk.clock())
    if messages:
        desk.wake()
    return {"messages": messages, "next": after}


def _act(request: Mapping[str, Any], what: tuple[str, str], detail: Json) -> audit.Act:
    who, role, why = (str(request.get(name, "")) for name in ("by", "role", "reason"))
    login = {"login": str(request["login"])} if "login" in request else {}
    return audit.Act(who, role, what[0], "site", what[1], detail | login, reason=why)


COMMANDS: Mapping[str, Callable[[Desk, Mapping[str, Any]], Json]] = {
    "mapping-ready": ready,
    "mapping-adopt": adopt,
    "mapping-again": read_again,
}
