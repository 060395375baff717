from datetime import UTC, datetime, timedelta

from adapter.store import accounts
from adapter.store.accounts import Session, User
from adapter.store.database import Database

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
ANNA = User("anna", "coordinator", "$argon2", NOW)


def session(token: str = "t", user: str = "anna") -> Session:
    return Session(token, "csrf", user, NOW, NOW, NOW + timedelta(hours=12))


def test_a_user_is_added_once_and_found_by_name(database: Database) -> None:
    with database.write() as tx:
        assert accounts.add_user(tx, ANNA)
        assert not accounts.add_user(tx, User("anna", "admin", "x", NOW))
    with database.read() as conn:
        assert accounts.find_user(conn, "anna") == ANNA
        assert accounts.find_user(conn, "berta") is None
        assert accounts.list_users(conn) == [ANNA]
    assert "argon2" not in repr(ANNA)


def test_a_session_lives_until_it_expires_or_is_closed(database: Database) -> None:
    with database.write() as tx:
        accounts.add_user(tx, ANNA)
        accounts.open_session(tx, session())
        accounts.touch_session(tx, "t", NOW + timedelta(minutes=5))
        found = accounts.find_session(tx, "t", NOW)
        assert found is not None
        assert (found.user, found.csrf, found.seen) == ("anna", "csrf", NOW + timedelta(minutes=5))
        assert accounts.find_session(tx, "other", NOW) is None
        assert accounts.find_session(tx, "t", NOW + timedelta(hours=12)) is None
        accounts.close_session(tx, "t")
        assert accounts.find_session(tx, "t", NOW) is None


def test_a_new_password_and_a_disabled_account_end_every_session(database: Database) -> None:
    with database.write() as tx:
        accounts.add_user(tx, ANNA)
        accounts.open_session(tx, session())
        assert accounts.set_password(tx, "anna", "new")
        assert accounts.find_session(tx, "t", NOW) is None
        accounts.open_session(tx, session("u"))
        assert accounts.set_disabled(tx, "anna", disabled=True)
        accounts.open_session(tx, session("v"))
        assert accounts.find_session(tx, "u", NOW) is None
        assert accounts.find_session(tx, "v", NOW) is None
        assert not accounts.set_password(tx, "nobody", "x")
        assert not accounts.set_disabled(tx, "nobody", disabled=True)


def test_a_one_time_token_works_once_and_in_time(database: Database) -> None:
    with database.write() as tx:
        accounts.add_token(tx, "h", "first-run", NOW + timedelta(hours=1))
        accounts.add_token(tx, "late", "first-run", NOW)
        assert accounts.use_token(tx, "late", NOW) is None
        assert accounts.use_token(tx, "h", NOW) == "first-run"
        assert accounts.use_token(tx, "h", NOW) is None
        assert accounts.use_token(tx, "unknown", NOW) is None


def test_what_has_expired_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        accounts.add_user(tx, ANNA)
        accounts.open_session(tx, session())
        accounts.add_token(tx, "h", "first-run", NOW + timedelta(hours=1))
        accounts.forget_tokens(tx, NOW + timedelta(hours=12))
        assert accounts.close_expired(tx, NOW + timedelta(hours=12), timedelta(days=9)) == [(ANNA.name, ANNA.role)]
        for table in ("sessions", "sign_in_tokens"):
            assert tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
