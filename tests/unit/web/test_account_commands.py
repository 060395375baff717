"""What an operator does with accounts: roles, sites and trials, and whom the hospital alone lets in."""

from datetime import timedelta

import pytest

from adapter.daemon import commands
from adapter.daemon.commands import Desk
from adapter.errors import RejectedError
from adapter.store import accounts
from adapter.store.accounts import EVERYWHERE, Scope, User
from tests.web_house import House


def told(home: House, command: str, **given: object) -> dict[str, object]:
    desk = Desk(home.database, home.clock, "https://here")
    return commands.perform(desk, {"command": command, "by": "operator", **given})


def known(home: House, name: str) -> User:
    with home.database.read() as conn:
        found = accounts.find_user(conn, name)
    assert found is not None
    return found


def test_an_account_is_made_for_some_sites_and_trials_or_for_all(home: House) -> None:
    told(home, "user-add", name="maria", role="monitor", sites=["attikon"], trials=["immunosep"])
    told(home, "user-add", name="moritz", role="auditor", sites=[], trials=[])
    assert known(home, "maria").scope == Scope(frozenset({"attikon"}), frozenset({"immunosep"}))
    assert known(home, "moritz").scope == EVERYWHERE


def test_another_role_ends_every_session(home: House) -> None:
    client = home.signed_in()
    told(home, "user-role", name="anna", role="monitor", sites=["attikon"])
    assert client.get("/").status_code == 302
    assert (known(home, "anna").role, known(home, "anna").scope.site("generic")) == ("monitor", False)
    assert home.signed_in().get("/").headers["location"] == "/screened"


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("user-role", {"name": "anna", "role": "nurse"}),
        ("user-role", {"name": "nobody", "role": "admin"}),
        ("user-reset-second-step", {"name": "nobody"}),
        ("user-invite", {"name": "hospital"}),
    ],
)
def test_what_cannot_be_is_refused(home: House, command: str, given: dict[str, str]) -> None:
    with home.database.write() as tx:
        accounts.add_user(tx, User("hospital", "admin", "", home.clock.now, external="https://login|7"))
    with pytest.raises(RejectedError):
        told(home, command, **given)


def test_the_fourth_session_ends_the_first(home: House) -> None:
    clients = []
    for _ in range(4):
        home.clock.now += timedelta(seconds=1)
        clients.append(home.signed_in())
    answers = [client.get("/quality").status_code for client in clients]
    assert answers == [302, 200, 200, 200]


def test_a_person_sees_when_the_account_was_used_before(home: House) -> None:
    first = home.signed_in()
    assert "<dd>none</dd>" in first.get("/account").text
    assert home.clock.now.strftime("%Y-%m-%d %H:%M UTC") in home.signed_in().get("/account").text
