import pytest

from adapter.hl7.escapes import Delimiters, decoder, escaped


def decode(text: str) -> str:
    """Made anew each time, so that nothing is remembered of another test."""
    return decoder(Delimiters(), "utf-8")(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\F\\S\\T\\R\\E\ ", "|^&~\\ "),
        (r"\E\F\E\ ", r"\F\ "),
        (r"a\.br\b", "a\nb"),
        (r"a\.sp2\b", "a\nb"),
        (r"a\.sk3\b\.in+4\c", "a bc"),
        (r"\H\bold\N\ ", "bold "),
        (r"\X0D\ ", "\r "),
        (r"\XC3A9\ ", "é "),
        (r"\P\ ", "# "),
        ("x" * 80 + r"\F\ ", "x" * 80 + "| "),
        ("x" * 77 + r"\F\ ", "x" * 77 + "| "),
    ],
)
def test_known_escapes_are_read(written: str, meant: str) -> None:
    assert decode(written) == meant


@pytest.mark.parametrize("text", [r"\Zab\ ", r"\Cxxyy\ ", r"\X0\ ", r"\q\ ", r"C:\temp", "\\", r"\F", r"\.unknown\ "])
def test_unknown_or_unterminated_escapes_stay_as_written(text: str) -> None:
    assert decode(text) == text


def test_an_unknown_escape_does_not_hide_the_known_one_after_it() -> None:
    assert decode(r"a\b\F\c") == r"a\b|c"


def test_hexadecimal_is_in_the_character_set_of_the_message() -> None:
    assert decoder(Delimiters(), "iso8859-7")(r"\XE1\ ") == "α "


def test_hexadecimal_that_means_nothing_never_raises() -> None:
    assert decode(r"\XFF\ ") == "\udcff "
    assert decoder(Delimiters(), "iso2022_jp_ext")(r"\X1B\ ") == "\x1b "


def test_other_escape_characters_are_honoured() -> None:
    marks = Delimiters("#", "$", "*", "@", "!", "%")
    assert decoder(marks, "utf-8")("@F@@S@@R@@E@@T@@P@") == "#$*@!%"


def test_whatever_stands_between_marks_of_the_messages_own_is_written_with_its_own_escape() -> None:
    marks = Delimiters("#", "$", "*", "@", "!")
    assert escaped("a#b$c*d@e!f", marks) == "a@F@b@S@c@R@d@E@e@T@f"
    assert escaped("a|b^c", marks) == "a|b^c"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\M2442\;3ED\C284a\ x", "山田 x"),
        (r"\M2442\;3ED\C2842\ x", "山田 x"),
        (r"\M242851\.!\C2842\ x", "俱 x"),
        (r"\C284a\ x", " x"),
        (r"\M2442\x", r"\M2442\x"),
        (r"\X1B\$B;3\X1B\(B", "\x1b$B;3\x1b(B"),
    ],
)
def test_a_switch_is_read_in_whichever_japanese_set_knows_it(written: str, meant: str) -> None:
    assert decode(written) == meant


def test_writing_escapes_every_separator_and_control_character() -> None:
    assert escaped("a|b^c~d\\e&f\r\x0b") == r"a\F\b\S\c\R\d\E\e\T\f\X0D\\X0B" + "\\"
