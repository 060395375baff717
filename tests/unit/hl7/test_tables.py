import codecs

import pytest

from adapter.hl7.tables import CHARSETS, ERROR_TEXTS, ErrorCode, codec


def test_every_character_set_has_a_python_codec() -> None:
    for found in CHARSETS.values():
        assert codecs.lookup(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("8859/1", "iso8859-1"), ("8859/15", "iso8859-15"), ("ISO-8859-7", "iso8859-7"), ("iso8859/7", "iso8859-7")),
        *(
            ("UNICODE UTF-8", "utf-8"),
            ("utf8", "utf-8"),
            ("ASCII", "ascii"),
            ("ISOIR87", "iso2022_jp_ext"),
            ("windows-1253", "cp1253"),
        ),
    ],
)
def test_character_sets_are_known_in_the_spellings_senders_use(name: str, expected: str) -> None:
    assert codec(name) == expected


@pytest.mark.parametrize("name", ["", "0", "ISO IR 999", "UNICODE UTF-16", "KLINGON"])
def test_what_is_no_character_set_is_none(name: str) -> None:
    assert codec(name) is None


def test_every_error_has_its_words() -> None:
    assert set(ERROR_TEXTS) == set(ErrorCode)
