"""Who wants no part in research: keyed hashes of their identifiers and nothing else."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from adapter.domain.patient import PatientId
from adapter.store.codec import canonical, instant
from adapter.store.erased import opt_outs
from adapter.store.secret import SiteSecret
from adapter.store.upsert import insert

PURPOSE = "opt-out"
"""No other hash of this house is made with the key derived for it."""


def token(secret: SiteSecret, patient: PatientId) -> bytes:
    """Says whether this is the one, never who it is: a list of all numbers of a hospital tells nothing without the key."""
    text = canonical(["v1", patient.site, patient.authority, patient.value])
    return hmac.new(secret.derive(PURPOSE), text.encode(), hashlib.sha256).digest()


def listed(conn: Connection) -> frozenset[bytes]:
    return frozenset(map(bytes, conn.execute(select(opt_outs.c.token)).scalars()))


def add(tx: Connection, secret: SiteSecret, person: Collection[PatientId], now: datetime) -> int:
    """All records of one person; how many are new. Whoever is listed already and is one of them joins them, with all records."""
    tokens = [token(secret, record) for record in sorted(person)]
    known = tx.execute(select(opt_outs.c.token, opt_outs.c.person).where(opt_outs.c.token.in_(tokens))).all()
    names = sorted({row.person for row in known}) or [secrets.token_hex(8)]
    tx.execute(update(opt_outs).where(opt_outs.c.person.in_(names[1:])).values(person=names[0]))
    put = insert(opt_outs).values([{"token": one, "person": names[0], "at": instant(now)} for one in tokens])
    tx.execute(put.on_conflict_do_update(index_elements=["token"], set_={"person": names[0]}))
    return len(tokens) - len(known)


def take_back(tx: Connection, secret: SiteSecret, patient: PatientId) -> int:
    """With all records that were one person with this one; how many identifiers."""
    person = select(opt_outs.c.person).where(opt_outs.c.token == token(secret, patient))
    return tx.execute(delete(opt_outs).where(opt_outs.c.person.in_(person.scalar_subquery()))).rowcount
