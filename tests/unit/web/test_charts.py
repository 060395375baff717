"""The pictures of ferritin and mHLA-DR: where the strata of the trial turn, a line is drawn, and it lies within the picture."""

import re
from datetime import timedelta

from tests.builders import T0, obx
from tests.web_house import House, first_candidate, mals, results

NAME = "KOSTA^ELENI"
LIMIT = re.compile(r'<line class="limit" x1="34" x2="630" y1="(\d+)"')
DOT = re.compile(r'<circle class="dot" cx="\d+" cy="(\d+)"')


def page(home: House, *ferritins: str) -> str:
    home.tell(*mals("300", NAME))
    for number, value in enumerate(ferritins, 1):
        at = T0 + timedelta(hours=number)
        home.tell(results("300", obx("2276-4", value, "ng/mL", sub="8"), name=NAME, at=at, order=f"G{number}"))
    client = home.signed_in()
    return str(client.get(first_candidate(client)).text)


def test_values_on_both_sides_of_the_limit_lie_on_both_sides_of_its_line(home: House) -> None:
    shown = page(home, "4400")
    (limit,), (high, low) = LIMIT.findall(shown), DOT.findall(shown)
    assert int(high) < int(limit) < int(low)
    assert re.search(r"Dashed: the limit of the strata, 4420\sng/mL", shown)


def test_a_limit_far_above_every_value_stays_in_the_picture(home: House) -> None:
    shown = page(home, "300", "310")
    (limit,) = LIMIT.findall(shown)
    assert len(DOT.findall(shown)) == 3
    assert all(10 <= int(y) <= 130 for y in (limit, *DOT.findall(shown)))


def test_where_there_is_one_value_there_is_no_picture_and_no_line(home: House) -> None:
    home.tell(*mals())
    client = home.signed_in()
    assert "Dashed" not in client.get(first_candidate(client)).text
