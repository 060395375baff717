"""What nobody mapped as the page shows it, with what it may mean, and the lines that wait for somebody's approval."""

from datetime import tzinfo
from typing import Any

from adapter.mapping.amend import line_of
from adapter.pipeline.survey import Found, survey
from adapter.store import proposals, unmapped
from adapter.store.accounts import Scope
from adapter.store.proposals import Proposal
from adapter.web import times, words
from adapter.web.context import WebContext

MOST = 50
"""Things nobody mapped, with their examples, on the page; the command line lists all."""
KINDS = {"unmapped-code": "code", "unmapped-drug": "drug", "unmapped-unit": "unit"}
"""What a line proposed on the page can mend."""
NOT_NEEDED, OTHER = "!not-needed", "!other"
"""Choices beside the suggestions."""


def read(context: WebContext, zone: tzinfo, scope: Scope) -> dict[str, Any]:
    with context.database.read() as conn:
        waiting, found = proposals.listing(conn), survey(conn, context.bench.rules(), MOST)
    return {
        "found": [_told(one) for one in found if scope.site(one.met.site)],
        "waiting": [_waiting(one, zone) for one in waiting if scope.site(one.site)],
        "other": OTHER,
        "not_needed": NOT_NEEDED,
    }


def _told(found: Found) -> dict[str, Any]:
    one = found.as_json()
    whole = one["said"] not in {"", unmapped.REST} and len(one["said"]) < unmapped.LONGEST
    kind = KINDS.get(one["code"], "") if whole else ""
    words_for = {"kind": kind, "what": words.unmapped(one["code"]), "suggestions": found.suggestions}
    return one | words_for | {"day": "" if one["last"] is None else one["last"][:10]}


def _waiting(one: Proposal, zone: tzinfo) -> dict[str, Any]:
    return {"proposal": one, "line": line_of(one.line), "at": times.local(one.at, zone)}
