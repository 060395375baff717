"""What an operator may change from the command line; each act is audited. Run by the daemon, or alone under its lock."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from adapter.daemon import erasing, on_backups, workbench
from adapter.errors import RejectedError
from adapter.ports import Clock
from adapter.store import accounts, audit, emptied, inbox, quarantine
from adapter.store.accounts import Scope, User
from adapter.store.database import Database
from adapter.web import once
from adapter.web.record import told
from adapter.web.roles import RIGHTS

Json = dict[str, Any]
INVITATION = timedelta(days=2)
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the commands work with; `base_url` begins the links they give out, `wake` tells who reads that there is work.
    `bench` is where mappings are amended, `eraser` where people are erased.
    """

    database: Database
    clock: Clock
    base_url: str
    wake: Callable[[], None] = field(default=lambda: None)
    bench: workbench.Desk | None = None
    eraser: erasing.Desk | None = None


def perform(desk: Desk, request: Mapping[str, Any]) -> Json:
    """The answer to one request. Raises RejectedError when it cannot be done, with the reason."""
    command = COMMANDS.get(str(request.get("command")))
    if command is None:
        raise RejectedError(f"unknown command — this program knows {', '.join(sorted(COMMANDS))}")
    return command(desk, request)


def _user_add(desk: Desk, request: Mapping[str, Any]) -> Json:
    """An account without a password, and the link by which its owner chooses one."""
    name, role = str(request["name"]), str(request["role"])
    if role not in RIGHTS:
        raise RejectedError(f"no role '{role}' — known: {', '.join(sorted(RIGHTS))}")
    if not accounts.NAME.fullmatch(name):
        raise RejectedError("a name has 2 to 64 letters, digits, dots or dashes")
    now, scope = desk.clock(), _scope(request)
    with desk.database.write() as tx:
        if not accounts.add_user(tx, User(name, role, "", now, scope=scope)):
            raise RejectedError(f"the name '{name}' is taken — choose another, or `adapter user invite {name}`")
        token = once.issue(tx, f"{once.USER}:{name}", now, INVITATION)
        act = _act(request, "user-add", name, role=role)
        audit.append(tx, replace(act, detail={**act.detail, **told(scope)}), now)
    return {"name": name, "role": role, "link": f"{desk.base_url}/sign-in/once/{token}"}


def _user_role(desk: Desk, request: Mapping[str, Any]) -> Json:
    """Another role, other sites and trials; every session of the account ends."""
    name, role, scope, now = str(request["name"]), str(request["role"]), _scope(request), desk.clock()
    if role not in RIGHTS:
        raise RejectedError(f"no role '{role}' — known: {', '.join(sorted(RIGHTS))}")
    with desk.database.write() as tx:
        if not accounts.set_role(tx, name, role, scope):
            raise RejectedError(f"no account '{name}' — see `adapter user list`")
        act = _act(request, "user-role", name, role=role)
        audit.append(tx, replace(act, detail={**act.detail, **told(scope)}), now)
    return {"name": name, "role": role}


def _scope(request: Mapping[str, Any]) -> Scope:
    """None given: every site, every trial."""
    sites, trials = (frozenset(map(str, request.get(kind) or ())) or None for kind in ("sites", "trials"))
    return Scope(sites, trials)


def _user_invite(desk: Desk, request: Mapping[str, Any]) -> Json:
    """A new link to choose a password, for one who lost theirs."""
    name, now = str(request["name"]), desk.clock()
    with desk.database.write() as tx:
        user = accounts.find_user(tx, name)
        if user is None or user.disabled:
            raise RejectedError(f"no active account '{name}' — see `adapter user list`")
        if user.external:
            raise RejectedError(f"'{name}' signs in by the hospital's own account, which alone has a password")
        token = once.issue(tx, f"{once.USER}:{name}", now, INVITATION)
        audit.append(tx, _act(request, "user-invite", name), now)
    return {"name": name, "link": f"{desk.base_url}/sign-in/once/{token}"}


def _user_disable(desk: Desk, request: Mapping[str, Any]) -> Json:
    name, now = str(request["name"]), desk.clock()
    with desk.database.write() as tx:
        if not accounts.set_disabled(tx, name, disabled=True):
            raise RejectedError(f"no account '{name}' — see `adapter user list`")
        audit.append(tx, _act(request, "user-disable", name), now)
    return {"name": name, "disabled": True}


def _user_reset_second_step(desk: Desk, request: Mapping[str, Any]) -> Json:
    """For one who lost their phone: another one is made known at the next sign-in."""
    name, now = str(request["name"]), desk.clock()
    with desk.database.write() as tx:
        if not accounts.set_second_step(tx, name, ""):
            raise RejectedError(f"no account '{name}' — see `adapter user list`")
        audit.append(tx, _act(request, "user-reset-second-step", name), now)
    return {"name": name, "second_step": False}


def _inbox_show(desk: Desk, request: Mapping[str, Any]) -> Json:
    """The bytes as they came, base64; who looked and why is on record before they are handed out."""
    inbox_id, reason, now = int(request["id"]), _why(request), desk.clock()
    with desk.database.write() as tx:
        try:
            body = inbox.raw(tx, inbox_id)
        except LookupError:
            raise RejectedError(f"no message {inbox_id} — see `adapter inbox list`") from None
        if not body and (at := emptied.when(tx, inbox_id)):
            raise RejectedError(
                f"the bytes of message {inbox_id} were erased on {at} — its row and hash are all there is"
            )
        audit.append(tx, _act(request, "inbox-show", str(inbox_id), why=reason), now)
    return {"id": inbox_id, "body": base64.b64encode(body).decode()}


def _quarantine_show(desk: Desk, request: Mapping[str, Any]) -> Json:
    """As `inbox-show`, for a message in quarantine."""
    message_id, why, now = int(request["id"]), _why(request), desk.clock()
    with desk.database.write() as tx:
        row = quarantine.find(tx, message_id)
        body = inbox.raw(tx, message_id)
        audit.append(tx, _settled(request, "quarantine-show", row, why), now)
    return {"id": message_id, "code": row.reason, "body": base64.b64encode(body).decode()}


def _quarantine_release(desk: Desk, request: Mapping[str, Any]) -> Json:
    """One message, or the next run of all with a reason code behind the id `after`; `last` is where to go on."""
    why, now, code = _why(request), desk.clock(), request.get("code")
    with desk.database.write() as tx:
        if code is None:
            row = quarantine.release(tx, int(request["id"]))
            released = [row.id]
            audit.append(tx, _settled(request, "quarantine-release", row, why), now)
        else:
            released = quarantine.release_all(tx, str(code), int(request.get("after", 0)))
            detail = {"code": str(code), "messages": released}
            if released:
                who = str(request.get("by", ""))
                audit.append(tx, audit.Act(who, OPERATOR, "quarantine-release", "message", "", detail, reason=why), now)
    desk.wake()
    return {"released": released}


def _quarantine_discard(desk: Desk, request: Mapping[str, Any]) -> Json:
    message_id, why, now = int(request["id"]), _why(request), desk.clock()
    with desk.database.write() as tx:
        row = quarantine.discard(tx, message_id, now)
        audit.append(tx, _settled(request, "quarantine-discard", row, why), now)
    return {"id": message_id, "discarded": True}


def _audit_export(desk: Desk, request: Mapping[str, Any]) -> Json:
    """On record before the first byte leaves; `upto` is the number of that entry, the last of the export."""
    why, now, detail = _why(request), desk.clock(), dict(request["detail"])
    with desk.database.write() as tx:
        act = audit.Act(str(request.get("by", "")), OPERATOR, "audit-export", "audit", "", detail, reason=why)
        return {"upto": audit.append(tx, act, now).seq}


def _audit_verify(desk: Desk, request: Mapping[str, Any]) -> Json:
    """That somebody looked, and what they found."""
    now, outcome = desk.clock(), "ok" if request["whole"] else "failed"
    with desk.database.write() as tx:
        act = audit.Act(
            str(request.get("by", "")), OPERATOR, "audit-verify", "audit", "", dict(request["detail"]), outcome
        )
        return {"seq": audit.append(tx, act, now).seq}


def _explain(desk: Desk, request: Mapping[str, Any]) -> Json:
    """Who looked at whom, by ids of ours, before anything is shown."""
    known, now, detail = list(map(str, request["candidates"])), desk.clock(), dict(request["detail"])
    who, why = str(request.get("by", "")), str(request.get("reason", "")).strip()
    with desk.database.write() as tx:
        for candidate in known:
            audit.append(tx, audit.Act(who, OPERATOR, "explain", "candidate", candidate, detail, reason=why), now)
        if not known:
            outcome = "ok" if request["found"] else "not found"
            audit.append(tx, audit.Act(who, OPERATOR, "explain", "patient", "", detail, outcome, why), now)
    return {"entries": max(1, len(known))}


def _why(request: Mapping[str, Any]) -> str:
    reason = str(request.get("reason", "")).strip()
    if not reason:
        raise RejectedError("say why with --reason: it is put on record")
    return reason


def _settled(request: Mapping[str, Any], action: str, row: quarantine.QuarantineRow, why: str) -> audit.Act:
    who = str(request.get("by", ""))
    return audit.Act(who, OPERATOR, action, "message", str(row.id), {"code": row.reason}, reason=why)


def _act(request: Mapping[str, Any], action: str, about: str, *, role: str = "", why: str = "") -> audit.Act:
    """On the socket everybody is the account that runs the daemon, or root: the claimed login is kept as such."""
    kind = "message" if action.startswith("inbox") else "user"
    detail = {"role": role} if role else {}
    return audit.Act(str(request.get("by", "")), OPERATOR, action, kind, about, detail, reason=why)


def _at_bench(act: Callable[[workbench.Desk, Mapping[str, Any]], Json]) -> Callable[[Desk, Mapping[str, Any]], Json]:
    def carried_out(desk: Desk, request: Mapping[str, Any]) -> Json:
        if desk.bench is None:
            raise RejectedError("mappings are not amended here — use `adapter mapping add` beside the daemon")
        return act(desk.bench, request)

    return carried_out


def _erasing(act: Callable[[erasing.Desk, Mapping[str, Any]], Json]) -> Callable[[Desk, Mapping[str, Any]], Json]:
    def carried_out(desk: Desk, request: Mapping[str, Any]) -> Json:
        if desk.eraser is None:
            raise RejectedError("this process reads no messages — ask the one that does")
        return act(desk.eraser, request)

    return carried_out


def _with_store(act: Callable[[Database, Clock, Mapping[str, Any]], Json]) -> Callable[[Desk, Mapping[str, Any]], Json]:
    return lambda desk, request: act(desk.database, desk.clock, request)


COMMANDS: Mapping[str, Callable[[Desk, Mapping[str, Any]], Json]] = {
    "user-add": _user_add,
    "user-invite": _user_invite,
    "user-role": _user_role,
    "user-disable": _user_disable,
    "user-reset-second-step": _user_reset_second_step,
    "inbox-show": _inbox_show,
    "audit-export": _audit_export,
    "audit-verify": _audit_verify,
    "explain": _explain,
    "quarantine-show": _quarantine_show,
    "quarantine-release": _quarantine_release,
    "quarantine-discard": _quarantine_discard,
    **{name: _erasing(act) for name, act in erasing.COMMANDS.items()},
    **{name: _with_store(act) for name, act in on_backups.COMMANDS.items()},
    **{name: _at_bench(act) for name, act in workbench.COMMANDS.items()},
}
