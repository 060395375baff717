"""Signing in by the hospital's own accounts: sent there, come back with a code, and told when a session is over there."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.errors import UnavailableError
from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.web import again as proof
from adapter.web import fields, render, sessions
from adapter.web.access import signed_in
from adapter.web.attempts import Door
from adapter.web.context import Hospital, WebContext
from adapter.web.farewell import keepsake
from adapter.web.id_token import Claims, RefusedSignInError
from adapter.web.provider import Question
from adapter.web.record import note, recorded, told
from adapter.web.sealed import Seal
from adapter.web.sessions import Begun
from adapter.web.staff import Person, external, person
from adapter.web.tongue import mark, say

router = APIRouter(include_in_schema=False)

PURPOSE = "sign-in-elsewhere"
VALID = timedelta(minutes=10)
"""Between being sent there and coming back: time to look for a phone."""
LONGEST = 4096
SAID_NO = {
    "access_denied": mark("You did not sign in there."),
    "login_required": mark("You did not sign in there."),
}
WHY = {
    "role": mark("Your hospital account has no role here. Ask the administrator of the worklist for one."),
    "name": mark("Your hospital account has a name that cannot be used here. Tell your administrator."),
    "taken": mark("An account of this house has the same name as yours. Tell your administrator."),
    "disabled": mark("Your account here is closed. Ask your administrator."),
    "other": mark(
        "That was another account than the one you are signed in with here. Go back, and sign in as yourself."
    ),
    "acr": mark("Sign in with your second factor."),
}


@router.get("/sign-in/hospital")
async def go_there(request: Request, to: str = "/", again: bool = False) -> Response:
    """`again`: whoever is signed in says once more who they are, and goes on in the same session."""
    context, hospital = _hospital(request)
    session = (await signed_in(request)).session if again else ""
    question, now = Question.new(), context.clock()
    try:
        where = await run_in_threadpool(partial(hospital.provider.door, question, again=again))
    except UnavailableError:
        return _away(request)
    more = {"to": fields.local_path(to), "at": now.timestamp(), "session": session}
    kept = _seal(context).close(asdict(question) | more, now)
    response = RedirectResponse(where, status_code=303)
    # Lax: the way back begins at the provider. It opens nothing; the session's own cookie stays strict.
    name, secure = cookie_name(context), context.cookie_secure
    response.set_cookie(name, kept, max_age=int(VALID.total_seconds()), httponly=True, secure=secure, samesite="lax")
    return response


@router.get("/sign-in/back")
async def come_back(request: Request) -> Response:
    """A page that goes on by itself, since a strict cookie is not sent with the provider's own redirect."""
    context, hospital = _hospital(request)
    address, now = request.client.host if request.client else "", context.clock()
    door: Door = request.app.state.door
    if door.addresses.wait(address, now):
        return render.notice(request, 429, say("Too many tries"), say("Wait a little, then try again."), **_again())
    tried = ("", "", "sign-in")
    try:
        kept = _kept(request, context)
        if kept["session"]:
            tried = (*await run_in_threadpool(_here, context, kept["session"]), proof.ACTION)
        claims, token = await run_in_threadpool(_redeemed, hospital, request, kept)
        who = person(claims, hospital.rules)
        cookie = "" if kept["session"] else await run_in_threadpool(_enter, context, who, token)
        if kept["session"]:
            await run_in_threadpool(_proved, context, who, kept["session"])
    except RefusedSignInError as error:
        door.addresses.failed(address, now)
        await note(request, Act(*tried, outcome="refused", reason=error.code, detail={"by": "hospital"}))
        return _dropped(context, _refused(request, error.code))
    except UnavailableError:
        return _dropped(context, _away(request))
    page = render.notice(request, 200, say("One moment"), say("Opening the page…"), bounce=kept["to"], link=kept["to"])
    if cookie:
        sessions.set_cookie(page, context, cookie)
    return _dropped(context, page)


@router.post("/sign-in/ended")
async def ended_there(request: Request) -> Response:
    """OpenID Connect Back-Channel Logout: what the provider signs is believed, whoever brings it."""
    context, hospital = _hospital(request)
    token = (await fields.form(request, "logout_token"))["logout_token"]
    try:
        subject, session = await run_in_threadpool(hospital.provider.signed_out, token)
    except RefusedSignInError:
        raise HTTPException(400, say("This is no logout token for us.")) from None
    await run_in_threadpool(_close, context, hospital, subject, session)
    return Response(status_code=200)


def cookie_name(context: WebContext) -> str:
    return "__Host-sign-in" if context.cookie_secure else "sign-in"


def _hospital(request: Request) -> tuple[WebContext, Hospital]:
    context: WebContext = request.app.state.context
    if context.hospital is None:
        raise HTTPException(404, say("There is no such page."))
    return context, context.hospital


def _seal(context: WebContext) -> Seal:
    return Seal(context.secret, PURPOSE)


def _kept(request: Request, context: WebContext) -> dict[str, str]:
    """What this very browser was sent with. Raises RefusedSignInError."""
    cookie = request.cookies.get(cookie_name(context), "")
    kept = _seal(context).open(cookie, context.clock(), VALID)
    if kept is None or request.query_params.get("state") != kept["state"]:
        raise RefusedSignInError("state")
    return {"session": "", **kept}  # an older program sent none along


def _here(context: WebContext, session: str) -> tuple[str, str]:
    """Name and role of whoever is to say again who they are; empty where their session is over."""
    with context.database.read() as conn:
        found = accounts.find_session(conn, session, context.clock())
        user = accounts.find_user(conn, found.user) if found else None
    return (user.name, user.role) if user else ("", "")


def _redeemed(hospital: Hospital, request: Request, kept: dict[str, str]) -> tuple[Claims, str]:
    given = request.query_params
    if given.get("iss", hospital.provider.relying.issuer) != hospital.provider.relying.issuer:
        raise RefusedSignInError("issuer")  # another provider's answer (RFC 9207)
    if "error" in given:
        raise RefusedSignInError(given["error"] if given["error"] in SAID_NO else "denied")
    code = given.get("code", "")
    if not code or len(code) > LONGEST:
        raise RefusedSignInError("code")
    question = Question(kept["state"], kept["nonce"], kept["verifier"])
    return hospital.provider.redeem(code, question, float(kept["at"]), again=bool(kept["session"]))


def _enter(context: WebContext, who: Person, token: str) -> str:
    """The account, made or brought up to date, and a session of it. Raises RefusedSignInError."""
    now = context.clock()
    hint = keepsake(context, token, now)
    with context.database.write() as tx:
        known = accounts.find_external(tx, who.external)
        if who.role:
            user = _settled(tx, known, who, now) if known else _made(tx, who, now)
            recorded(tx, Act(user.name, user.role, "sign-in", detail={"by": "hospital"}), now)
            return sessions.start(tx, user, now, Begun(hint, who.session))
        if known is not None:
            accounts.close_sessions_of(tx, known.name)
    raise RefusedSignInError("role")


def _proved(context: WebContext, who: Person, session: str) -> None:
    """In the session they had; what they may do is what the provider says today, and a change of it ends the session. Raises
    RefusedSignInError.
    """
    now = context.clock()
    with context.database.write() as tx:
        here, known = accounts.find_session(tx, session, now), accounts.find_external(tx, who.external)
        if here is None or now - here.seen > context.idle:
            raise RefusedSignInError("state")
        if known is None or known.name != here.user:
            raise RefusedSignInError("other")
        if who.role:
            user = _settled(tx, known, who, now)
            accounts.prove_session(tx, session, now)
            recorded(tx, Act(user.name, user.role, proof.ACTION, detail={"by": "hospital"}), now)
            return
        accounts.close_sessions_of(tx, known.name)
    raise RefusedSignInError("role")


def _made(tx: Transaction, who: Person, now: datetime) -> User:
    user = User(who.name, who.role, "", now, scope=who.scope, external=who.external)
    if not accounts.add_user(tx, user):
        raise RefusedSignInError("taken")
    recorded(tx, Act(user.name, user.role, "user-add", "user", user.name, {"by": "hospital"} | told(who.scope)), now)
    return user


def _settled(tx: Transaction, known: User, who: Person, now: datetime) -> User:
    """Under the name the account was made with; what it may do is what the provider says today."""
    if known.disabled:
        raise RefusedSignInError("disabled")
    if (known.role, known.scope) != (who.role, who.scope):
        accounts.set_role(tx, known.name, who.role, who.scope)
        detail = {"from": known.role, "to": who.role, "by": "hospital"} | told(who.scope)
        recorded(tx, Act(known.name, who.role, "role-change", "user", known.name, detail), now)
    return replace(known, role=who.role, scope=who.scope)


def _close(context: WebContext, hospital: Hospital, subject: str, session: str) -> None:
    """All sessions of somebody, or those begun in one session of the provider."""
    now = context.clock()
    with context.database.write() as tx:
        name = external(hospital.provider.relying.issuer, subject) if subject else ""
        ended = accounts.close_external(tx, name, session)
        recorded(tx, Act("", "", "sign-out", detail={"by": "hospital", "sessions": ended}), now)


def _refused(request: Request, code: str) -> Response:
    if code == "state":
        text = say("This sign-in was begun in another window, or too long ago. Begin again.")
        return render.notice(request, 400, say("That did not work"), text, **_again())
    known = WHY.get(code) or SAID_NO.get(code)
    text = say(known) if known else _plainly(code)
    return render.notice(request, 403, say("Not signed in"), text, **_again())


def _plainly(code: str) -> str:
    return say(
        "The hospital's sign-in gave an answer that cannot be trusted. Try again; if it stays so, tell your "
        "administrator this word: %(code)s.",
        code=code,
    )


def _again() -> dict[str, str]:
    return {"link": "/sign-in", "link_text": say("Back to signing in")}


def _away(request: Request) -> Response:
    text = say("The hospital's sign-in does not answer now. Try again in a moment, or use an account of this house.")
    page = render.notice(request, 503, say("Not available now"), text, **_again())
    page.headers["Retry-After"] = "30"
    return page


def _dropped(context: WebContext, response: Response) -> Response:
    """A question is asked once."""
    response.delete_cookie(cookie_name(context), httponly=True, secure=context.cookie_secure, samesite="lax")
    return response
