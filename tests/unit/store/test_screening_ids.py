from dataclasses import replace
from pathlib import Path

import pytest

from adapter.domain.patient import PatientId
from adapter.errors import ConfigError, UnavailableError
from adapter.store import contested, screening_ids
from adapter.store.database import Database
from adapter.store.screening_ids import new_screening_id
from adapter.store.secret import SiteSecret
from tests import stores

SECRET = SiteSecret(b"k" * 32)
WHO = PatientId("attikon", "HOSP", "MRN-CANARY-4711")


def allocate(database: Database, trial: str, who: PatientId, proposed: str) -> str:
    with database.write() as tx:
        return screening_ids.allocate(tx, SECRET, trial, who, proposed)


def test_a_patient_keeps_one_screening_id_in_a_trial(database: Database) -> None:
    first = allocate(database, "immunosep", WHO, "A")
    assert allocate(database, "immunosep", WHO, "B") == first == "A"
    assert allocate(database, "other", WHO, "C") == "C"
    assert allocate(database, "immunosep", replace(WHO, value="2"), "D") == "D"


def test_the_way_back_needs_the_secret(database: Database) -> None:
    allocate(database, "immunosep", WHO, "A")
    with database.read() as conn:
        assert screening_ids.find(conn, SECRET, "immunosep", WHO) == "A"
        assert screening_ids.resolve(conn, SECRET, "A") == ("immunosep", WHO)
        assert screening_ids.resolve(conn, SECRET, "B") is None
        other = SiteSecret(b"o" * 32)
        assert screening_ids.find(conn, other, "immunosep", WHO) is None
        with pytest.raises(ConfigError, match="another site secret"):
            screening_ids.resolve(conn, other, "A")


def test_all_numbers_of_somebody_are_found_without_opening_any(database: Database) -> None:
    other = replace(WHO, value="2")
    for trial, who, number in (("immunosep", WHO, "A"), ("immunosep", other, "B"), ("other", WHO, "C")):
        allocate(database, trial, who, number)
    with database.write() as tx:
        contested.hand_over(tx, SECRET, "immunosep", "B", WHO)  # A was theirs before
        screening_ids.allocate(tx, SiteSecret(b"o" * 32), "immunosep", WHO, "D")
    with database.read() as conn:
        assert screening_ids.of(conn, SECRET, [WHO, replace(WHO, value="3")]) == ["A", "B", "C"]
        assert screening_ids.of(conn, SECRET, [other]) == []
        assert screening_ids.of(conn, SECRET, []) == []


def test_an_id_of_another_patient_is_not_given_twice(database: Database) -> None:
    allocate(database, "immunosep", WHO, "A")
    with pytest.raises(UnavailableError, match="propose a new one"):
        allocate(database, "immunosep", replace(WHO, value="2"), "A")


def test_a_sealed_patient_moved_to_another_row_does_not_open(database: Database, tmp_path: Path) -> None:
    allocate(database, "immunosep", WHO, "A")
    allocate(database, "immunosep", replace(WHO, value="2"), "B")
    with stores.beside(tmp_path) as conn:
        conn.execute("UPDATE screening_ids SET patient = (SELECT patient FROM screening_ids WHERE screening_id = 'A')")
    with database.read() as conn, pytest.raises(ConfigError):
        screening_ids.resolve(conn, SECRET, "B")


def test_the_linkage_table_alone_tells_nobody_who_it_is(database: Database, tmp_path: Path) -> None:
    allocate(database, "immunosep", WHO, "A")
    with stores.beside(tmp_path) as conn:
        ((_, *row),) = conn.execute("SELECT screening_id, trial, token, patient FROM screening_ids").fetchall()
    assert row[0] == "immunosep"
    assert b"CANARY" not in b"".join(row[1:])
    database.close()
    assert not any(b"CANARY" in path.read_bytes() for path in tmp_path.glob("adapter.db*"))


def fits(screening_id: str) -> bool:
    return screening_ids._check(screening_id[:-1]) == screening_id[-1]


def test_new_ids_are_random_and_carry_a_check_character() -> None:
    made = {new_screening_id() for _ in range(200)}
    assert len(made) == 200
    assert all(set(one[:-1]) <= set(screening_ids.UNMISTAKABLE) for one in made)
    assert {len(one) for one in made} == {10}
    assert all(fits(one) for one in made)


def test_one_wrong_or_two_swapped_characters_are_noticed() -> None:
    right = new_screening_id()
    for place in range(len(right)):
        for other in screening_ids.ALPHABET.replace(right[place], ""):
            assert not fits(right[:place] + other + right[place + 1 :])
    swapped = right[1] + right[0] + right[2:]
    assert swapped == right or not fits(swapped)


def test_the_check_character_is_that_of_the_standard() -> None:
    """ISO 7064 MOD 37,36, the example every implementation uses: A12425GABC1234002 has M."""
    assert screening_ids._check("A12425GABC1234002") == "M"


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "site.secret"
    made = SiteSecret.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o400
    assert SiteSecret.load_or_create(path) == made
    assert [one.name for one in tmp_path.iterdir()] == ["site.secret"]
    assert made.derive("a") != made.derive("b")
    assert len(made.derive("a")) == 32
    assert made.key.hex() not in repr(made)


def test_a_secret_others_can_read_or_of_a_wrong_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.secret"
    path.write_bytes(b"k" * 32)
    path.chmod(0o444)
    with pytest.raises(ConfigError, match="chmod 400"):
        SiteSecret.load_or_create(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="not a site secret"):
        SiteSecret.load_or_create(path)
