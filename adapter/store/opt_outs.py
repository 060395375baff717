"""Who wants no part in research: keyed hashes of their identifiers and nothing else."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

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
    """All records of one person; how many are new. Who is listed already and is one of them joins them."""
    tokens = [token(secret, record) for record in sorted(person)]
    known = select(func.min(opt_outs.c.person)).where(opt_outs.c.token.in_(tokens))
    name = tx.execute(known).scalar_one() or secrets.token_hex(8)
    before = tx.execute(select(func.count()).select_from(opt_outs)).scalar_one()
    put = insert(opt_outs).values([{"token": one, "person": name, "at": instant(now)} for one in tokens])
    tx.execute(put.on_conflict_do_update(index_elements=["token"], set_={"person": name}))
    return int(tx.execute(select(func.count()).select_from(opt_outs)).scalar_one()) - int(before)


def take_back(tx: Connection, secret: SiteSecret, patient: PatientId) -> int:
    """With all records that were one person with this one; how many identifiers."""
    person = select(opt_outs.c.person).where(opt_outs.c.token == token(secret, patient))
    return tx.execute(delete(opt_outs).where(opt_outs.c.person.in_(person.scalar_subquery()))).rowcount
