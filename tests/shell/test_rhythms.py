"""What is heard of each analyte is written in small portions, every message counted once."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from adapter.pipeline.rhythms import EVERY, MANY
from adapter.store import analytes
from adapter.store.analytes import Analyte
from tests.builders import T0, obx, oru
from tests.web_house import House, house


@pytest.fixture
def home(each_store: str, tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


def known(home: House) -> dict[Analyte, int]:
    with home.database.read() as conn:
        return {analyte: rhythm.messages for analyte, rhythm in analytes.listing(conn)}


def platelets(control: str, numbers: int) -> bytes:
    return oru(*(obx("777-3", "200", "10*3/uL", sub=str(n)) for n in range(numbers)), control=control, order=control)


def test_much_is_written_before_it_is_time(home: House) -> None:
    home.tell(platelets("first", 1))
    assert list(known(home).values()) == [1]
    home.tell(platelets("little", 1))
    assert list(known(home).values()) == [1]
    home.tell(platelets("much", MANY))
    assert list(known(home).values()) == [3]
    home.tell(platelets("after", 1))
    assert list(known(home).values()) == [3]
    home.clock.now += EVERY
    home.tell(platelets("later", 1))
    assert list(known(home).values()) == [5]


def test_what_could_not_be_written_is_heard_once(home: House) -> None:
    with home.database.write() as tx:
        tx.exec_driver_sql("ALTER TABLE analytes RENAME TO away")
    home.tell(platelets("one", 1), platelets("two", 1))
    with home.database.write() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO analytes")
    home.processor.step()
    assert list(known(home).values()) == [2]
    home.clock.now += EVERY
    home.tell(platelets("three", 1))
    assert list(known(home).values()) == [3]


def test_names_alike_in_what_is_kept_of_them_are_one(home: House) -> None:
    long = "9" * analytes.LONGEST
    first, second = (Analyte("lab", "heart-rate", long + end, "/min") for end in "ab")
    with home.database.write() as tx:
        analytes.add(tx, {first: [(T0, [Fraction(80)])], second: [(T0 + timedelta(hours=1), [Fraction(70)])]})
    assert known(home) == {Analyte("lab", "heart-rate", long, "/min"): 2}


def test_no_more_are_told_apart_than_a_page_could_show(home: House) -> None:
    every = {Analyte("lab", "heart-rate", f"{n:05}", "/min"): [(T0, [Fraction(1)])] for n in range(analytes.MOST + 1)}
    last, beyond = max(every), Analyte("lab", "heart-rate", "beyond", "/min")
    with home.database.write() as tx:
        analytes.add(tx, every)
        analytes.add(tx, {beyond: [(T0, [Fraction(1)])], next(iter(every)): [(T0, [Fraction(1)])]})
    assert len(known(home)) == analytes.MOST
    assert not {last, beyond} & set(known(home))
    assert known(home)[next(iter(every))] == 2
