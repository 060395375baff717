"""The quick way of reading FHIR reads what the careful one reads: JSON without looking at every object, segments never parsed."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from adapter.errors import MalformedMessageError
from adapter.fhir import strict
from adapter.hl7 import compose, er7
from benchmarks import fhir_pages

SPACE = st.sampled_from(["", "", "", " ", "\n\t", " \r\n "])
NAMES = st.sampled_from(["a", "b", ":", '\\"', "\\\\", "\\u0061", "resourceType", "a\\u0000", "\\ud800", "é", ""])
PIECES = [
    "a",
    " ",
    ":",
    '":',
    '\\":',
    '" :',
    "\\\\",
    '\\"',
    "\\u0000",
    "\\ud800",
    "\\ud83d\\ude00",
    "é",
    "\0",
    "\\/",
    "{",
    ",",
]
WORDS = st.lists(st.sampled_from(PIECES), max_size=4).map(lambda parts: "".join(parts).replace('"', '\\"'))
ATOMS = st.one_of(
    WORDS.map('"{}"'.format),
    st.sampled_from(["1", "-0", "4420.0", "1E-3", "1e31", "9" * 41, "NaN", "01", "true", "null", "", '"', "[]", "{}"]),
)


@st.composite
def members(draw: st.DrawFn, values: st.SearchStrategy[str], marks: str) -> str:
    """An array or an object, with space wherever JSON allows it; an object may say a name twice."""
    parts = draw(st.lists(values, max_size=4))
    if marks == "{}":
        parts = [f'"{draw(NAMES)}"{draw(SPACE)}:{draw(SPACE)}{part}' for part in parts]
    return f"{marks[0]}{draw(SPACE)}{','.join(f'{draw(SPACE)}{one}{draw(SPACE)}' for one in parts)}{marks[1]}"


TEXTS = st.recursive(ATOMS, lambda inner: st.one_of(members(inner, "{}"), members(inner, "[]")), max_leaves=12)

PAGE = json.loads(fhir_pages.page(1))
SHORT = json.dumps(PAGE | {"entry": PAGE["entry"][:4]})


def careful(body: bytes) -> Any:
    """As before there was a quick way: every object is looked at when it is made."""
    try:
        return strict._DECODER.decode(strict._text(body))
    except (ValueError, RecursionError):
        return MalformedMessageError


def quick(body: bytes) -> Any:
    try:
        return strict.read(body)
    except MalformedMessageError:
        return MalformedMessageError


def told(value: Any) -> str:
    """With what `==` does not see: the types, the doubts, the order of names."""
    if isinstance(value, dict):
        inside = ",".join(f"{name!r}:{told(one)}" for name, one in value.items())
        return f"{type(value).__name__}{getattr(value, 'reason', '')}{{{inside}}}"
    if isinstance(value, list):
        return f"[{','.join(map(told, value))}]"
    return f"{type(value).__name__} {value!r}"


@given(text=TEXTS, lead=st.sampled_from(["", "\ufeff", " \n"]))
@example(text='{"a" : 1, "a": 2}', lead="")
@example(text='{"a": 1, "a": 2, "b": ":"}', lead="")
@example(text='[{"a": "\\u003a"}, {"b":1 , "b"\n:2}]', lead="")
@example(text='{"resource": {"resourceType": "Patient", "id": "\\ud83d"}}', lead="")
def test_any_text_is_read_alike(text: str, lead: str) -> None:
    body = f"{lead}{text}".encode()
    assert told(quick(body)) == told(careful(body))


@given(at=st.integers(0, 5000), put=st.sampled_from(['"id":"x",', '"', ":", "\\", "\\u0000", " ", "{", "1", '"a":1,']))
def test_a_damaged_page_is_read_alike(at: int, put: str) -> None:
    at %= len(SHORT)
    at = SHORT.find("{", at) + 1 if put.startswith('"') and len(put) > 1 else at
    body = f"{SHORT[:at]}{put}{SHORT[at:]}".encode()
    assert told(quick(body)) == told(careful(body))


def test_a_page_without_a_doubt_is_read_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(strict, "_DECODER", None)
    assert len(strict.read(fhir_pages.page(1))["entry"]) == 1 + fhir_pages.OBSERVATIONS
    assert strict.read(json.dumps({"display": 'a "quoted" µ', "b": [{"c": "x: y"}]}, indent=1).encode())


FIELD_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FIELD = st.one_of(
    st.none(),
    FIELD_TEXT,
    st.tuples(FIELD_TEXT, FIELD_TEXT, FIELD_TEXT),
    st.lists(FIELD_TEXT, max_size=3),
    st.tuples(st.tuples(FIELD_TEXT, FIELD_TEXT), FIELD_TEXT),
)


@given(fields=st.lists(FIELD, max_size=6))
@example(fields=["MSH|", "\r", "\\F\\", "\x1b$B", "\ufeff", "\x85\u2028"])
def test_a_composed_segment_is_the_segment_a_parser_finds(fields: list[compose.Field]) -> None:
    line = compose.segment("OBX", *fields)
    ours = er7.composed(line)
    theirs = er7.parse(compose.er7([compose.segment("MSH"), line])).segments[1]
    assert (ours.name, ours.wire) == (theirs.name, theirs.wire)
    for field in range(len(fields) + 2):
        asked = [
            (one.raw(field), one.text(field), one.text(field, 2), one.text(field, 1, 2), one.components(field))
            for one in (ours, theirs)
        ]
        assert asked[0] == asked[1]
        assert (ours.whole(field), ours.repetitions(field)) == (theirs.whole(field), theirs.repetitions(field))
        assert ours.text(field, repetition=2) == theirs.text(field, repetition=2)
