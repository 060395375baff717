"""Templates to answers: autoescaped, strict about names that do not exist, in the reader's language, with the intended use."""

import hashlib
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from adapter.web import tongue
from adapter.web.context import WebContext
from adapter.web.folder import STATIC
from adapter.web.roles import Right, may
from adapter.web.tongue import mark

INTENDED_USE = mark("Research recruitment support. Not for diagnosis, monitoring or treatment.")
"""Decisions F10: on every page and every alert."""


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("adapter.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"en": tongue.in_english, "english": tongue.english, "inner": tongue.inner}
    return tongue.taught(made)


@cache
def _digest(name: str) -> str:
    """In the address of a file that browsers keep: another content is another address."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def html(template: str, context: WebContext, visitor: Any = None, /, **values: Any) -> str:
    """The page as text. `visitor` is the signed-in person, or None."""
    given = {"here": "", "digest": _digest, "software": context.software, "demo": context.demo, "place": "/"}
    spoken = {"language": tongue.language(), "languages": tongue.LANGUAGES}
    role = visitor.role if visitor else ""
    found = environment().get_template(template)
    return found.render(
        given | spoken | values,
        visitor=visitor,
        role=tongue.say(role),
        intended_use=INTENDED_USE,
        sees_patients=visitor is not None and visitor.may(Right.PATIENTS),
        covers=_covers(context, visitor),
        shadow=_in_shadow(context, visitor),
        restored=visitor is not None and context.held(),
        sees_counts=may(role, Right.COUNTS),
        sees_numbers=may(role, Right.PSEUDONYMS) or may(role, Right.ENROLLED),
        reads_trail=any(may(role, right) for right in (Right.AUDIT_ALL, Right.AUDIT_TECHNICAL, Right.AUDIT_OWN)),
        asks=may(role, Right.BREAK_GLASS),
        vouches=may(role, Right.VOUCH),
    )


def _in_shadow(context: WebContext, visitor: Any) -> list[str]:
    """Trials of the reader of which nobody is told."""
    found = [trial.id for trial in context.trials if trial.id in context.shadow]
    return [trial for trial in found if visitor is not None and visitor.scope.trial(trial)]


def _covers(context: WebContext, visitor: Any) -> float:
    """Seconds without a touch, after which a page of somebody who sees patients covers itself; 0 for never."""
    return context.blank.total_seconds() if visitor is not None and visitor.may(Right.PATIENTS) else 0


def page(request: Request, template: str, /, *, visitor: Any = None, status: int = 200, **values: Any) -> HTMLResponse:
    """`place` is where the page is found again, where it has an address."""
    query = f"?{request.url.query}" if request.url.query else ""
    given = {"place": f"{request.url.path}{query}" if request.method == "GET" else "/"}
    return HTMLResponse(html(template, request.app.state.context, visitor, **(given | values)), status_code=status)


def notice(request: Request, status: int, title: str, text: str, **more: Any) -> HTMLResponse:
    """A page that says one thing and where to go on; with `bounce` it goes by itself: there again, or to the address given."""
    given = {
        "title": title,
        "text": text,
        "reference": "",
        "written": "",
        "bounce": False,
        "link": "/",
        "link_text": "",
    }
    return page(request, "notice.html", status=status, **(given | more))
