"""Patient ↔ random screening id: the only bridge, encrypted with a key outside the database (decisions E1)."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, exists, func, select

from adapter.domain.patient import PatientId
from adapter.errors import ConfigError, UnavailableError
from adapter.store.codec import canonical
from adapter.store.schema import candidates, screening_ids
from adapter.store.secret import SiteSecret
from adapter.store.upsert import insert

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Of ISO 7064 MOD 37,36, which gives the check character."""

UNMISTAKABLE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread; what the random part is drawn from."""

LENGTH = 9
NONCE = 12


@dataclass(frozen=True, slots=True)
class Number:
    """A row of the bridge, as it is kept: who it is opens with the site's secret alone."""

    screening_id: str
    trial: str
    token: bytes
    patient: bytes


def new_screening_id() -> str:
    """Random, 45 bits, with a check character: tells nothing of patient, order or site (reliability 4.6)."""
    drawn = "".join(secrets.choice(UNMISTAKABLE) for _ in range(LENGTH))
    return drawn + _check(drawn)


def _check(body: str) -> str:
    """ISO 7064 MOD 37,36 (hybrid system)."""
    size = len(ALPHABET)
    product = size
    for character in body:
        total = (product + ALPHABET.index(character)) % size or size
        product = total * 2 % (size + 1)
    return ALPHABET[(size + 1 - product) % size]


def find(conn: Connection, secret: SiteSecret, trial: str, patient: PatientId) -> str | None:
    """`None` while none was allocated."""
    wanted = select(screening_ids.c.screening_id).where(
        screening_ids.c.trial == trial, screening_ids.c.token == token(secret, trial, patient)
    )
    return conn.execute(wanted).scalar_one_or_none()


def by_token(conn: Connection, trial: str) -> dict[bytes, str]:
    """All of a trial, by what `token` makes of a patient."""
    rows = conn.execute(
        select(screening_ids.c.token, screening_ids.c.screening_id).where(screening_ids.c.trial == trial)
    )
    return {bytes(row[0]): row[1] for row in rows}


def allocate(tx: Connection, secret: SiteSecret, trial: str, patient: PatientId, proposed: str) -> str:
    """`proposed`, or the id allocated before: one per patient and trial, for ever. Raises UnavailableError when taken."""
    row = {
        "screening_id": proposed,
        "trial": trial,
        "token": token(secret, trial, patient),
        "patient": sealed(secret, proposed, trial, patient),
    }
    tx.execute(insert(screening_ids).values(**row).on_conflict_do_nothing())
    allocated = find(tx, secret, trial, patient)
    if allocated is None:
        raise UnavailableError("the proposed screening id belongs to another patient — propose a new one")
    return allocated


def resolve(conn: Connection, secret: SiteSecret, screening_id: str) -> tuple[str, PatientId] | None:
    """(trial, patient) behind a screening id; `None` if unknown. Raises ConfigError with another site's secret."""
    wanted = select(screening_ids.c.trial, screening_ids.c.patient).where(screening_ids.c.screening_id == screening_id)
    row = conn.execute(wanted).one_or_none()
    return None if row is None else (row.trial, _open(secret, screening_id, row.trial, bytes(row.patient)))


def of(conn: Connection, secret: SiteSecret, records: Collection[PatientId]) -> list[str]:
    """Every number of these records, of every trial, also one they go by no more. None is opened: what another secret sealed is
    nobody's here.
    """
    columns = (screening_ids.c.screening_id, screening_ids.c.trial, screening_ids.c.token)
    rows = conn.execute(select(*columns).order_by(screening_ids.c.screening_id)).all()
    tokens = {token(secret, trial, record) for trial in {row.trial for row in rows} for record in records}
    return [
        number
        for number, trial, kept in rows
        if bytes(kept) in tokens or any(bytes(kept) == former(secret, trial, number, one) for one in records)
    ]


def listing(conn: Connection) -> list[Number]:
    """All of them, each still sealed."""
    rows = conn.execute(select(screening_ids).order_by(screening_ids.c.screening_id))
    return [Number(row.screening_id, row.trial, bytes(row.token), bytes(row.patient)) for row in rows]


def take_over(tx: Connection, numbers: Sequence[Number]) -> int:
    """Those given after this store was copied; what it holds itself stays. How many were new to it."""
    before = tx.execute(select(func.count()).select_from(screening_ids)).scalar_one()
    if numbers:
        tx.execute(insert(screening_ids).on_conflict_do_nothing(), [asdict(number) for number in numbers])
    after: int = tx.execute(select(func.count()).select_from(screening_ids)).scalar_one()
    return after - before


def keyed(conn: Connection) -> bool:
    """Whether anything here was made with a site's secret."""
    made = exists(select(screening_ids.c.screening_id)) | exists(select(candidates.c.id))
    return bool(conn.execute(select(made)).scalar_one())


def opened_by(conn: Connection, secret: SiteSecret) -> bool:
    """Whether this secret opens any of the numbers, or there are none."""
    rows = conn.execute(select(screening_ids)).all()
    return not rows or any(_opens(secret, row.screening_id, row.trial, bytes(row.patient)) for row in rows)


def open_all(conn: Connection, secret: SiteSecret) -> int:
    """How many there are, each opened. Raises ConfigError where this secret does not open one."""
    rows = conn.execute(select(screening_ids)).all()
    for row in rows:
        _open(secret, row.screening_id, row.trial, bytes(row.patient))
    return len(rows)


def _opens(secret: SiteSecret, screening_id: str, trial: str, sealed: bytes) -> bool:
    try:
        _open(secret, screening_id, trial, sealed)
    except ConfigError:
        return False
    return True


def token(secret: SiteSecret, trial: str, patient: PatientId) -> bytes:
    """Finds the row without telling who it is; other in each trial."""
    text = canonical(["v1", trial, patient.site, patient.authority, patient.value])
    return hmac.new(secret.derive("linkage-token"), text.encode(), hashlib.sha256).digest()


def former(secret: SiteSecret, trial: str, screening_id: str, patient: PatientId) -> bytes:
    """Of a number that was theirs, and is nobody's next one."""
    return token(secret, f"{trial}/{screening_id}", patient)


def sealed(secret: SiteSecret, screening_id: str, trial: str, patient: PatientId) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    text = canonical([patient.site, patient.authority, patient.value]).encode()
    return nonce + AESGCM(secret.derive("linkage-patient")).encrypt(nonce, text, _bound(screening_id, trial))


def _open(secret: SiteSecret, screening_id: str, trial: str, sealed: bytes) -> PatientId:
    cipher = AESGCM(secret.derive("linkage-patient"))
    try:
        text = cipher.decrypt(sealed[:NONCE], sealed[NONCE:], _bound(screening_id, trial))
    except InvalidTag:
        raise ConfigError(
            "the linkage table was sealed with another site secret — restore the right secret file"
        ) from None
    return PatientId(*json.loads(text))


def _bound(screening_id: str, trial: str) -> bytes:
    """A sealed patient moved to another row does not open."""
    return canonical([screening_id, trial]).encode()
