"""The file of field names: what we ship fits the dictionary we ship, and a mistake is named where it stands."""

import csv
from pathlib import Path

import pytest

from adapter import assets
from adapter.errors import ConfigError
from adapter.fhir.flat import KINDS
from adapter.sinks.redcap_fields import missing, read_fields
from tests.redcap_server import SHIPPED, read_dictionary

FIELDS = SHIPPED.with_name("fields.csv")
LONGEST = 26
"""REDCap warns of longer names: statistical packages cut them."""


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "fields.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_fields(assets.load_rows(path))
    return str(error.value).removeprefix(str(tmp_path))


def test_the_shipped_fields_are_those_of_the_shipped_dictionary() -> None:
    file, dictionary = read_fields(assets.load_rows(FIELDS)), read_dictionary(SHIPPED)
    assert [*missing(file, dictionary)] == []
    assert {one["field_name"] for one in dictionary} - file.names() == {"scr_remarks"}
    assert max(map(len, file.names())) <= LONGEST


def test_everything_that_is_told_has_its_field() -> None:
    file = read_fields(assets.load_rows(FIELDS))
    assert {form.kind: set(form.fields) for form in file.forms} == {kind: set(items) for kind, items in KINDS.items()}


def test_every_code_is_a_choice_of_its_field() -> None:
    dictionary = {one["field_name"]: one["select_choices_or_calculations"] for one in read_dictionary(SHIPPED)}
    coded = [
        field for form in read_fields(assets.load_rows(FIELDS)).forms for field in form.fields.values() if field.codes
    ]
    assert len(coded) == 3
    for field in coded:
        assert set(field.codes.values()) == {part.split(",")[0].strip() for part in dictionary[field.name].split("|")}


def test_the_shipped_dictionary_has_the_columns_that_redcap_asks_for() -> None:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file, strict=True)]
    assert {len(row) for row in rows} == {18}
    assert (rows[0][0], rows[0][-1]) == ("Variable / Field Name", "Field Annotation")
    assert "y" not in {row[10] for row in rows[1:]}  # no field is marked as an identifier, since none holds one


def test_a_trial_that_extends_another_takes_its_fields() -> None:
    assert read_fields(assets.load_field_file(None, "immunosep-demo")).record_id == "record_id"
    with pytest.raises(ConfigError, match="example-trial/redcap/fields"):
        assets.load_field_file(None, "example-trial")


HEAD = "kind,item,field,codes\n"
GOOD = HEAD + "record,form,a,\nrecord,told,b,\nrecord,differs,c,\nrecord,screening-number,id,\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "record,staus,s,\n", "/fields.csv:6: nothing is told as 'staus' — did you mean 'status'?"),
        (GOOD + "recrod,status,s,\n", "/fields.csv:6: unknown kind 'recrod' — did you mean 'record'?"),
        (GOOD + "record,status,Status,\n", "/fields.csv:6: 'Status' is no REDCap field"),
        (GOOD + "record,status,b,\n", "/fields.csv:6: 'status' or its field 'b' stands twice"),
        (GOOD + "record,told,s,\n", "/fields.csv:6: 'told' or its field 's' stands twice"),
        (GOOD + "record,status,s,candidate\n", "/fields.csv:6: codes are written"),
        (GOOD + "record,status,s\n", "/fields.csv:6: a line has the columns kind,item,field,codes"),
        (GOOD + "day,form,d,\n", "the kind 'day' lacks its line 'told'"),
        (GOOD.replace("record,told,b,\n", ""), "the kind 'record' lacks its line 'told'"),
        (HEAD, "no line is of the kind 'record'"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_known_word(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_project_may_ask_for_little(tmp_path: Path) -> None:
    (tmp_path / "fields.csv").write_text(GOOD + "record,status,s,candidate=1 | on-study=2\n", encoding="utf-8")
    (form,) = read_fields(assets.load_rows(tmp_path / "fields.csv")).forms
    assert form.names() == ("id", "s", "b", "c")
    assert form.fields["status"].codes == {"candidate": "1", "on-study": "2"}
