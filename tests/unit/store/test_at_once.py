"""Many short rows as one: the same rows, in the same order, on either kind of store."""

from pathlib import Path

from sqlalchemy import literal, select, union_all

from adapter.store.at_once import all_at_once
from tests import stores

WORDS = ("Ζωή", 'a "quoted" \\ word', "", "b\nc", "z")


def test_rows_come_in_their_order_with_what_is_empty(each_store: str, tmp_path: Path) -> None:
    database = stores.opened(tmp_path)
    made = (select(literal(n).label("n"), literal(word).label("word")) for n, word in enumerate(WORDS))
    rows = union_all(*made).subquery()
    with database.read() as conn:
        found = [tuple(row) for row in all_at_once(conn, select(rows.c.word, rows.c.n).order_by(rows.c.n.desc()))]
        nothing = list(all_at_once(conn, select(rows.c.word).where(rows.c.n > len(WORDS))))
        absent = [
            tuple(row) for row in all_at_once(conn, select(rows.c.n, literal(None).label("none")).where(rows.c.n == 1))
        ]
    database.close()
    assert found == [(word, n) for n, word in reversed(list(enumerate(WORDS)))]
    assert (nothing, absent) == ([], [(1, None)])
