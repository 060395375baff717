"""Who is in doubt, and what came of each source, on the page of feeds and data."""

from tests.builders import adt, dtm
from tests.web_house import House, first_candidate, hidden, mals, unclear


def richard() -> bytes:
    """Somebody else under ELENI's number."""
    return adt(
        "A08",
        patient="100",
        visit="V100",
        cls="E",
        ward="ED",
        control="O",
        name="ROE^RICHARD",
        born="19800101",
        sex="M",
    )


def identity(home: House) -> dict[str, int]:
    found: dict[str, int] = home.signed_in("root").get("/api/v1/quality").json()["identity"]
    return found


def test_two_persons_under_one_number_are_counted_for_all_and_linked_for_who_may_answer(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    page = first_candidate(client)
    assert "Nobody: no number stands for two persons" in client.get("/quality").text
    home.tell(richard())
    assert identity(home) == {"two-persons": 1, "two-numbers": 0, "claimed-number": 0}
    assert f'<a href="{page}">answer it</a>' in client.get("/quality").text
    told = home.signed_in("root").get("/quality").text
    assert "Two persons were described" in told
    assert page not in told
    client.post(f"{page}/same-person", data=hidden(client.get(page).text))
    assert identity(home)["two-persons"] == 0


def test_a_person_with_two_numbers_is_in_doubt_until_one_is_chosen(home: House) -> None:
    home.tell(*mals(), *unclear())
    home.tell(adt("A40", patient="200", merged="100", control="M1", sent=dtm(home.clock.now)))
    assert identity(home)["two-numbers"] >= 1
    assert "One person has two screening numbers" in home.signed_in().get("/quality").text


def test_what_came_of_each_source_adds_up(home: House) -> None:
    home.tell(*mals(), b"rubbish")
    page = home.signed_in("root").get("/quality").text
    row = page[page.index('<th scope="row">lab</th>') :].split("</tr>", 1)[0]
    cells = [int(cell.split("<")[0]) for cell in row.split("<td>")[1:]]
    assert sum(cells[:-1]) == cells[-1] == 3
