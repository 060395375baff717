"""What only one process at a time may do in a PostgreSQL store, and its number sequences; SQLite needs neither."""

from enum import IntEnum
from typing import Any

from sqlalchemy import Column, Connection, false, func, select

OURS = 0x5EB515
"""The adapter's class of advisory locks: no other program of the same database meets it by chance."""


class Lock(IntEnum):
    """Where a transaction takes two, it takes them in this order."""

    SCHEMA = 1
    INBOX = 2
    """Storing: ids are given without gaps, and a smaller one never appears later."""
    TALLY = 3
    """The rows that everybody writes: the audit chain, the counts of feeds, what no mapping knew. Taken before the first."""
    STORE = 4
    """Of sessions: shared by processors, exclusive for a rebuild in their place."""
    APART = 5
    """Of sessions: a message of several partitions is processed; one at a time."""
    CALLING = 6
    """Deciding who is told: what one process decided the next one sees. Taken first."""
    SCRATCH = 7
    """Of sessions: a backup is brought back beside the store, to see that it can be; one at a time."""
    JOINING = 8
    """Looking by which rules others process, before patients are taken."""


def take(tx: Connection, lock: Lock) -> None:
    """Until the transaction ends. What is read afterwards is what the last holder left (a snapshot for each statement)."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OURS}, {int(lock)})")


def advance(tx: Connection, *numbers: Column[Any]) -> None:
    """After rows came with their numbers: the sequence goes on behind them, as SQLite's does by itself."""
    if tx.dialect.name == "postgresql":
        for number in numbers:
            name = func.pg_get_serial_sequence(number.table.name, number.name)
            tx.execute(
                select(func.setval(name, select(func.coalesce(func.max(number), 0) + 1).scalar_subquery(), false()))
            )
