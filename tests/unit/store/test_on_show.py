"""Whom people see, counted and paged without being read: always the very rows that `worklist.shown` reads whole."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.store import on_show, worklist
from adapter.store.accounts import EVERYWHERE, Scope
from tests.builders import adt, obx
from tests.web_house import House, house, mals, results, unclear

NOWHERE = Scope(sites=frozenset({"elsewhere"}))


@pytest.fixture
def ward(each_store: str, tmp_path: Path) -> Iterator[House]:
    """A candidate, one who is incomplete, one who was taken back, one in doubt, and one nobody was told of."""
    with house(tmp_path) as home:
        home.tell(*mals(), *unclear(), *mals("300", "BACK^TAKEN"), *mals("400", "ROE^JANE"))
        gone = (obx("2276-4", "", "ng/mL", sub="8", status="X"), obx("777-3", "300", "10*3/uL", sub="4"))
        home.tell(results("300", *gone, name="BACK^TAKEN"))
        home.tell(adt("A11", patient="300", visit="V300", cls="E", ward="ED", control="C300"))
        home.tell(
            adt(
                "A08", patient="400", visit="V400", cls="E", ward="ED", control="O", name="SMITH^JOHN", born="19800101", sex="M"
            )
        )  # fmt: skip
        yield home


def test_counts_pages_and_doubts_are_of_the_rows_that_are_shown(ward: House) -> None:
    for now in (ward.clock.now, ward.clock.now + timedelta(hours=25)):
        with ward.database.read() as conn:
            rows = worklist.shown(conn, now)
            assert on_show.number(conn, now) == len(rows)
            tally = on_show.tally(conn, now)
            assert tally.verdicts == Counter(row.verdict for row in rows if row.standing)
            assert tally.withdrawn == sum(not row.standing for row in rows)
            whose = (EVERYWHERE, ["immunosep-demo"])
            assert on_show.number_of(conn, now, *whose) == len(rows)
            paged = [row for n in range(0, len(rows) + 2, 2) for row in on_show.page(conn, now, whose, slice(n, n + 2))]
            assert paged == rows
            doubted = [row for row in rows if row.assessment.get("described") or row.assessment.get("screening_ids")]
            assert on_show.in_doubt(conn, now) == doubted
            assert len(rows) >= 3
            assert tally.withdrawn == (1 if now == ward.clock.now else 0)


def test_one_is_in_doubt_here(ward: House) -> None:
    with ward.database.read() as conn:
        assert [row.patient.value for row in on_show.in_doubt(conn, ward.clock.now)] == ["400"]


def test_of_other_sites_and_trials_nobody_is_counted(ward: House) -> None:
    with ward.database.read() as conn:
        now = ward.clock.now
        assert on_show.tally(conn, now, NOWHERE) == on_show.Tally({}, 0)
        assert (
            on_show.in_doubt(conn, now, NOWHERE)
            == on_show.page(conn, now, (NOWHERE, ["immunosep-demo"]), slice(0, 9))
            == []
        )
        assert on_show.number_of(conn, now, EVERYWHERE, ["another"]) == 0
