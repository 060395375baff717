"""Quarantine found by an index, and what no mapping knew counted by source."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

from adapter.store.codec import storable
from adapter.store.columns import NUMBER, WORDS

revision = "0003"
down_revision = "0002"

COUNTED = {"unmapped-code", "unmapped-unit", "unmapped-answer", "unknown-specimen"}
LONGEST = 64
ENDED = "SELECT source, issues FROM inbox_outcomes JOIN inbox USING (id) WHERE issues <> '[]'"
KEPT = "INSERT INTO unmapped (source, code, detail, count) VALUES (:source, :code, :detail, :count)"


def upgrade() -> None:
    waiting = sa.text("state = 'quarantined'")
    op.create_index(
        "inbox_outcomes_quarantined", "inbox_outcomes", ["id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "unmapped",
        sa.Column("source", WORDS, nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.Column("detail", WORDS, nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("source", "code", "detail"),
    )
    counted: Counter[tuple[str, str, str]] = Counter()
    for source, issues in op.get_bind().execute(sa.text(ENDED)):
        for issue in json.loads(issues):
            if issue["code"] in COUNTED:
                counted[source, issue["code"], storable(issue["detail"])[:LONGEST]] += 1
    for (source, code, detail), count in counted.items():
        op.get_bind().execute(sa.text(KEPT), {"source": source, "code": code, "detail": detail, "count": count})
