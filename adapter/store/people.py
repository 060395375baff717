"""The tables of who may sign in, and of what they propose to each other: part of the schema."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, text

from adapter.store.columns import NUMBER, WORDS, metadata

users = Table(
    "users",
    metadata,
    Column("name", WORDS, primary_key=True),
    Column("role", WORDS, nullable=False),
    Column("password_hash", WORDS, nullable=False),
    Column("disabled", NUMBER, nullable=False, server_default="0"),
    Column("created", WORDS, nullable=False),
    # Whom the hospital's own sign-in knows: `issuer|subject`; empty for accounts of this house.
    Column("external", WORDS, nullable=False, server_default=""),
    # `*` or a JSON list.
    Column("sites", WORDS, nullable=False, server_default="*"),
    Column("trials", WORDS, nullable=False, server_default="*"),
    # The secret of one-time codes, sealed by a key outside the database, and the last code's step: each works once.
    Column("second_step", WORDS, nullable=False, server_default=""),
    Column("used_step", NUMBER, nullable=False, server_default="0"),
    Column("entered", WORDS),
    Index(
        "users_external",
        "external",
        unique=True,
        sqlite_where=text("external <> ''"),
        postgresql_where=text("external <> ''"),
    ),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", WORDS, primary_key=True),
    Column("csrf", WORDS, nullable=False),
    Column("user", WORDS, ForeignKey("users.name"), nullable=False),
    Column("created", WORDS, nullable=False),
    Column("seen", WORDS, nullable=False),
    Column("expires", WORDS, nullable=False),
    # The provider's proof of this sign-in, sealed, for signing out there; and the name it gives to its own session.
    Column("hint", WORDS, nullable=False, server_default=""),
    Column("provider_session", WORDS, nullable=False, server_default=""),
    Column("previous", WORDS),
    # When they said again who they are.
    Column("proved", WORDS),
    # What they searched for and by which list they came to whom, sealed by a key outside the database.
    Column("ways", Text, nullable=False, server_default=""),
)

sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("token_hash", WORDS, primary_key=True),
    Column("purpose", WORDS, nullable=False),
    Column("expires", WORDS, nullable=False),
    Column("used", WORDS),
    CheckConstraint("purpose <> ''", name="sign_in_tokens_purpose"),
)

# What stands for a lost phone, as hashes keyed by the site's secret.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user", WORDS, ForeignKey("users.name"), primary_key=True),
    Column("code", WORDS, primary_key=True),
    Column("made", WORDS, nullable=False),
    Column("used", WORDS),
)

# Lines for a site's file that one person proposes and another approves (reliability 2.6, 4.4); `line` is JSON.
proposals = Table(
    "proposals",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("site", WORDS, nullable=False),
    Column("line", Text, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("by", WORDS, nullable=False),
    Column("reason", WORDS, nullable=False),
    Column("decided_by", WORDS, nullable=False, server_default=""),
    Column("decided_at", WORDS),
    Index("proposals_open", "id", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)

# What one person says of somebody in doubt and another approves or sends back (reliability 4.4). No foreign key to candidates:
# these are made anew by a replay.
identity_proposals = Table(
    "identity_proposals",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("candidate", WORDS, nullable=False),
    Column("question", WORDS, nullable=False),
    Column("answer", WORDS, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("by", WORDS, nullable=False),
    Column("reason", WORDS, nullable=False),
    Column("decided_by", WORDS, nullable=False, server_default=""),
    Column("why", WORDS, nullable=False, server_default=""),
    Column("decided_at", WORDS),
    Index(
        "identity_proposals_open",
        "candidate",
        "question",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index("identity_proposals_candidate", "candidate", "id"),
)

# Access to patients for one who has none, in an emergency: asked by one person, given by another, over by itself.
break_glass = Table(
    "break_glass",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("user", WORDS, nullable=False),
    Column("reason", WORDS, nullable=False),
    Column("asked", WORDS, nullable=False),
    Column("decided_by", WORDS, nullable=False, server_default=""),
    Column("until", WORDS),
)
