"""Character sets from their bytes: each of table 0211 that a hospital may state, with its own letters, through to the text."""

import pytest

from adapter.hl7.charsets import decoded
from adapter.hl7.er7 import parse
from adapter.hl7.tables import CHARSETS, codec

LETTERS = {
    "8859/1": "Renée Müller",
    "8859/2": "Žofia Łukasiewicz",
    "8859/3": "Ĝoja Ħal Għaxaq",
    "8859/4": "Ķeniņš Šķēle",
    "8859/5": "Иванов Пётр",
    "8859/6": "محمد",
    "8859/7": "Παπαδόπουλος",
    "8859/8": "שרה כהן",
    "8859/9": "Işık Yılmaz",
    "8859/10": "Ærøskøbing Þór",
    "8859/11": "สมชาย",
    "8859/13": "Ąžuolas Žukauskas",
    "8859/14": "Ŵyn Ŷstrad",
    "8859/15": "Œuvre €",
    "8859/16": "Ștefan Țepeș",
    "WINDOWS-1250": "Žofia Łukasiewicz",
    "CP1251": "Иванов Пётр",
    "windows-1252": "Renée – “Müller” €",
    "Windows-1253": "Παπαδόπουλος",
    "CP1254": "Işık Yılmaz",
    "UNICODE UTF-8": "Renée Παπαδόπουλος Иванов 山田",
    "GB 18030-2000": "王小明",
    "KS X 1001": "김철수",
}
AWKWARD = "竸弌丐丕个丱丶丼"
"""Kanji of JIS X 0208 that few names hold."""


def kanji_with(byte: int) -> str:
    """A letter of JIS X 0208 whose second byte is this one."""
    return bytes([0x1B, 0x24, 0x42, 0x34, byte, 0x1B, 0x28, 0x42]).decode("iso2022_jp")


SEPARATORS = "".join(kanji_with(byte) for byte in b"|^~\\&")
"""A kanji for each byte that is also a separator of HL7."""


def message(name: bytes, charset: str) -> bytes:
    head = f"MSH|^~\\&|LAB|HOSP|A|T|20260102||ORU^R01|1|P|2.5.1||||||{charset}\r".encode()
    return head + b"PID|1||100^^^HOSP^MR||" + name + b"^GIVEN^B||19500101|M\rOBX|1|NM|777-3^^LN||98\r"


def read(name: bytes, charset: str, encoding: str = "utf-8") -> tuple[str, str, str]:
    """Family name, the component after it, and the field after that: whether every separator was seen for what it is."""
    parsed = parse(message(name, charset), encoding)
    pid = parsed.first("PID")
    assert pid is not None
    assert parsed.print() == message(name, charset)
    return pid.text(5), pid.text(5, 2), pid.text(7)


@pytest.mark.parametrize(("stated", "name"), LETTERS.items(), ids=list(LETTERS))
def test_a_name_is_read_in_the_set_that_is_stated(stated: str, name: str) -> None:
    found = codec(stated)
    assert found is not None
    assert read(name.encode(found), stated) == (name, "GIVEN", "19500101")


@pytest.mark.parametrize(("stated", "name"), LETTERS.items(), ids=list(LETTERS))
def test_it_is_read_where_the_header_is_silent_and_the_site_says_so(stated: str, name: str) -> None:
    found = codec(stated) or ""
    assert read(name.encode(found), "", found) == (name, "GIVEN", "19500101")


def test_no_set_of_one_byte_can_move_a_separator() -> None:
    for found in set(CHARSETS.values()):
        if found.startswith(("iso8859", "cp125", "ascii", "utf-8")):
            assert b"|^~\\&\r".decode(found) == "|^~\\&\r", found


@pytest.mark.parametrize("stated", ["~ISO IR87", "ASCII~ISO IR87", "ISO IR14~ISO IR87~ISO IR159", "ISO IR6~ISO IR87"])
@pytest.mark.parametrize("name", ["山田", AWKWARD, SEPARATORS, f"a{SEPARATORS}b山"])
def test_a_japanese_name_in_iso_2022_keeps_its_letters_whatever_their_bytes(stated: str, name: str) -> None:
    assert read(name.encode("iso2022_jp"), stated) == (name, "GIVEN", "19500101")


def test_half_width_kana_and_supplementary_kanji_are_read() -> None:
    for name, written in (("ﾔﾏﾀﾞ", "iso2022_jp_ext"), ("丂丄", "iso2022_jp_ext")):
        assert read(name.encode(written), "ISO IR14~ISO IR87~ISO IR159")[0] == name


def switched(name: str) -> bytes:
    """As HL7 2.9.2 writes it for a line that carries no escape byte: `\\M2442\\` and `\\C2842\\`."""
    raw = name.encode("iso2022_jp")
    return raw.replace(b"\x1b\x24\x42", b"\\M2442\\").replace(b"\x1b\x28\x42", b"\\C2842\\")


@pytest.mark.parametrize("stated", ["", "UNICODE UTF-8", "8859/1", "~ISO IR87"])
def test_escapes_that_switch_the_set_are_read_whatever_the_message_says(stated: str) -> None:
    assert b"\x1b" not in switched("山田 Taro 太郎")
    assert read(switched("山田 Taro 太郎"), stated) == ("山田 Taro 太郎", "GIVEN", "19500101")


def test_the_third_escape_form_names_jis_x_0212() -> None:
    raw = (
        "丂".encode("iso2022_jp_ext")
        .replace(b"\x1b\x24\x28\x44", b"\\M242844\\")
        .replace(b"\x1b\x28\x42", b"\\C2842\\")
    )
    assert read(raw, "")[0] == "丂"


@pytest.mark.parametrize("text", ["\\M2442\\x", "\\C9999\\ABC", "\\M2442\\é", "\\C28\\", "\\CZZZZ\\"])
def test_a_switch_to_what_nobody_knows_stays_as_it_was_written(text: str) -> None:
    assert read(text.encode(), "UNICODE UTF-8")[0] == text


def test_a_byte_that_is_no_letter_survives_beside_its_neighbours() -> None:
    name, given, born = read(b"Ren\xe9e", "UNICODE UTF-8")
    assert (name.encode("utf-8", "surrogateescape"), given, born) == (b"Ren\xe9e", "GIVEN", "19500101")


@pytest.mark.parametrize(
    ("stated", "name", "site", "charset", "issues"),
    [
        ("8859/1", b"Miller", "utf-8", "iso8859-1", ()),
        ("8859/7", b"Miller", "utf-8", "iso8859-7", ()),
        ("ASCII~ISO IR87", b"Miller", "utf-8", "ascii", ()),
        ("", b"Miller", "iso8859-7", "iso8859-7", ()),
        ("KLINGON", b"Miller", "iso8859-7", "iso8859-7", ("charset-unknown",)),
        ("KLINGON", b"M\xfcller", "iso8859-1", "iso8859-1", ("charset-unknown",)),
        ("KLINGON", b"M\xc3\xbcller", "iso8859-1", "iso8859-1", ("charset-unknown", "charset-doubtful")),
        ("KLINGON", b"M\xfcller", "utf-8", "utf-8", ("charset-unknown", "charset-replaced")),
        ("8859/1", b"M\xc3\xbcller", "utf-8", "iso8859-1", ("charset-doubtful",)),
        ("8859/1", b"M\xfcller", "utf-8", "iso8859-1", ()),
    ],
)
def test_the_set_that_is_used_and_what_was_odd_about_it(
    stated: str, name: bytes, site: str, charset: str, issues: tuple[str, ...]
) -> None:
    read = parse(message(name, stated), site)
    assert (read.charset, read.issues) == (charset, issues)


def test_a_letter_written_in_hexadecimal_is_of_the_stated_set_in_a_message_of_ascii() -> None:
    assert read(b"\\XD0\\", "8859/7") == ("Π", "GIVEN", "19500101")


def test_the_set_is_found_in_a_header_with_fields_after_it() -> None:
    head = message("Παππάς".encode("iso8859-7"), "8859/7").replace(b"8859/7\r", b"8859/7|||PHLabReport^x|LAB\r")
    assert parse(head).segments[1].text(5) == "Παππάς"


def test_one_line_that_cannot_be_read_leaves_the_letters_of_the_others() -> None:
    lines = ["山田".encode("iso2022_jp") + b"\xe9", b"\x1b$Z\xff"]
    assert decoded(lines, "iso2022_jp_ext") == ["山田\udce9", "\x1b$Z\udcff"]
