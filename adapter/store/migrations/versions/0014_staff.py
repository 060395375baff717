"""Who may see which sites and trials, accounts of the hospital's own sign-in, a second step, and access in an emergency."""

import sqlalchemy as sa
from alembic import op

from adapter.store.columns import NUMBER, WORDS

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    for name, default in (("external", ""), ("sites", "*"), ("trials", "*"), ("second_step", "")):
        op.add_column("users", sa.Column(name, WORDS, nullable=False, server_default=default))
    op.add_column("users", sa.Column("used_step", NUMBER, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("entered", WORDS))
    only = sa.text("external <> ''")
    op.create_index("users_external", "users", ["external"], unique=True, sqlite_where=only, postgresql_where=only)
    for name in ("hint", "provider_session"):
        op.add_column("sessions", sa.Column(name, WORDS, nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("previous", WORDS))
    op.create_table(
        "break_glass",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("user", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("asked", WORDS, nullable=False),
        sa.Column("decided_by", WORDS, nullable=False, server_default=""),
        sa.Column("until", WORDS),
        sa.PrimaryKeyConstraint("id"),
    )
