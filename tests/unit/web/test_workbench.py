"""What nobody mapped, on the page: seen by those who may, proposed by one, approved by another, and read again at once."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapter.store import proposals, worklist
from adapter.store.audit import listing
from tests.amending import SITE, amendable, arrive, platelets
from tests.builders import oru
from tests.web_house import PASSWORD, House, house, in_words

FIELDS = {"site": "klinikum", "code": "unmapped-code", "word": "THRO", "other": "", "unit": "", "reason": "catalogue"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """On SQLite alone: what reaches the store stands in tests/shell/test_workbench.py, on both."""
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """There once the ward is."""
    return tmp_path / "etc" / "mappings" / "sites" / "klinikum.yaml"


@pytest.fixture
def ward(home: House, tmp_path: Path) -> House:
    for name, role in (("ilse", "interface-admin"), ("iris", "investigator")):
        home.person(name, role)
    amendable(home, tmp_path / "etc")
    return home


def sent(client: TestClient, path: str, **fields: str) -> tuple[int, str]:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/quality").text)
    assert found
    answer = client.post(f"/quality/mapping/{path}", data={"csrf": found[1]} | fields)
    return answer.status_code, answer.text


def waiting(home: House) -> list[tuple[str, Any]]:
    with home.database.read() as conn:
        return [(one.by, one.line) for one in proposals.listing(conn)]


def shown(home: House) -> list[str]:
    with home.database.read() as conn:
        return [row.verdict for row in worklist.shown(conn, home.clock.now)]


def test_one_proposes_another_approves_and_the_candidate_appears(ward: House, file: Path) -> None:
    ilse, iris = ward.signed_in("ilse"), ward.signed_in("iris")
    assert shown(ward) == []
    assert sent(ilse, "propose", **FIELDS, choice="platelets")[0] == 303
    assert waiting(ward) == [("ilse", {"kind": "code", "word": "THRO", "meaning": "platelets"})]
    assert file.read_text() == SITE
    assert "Approve" not in ilse.get("/quality").text
    assert "Approve and read again" in iris.get("/quality").text
    assert sent(iris, "1/approve", reason="")[0] == 303
    assert "  THRO: platelets  # ilse, approved by iris, 2026-01-02: catalogue\n" in file.read_text()
    assert shown(ward) == ["candidate"]
    assert waiting(ward) == []
    assert "THRO" not in iris.get("/quality").text
    assert sent(iris, "1/approve", reason="") == (422, sent(iris, "1/approve", reason="")[1])
    with ward.database.read() as conn:
        acts = [row.act for row in listing(conn) if row.act.action.startswith("mapping")]
    assert [(one.actor, one.role, one.action, one.reason) for one in acts] == [
        ("ilse", "interface-admin", "mapping-propose", "catalogue"),
        ("iris", "investigator", "mapping-add", "catalogue"),
        ("iris", "investigator", "mapping-again", "catalogue"),
    ]


def test_an_approval_long_after_signing_in_asks_for_the_password_and_goes_on(ward: House, file: Path) -> None:
    ilse, iris = ward.signed_in("ilse"), ward.signed_in("iris")
    assert sent(ilse, "propose", **FIELDS, choice="platelets")[0] == 303
    for _ in range(2):
        ward.clock.now += timedelta(minutes=8)
        iris.get("/quality")
    status, text = sent(iris, "1/approve", reason="as agreed")
    assert (status, file.read_text()) == (403, SITE)
    main = text.partition("<main")[2].partition("</main>")[0]
    (action,) = re.findall(r'action="([^"]+)"', main)
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main))
    assert (kept["reason"], action) == ("as agreed", "/quality/mapping/1/approve")
    assert "Approve the line" in main
    wrong = iris.post(action, data=kept | {"password": "wrong"})
    assert (wrong.status_code, "This is not your password." in wrong.text, file.read_text()) == (403, True, SITE)
    assert iris.post(action, data=kept | {"password": PASSWORD}).headers["location"] == "/quality?done=approve#unmapped"
    assert "THRO: platelets" in file.read_text()
    assert [act for act in ward.audited() if act[1] == "sign-in-again"] == [
        ("iris", "sign-in-again", "failed"),
        ("iris", "sign-in-again", "ok"),
    ]
    assert sent(iris, "1/approve", reason="")[0] == 422, "decided already; she is not asked again at once"


def test_what_is_declined_is_on_record_and_changes_nothing(ward: House, file: Path) -> None:
    ilse, iris = ward.signed_in("ilse"), ward.signed_in("iris")
    assert sent(ilse, "propose", **(FIELDS | {"other": "wbc"}), choice="!other")[0] == 303
    status, text = sent(iris, "1/decline", reason="")
    assert (status, "Say why you decline" in text) == (422, True)
    assert sent(iris, "1/decline", reason="it is platelets")[0] == 303
    assert (waiting(ward), file.read_text()) == ([], SITE)
    assert ("iris", "mapping-decline", "ok") in ward.audited()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"choice": "platelet"}, "did you mean &#39;platelets&#39;"),
        ({"choice": "platelets", "reason": ""}, "Say why"),
        ({"choice": "!other"}, "Choose what it means"),
        ({"choice": "crp", "word": "FERR"}, "stands there already"),
        ({"choice": "platelets", "site": "attikon"}, "is a shipped example"),
        ({"choice": "platelets", "site": "nowhere"}, "no site"),
        ({"choice": "platelets", "code": "unmapped-answer"}, "a line needs a word"),
        ({"choice": "platelets", "unit": "mg/dL"}, "has no conversion"),
    ],
)
def test_a_line_that_cannot_be_is_refused_where_it_is_proposed(ward: House, changed: dict[str, str], said: str) -> None:
    status, text = sent(ward.signed_in("ilse"), "propose", **(FIELDS | changed))
    assert (status, said in text) == (422, True), text
    assert waiting(ward) == []


def test_the_same_line_waits_once(ward: House) -> None:
    ilse = ward.signed_in("ilse")
    assert [sent(ilse, "propose", **FIELDS, choice="platelets")[0] for _ in range(2)] == [303, 422]
    assert sent(ilse, "propose", **FIELDS, choice="!not-needed")[0] == 303


Asked = Callable[[TestClient], tuple[int, str]]
PROPOSE: Asked = lambda client: sent(client, "propose", **FIELDS, choice="platelets")  # noqa: E731 — named for the table
APPROVE: Asked = lambda client: sent(client, "1/approve", reason="")  # noqa: E731 — as above
DECLINE: Asked = lambda client: sent(client, "1/decline", reason="no")  # noqa: E731 — as above


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("anna", PROPOSE), ("iris", PROPOSE), ("root", PROPOSE),
        ("anna", APPROVE), ("ilse", APPROVE), ("root", APPROVE), ("ilse", DECLINE),
    ],
)  # fmt: skip
def test_nobody_acts_without_the_right(ward: House, file: Path, name: str, asked: Asked) -> None:
    PROPOSE(ward.signed_in("ilse"))
    assert asked(ward.signed_in(name))[0] == 403
    assert (len(waiting(ward)), file.read_text()) == (1, SITE)
    assert (name, "refused", "refused") in ward.audited()


def test_nobody_approves_what_they_proposed_themselves(ward: House, file: Path) -> None:
    PROPOSE(ward.signed_in("ilse"))
    with ward.database.write() as tx:
        tx.exec_driver_sql("UPDATE proposals SET \"by\" = 'iris'")
    status, text = APPROVE(ward.signed_in("iris"))
    assert (status, "Somebody else must approve" in text, file.read_text()) == (422, True, SITE)


def test_a_file_the_daemon_may_not_write_leaves_the_line_waiting(
    ward: House, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PROPOSE(ward.signed_in("ilse"))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("adapter.daemon.amending.tempfile.mkstemp", refused)
    status, text = APPROVE(ward.signed_in("iris"))
    assert (status, "cannot be written (Permission denied)" in text) == (422, True)
    assert (len(waiting(ward)), file.read_text(), shown(ward)) == (1, SITE, [])


def test_the_page_tells_of_no_patient_and_of_no_value_of_a_few(ward: House) -> None:
    for number in range(3):
        arrive(ward, oru(platelets(f"7{number}1"), patient=f"{number}", order=f"O{number}"), f"X{number}")
    for name in ("anna", "ilse", "iris"):
        page = in_words(ward.signed_in(name).get("/quality").text)
        assert "THRO" in page
        assert "LAB|HOSP" in page
        assert not re.search(r"7[0-3]1|values from", page)
        assert "DOE" not in page
    arrive(ward, oru(platelets("712"), patient="9", order="O9"), "X9")
    assert "values from 90 to 730" in ward.signed_in("ilse").get("/quality").text
    assert "THRO" not in ward.signed_in("root").get("/quality").text
