"""Who comes back from the hospital's sign-in without an answer: what is said and put on record, with nobody there to ask."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from adapter.store import accounts, audit
from adapter.store.audit import Act
from adapter.web.context import Hospital
from adapter.web.hospital import PURPOSE, cookie_name
from adapter.web.provider import Provider, Relying
from adapter.web.sealed import Seal
from adapter.web.sessions import fingerprint
from adapter.web.staff import StaffRules
from tests.ports import free_port
from tests.web_house import BASE, House, house

DENIED = "error=access_denied"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        relying = Relying(f"http://127.0.0.1:{free_port()}", "worklist", f"{BASE}/sign-in/back")
        provider = Provider(relying, requests.Session, made.clock)
        made.context = replace(made.context, hospital=Hospital(provider, StaffRules({})))
        yield made


def sent_there(home: House, client: TestClient, **kept: Any) -> None:
    """With what `/sign-in/hospital` leaves in the browser."""
    asked = {"state": "s", "nonce": "n", "verifier": "v", "to": "/", "at": home.clock.now.timestamp()}
    sealed = Seal(home.context.secret, PURPOSE).close(asked | kept, home.clock.now)
    client.cookies.set(cookie_name(home.context), sealed)


def last(home: House) -> Act:
    with home.database.read() as conn:
        return list(audit.listing(conn))[-1].act


def refused(name: str, role: str, action: str, reason: str) -> Act:
    return Act(name, role, action, outcome="refused", reason=reason, detail={"by": "hospital"})


def test_what_an_older_program_left_in_the_browser_is_a_sign_in(home: House) -> None:
    client = home.client()
    sent_there(home, client)
    answer = client.get("/sign-in/back?state=s&code=c")
    assert (answer.status_code, "does not answer now" in answer.text) == (503, True)
    sent_there(home, client)
    assert client.get(f"/sign-in/back?state=s&{DENIED}").status_code == 403
    assert last(home) == refused("", "", "sign-in", "access_denied")


def test_who_does_not_say_again_who_they_are_is_on_record_by_name(home: House) -> None:
    client = home.signed_in()
    sent_there(home, client, session=fingerprint(client.cookies["session"]))
    assert client.get(f"/sign-in/back?state=s&{DENIED}").status_code == 403
    assert last(home) == refused("anna", "coordinator", "sign-in-again", "access_denied")
    assert client.get("/").status_code == 200, "and is signed in as before"


def test_whose_session_ended_meanwhile_is_nobody(home: House) -> None:
    client = home.signed_in()
    sent_there(home, client, session=fingerprint(client.cookies["session"]))
    with home.database.write() as tx:
        accounts.close_sessions_of(tx, "anna")
    assert client.get(f"/sign-in/back?state=s&{DENIED}").status_code == 403
    assert last(home) == refused("", "", "sign-in-again", "access_denied")


def test_another_state_is_no_answer_to_ours(home: House) -> None:
    client = home.signed_in()
    sent_there(home, client, session=fingerprint(client.cookies["session"]))
    assert client.get(f"/sign-in/back?state=t&{DENIED}").status_code == 400
    assert last(home) == refused("", "", "sign-in", "state")
