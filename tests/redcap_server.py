"""A small strict REDCap project behind a real socket: the record API as its help page documents it, and nothing lenient.

It is set up by the data dictionary that we ship, so that what it takes that project takes. REDCap itself is licensed
software that no registry carries.
"""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Json = dict[str, Any]
SHIPPED = Path(__file__).parents[1] / "profiles/immunosep/redcap/data-dictionary.csv"
TOKEN = "9A81268476645C4E5F03428B8AC3AA7B"
INSTRUMENT, INSTANCE, EVENT, GROUP = (
    *("redcap_repeat_instrument", "redcap_repeat_instance"),
    *("redcap_event_name", "redcap_data_access_group"),
)
EXPORTED = {
    "Variable / Field Name": "field_name",
    "Form Name": "form_name",
    "Field Type": "field_type",
    "Choices, Calculations, OR Slider Labels": "select_choices_or_calculations",
    "Text Validation Type OR Show Slider Number": "text_validation_type_or_show_slider_number",
    "Text Validation Min": "text_validation_min",
    "Text Validation Max": "text_validation_max",
}
Place = tuple[str, int]
"""Instrument and instance; of what does not repeat the empty one and 0."""


class RefusalError(Exception):
    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


def read_dictionary(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{EXPORTED[k]: v for k, v in row.items() if k in EXPORTED} for row in csv.DictReader(file, strict=True)]


@dataclass
class Project:
    dictionary: list[dict[str, str]] = field(default_factory=lambda: read_dictionary(SHIPPED))
    repeating: set[str] = field(default_factory=lambda: {"screening_values", "study_days"})
    event: str = ""
    groups: tuple[str, ...] = ("greece",)
    records: dict[str, dict[Place, dict[str, str]]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def imports(self) -> list[dict[str, str]]:
        return [form for form in self.asked if form.get("action") == "import"]

    def row(self, number: str, instrument: str = "", instance: int = 0) -> dict[str, str]:
        return self.records[number][(instrument, instance)]

    def rows(self, number: str, instrument: str) -> list[dict[str, str]]:
        return [row for (name, _), row in sorted(self.records[number].items()) if name == instrument]

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.asked.append(form)
        if form.get("token") != TOKEN:
            return JSONResponse({"error": "You do not have permissions to use the API"}, 403)
        try:
            return JSONResponse(self.method(form)(form))
        except RefusalError as refused:
            return JSONResponse({"error": str(refused)}, refused.status)

    def method(self, form: dict[str, str]) -> Callable[[dict[str, str]], Any]:
        known: dict[tuple[str, str], Callable[[dict[str, str]], Any]] = {
            ("metadata", ""): lambda _: self.dictionary,
            ("repeatingFormsEvents", ""): self.repeated,
            ("record", "export"): self.export,
            ("record", "import"): self.take,
        }
        found = known.get((form.get("content", ""), form.get("action", "")))
        if found is None or form.get("format") != "json" or form.get("returnFormat") != "json":
            raise RefusalError("The value of the parameter is not valid")
        return found

    def repeated(self, form: dict[str, str]) -> list[Json]:
        if not self.repeating:
            raise RefusalError(
                "You cannot export repeating instruments and events because the project does not contain any"
            )
        event = {"event_name": self.event} if self.event else {}
        return [event | {"form_name": name, "custom_form_label": ""} for name in sorted(self.repeating)]

    # --- export ----------------------------------------------------------------------------------------------------

    def export(self, form: dict[str, str]) -> list[Json]:
        want(form, type="flat", rawOrLabel="raw")
        if self.event and form.get("events[0]") != self.event:
            raise RefusalError("The event is not valid")
        number = form["records[0]"]
        return [self.exported(number, place, row) for place, row in sorted(self.records.get(number, {}).items())]

    def exported(self, number: str, place: Place, row: dict[str, str]) -> Json:
        first, *others = (one["field_name"] for one in self.dictionary)
        event = {EVENT: self.event} if self.event else {}
        repeat = {INSTRUMENT: place[0], INSTANCE: place[1] or ""} if self.repeating else {}
        blank = dict.fromkeys((*others, *(f"{name}_complete" for name in self.forms())), "")
        return {first: number} | event | repeat | blank | row

    # --- import ----------------------------------------------------------------------------------------------------

    def take(self, form: dict[str, str]) -> Any:
        want(form, type="flat", forceAutoNumber="false", dateFormat="YMD", returnContent=("count", "ids"))
        want(form, overwriteBehavior=("normal", "overwrite"))
        rows = self.given(form["data"])
        unknown = sorted({name for row in rows for name in row} - self.importable())
        if unknown:
            raise RefusalError(
                f"The following fields were not found in the project as real data fields: {', '.join(unknown)}"
            )
        wrong = [words for row in rows for words in self.wrong(row)]
        if wrong:
            raise RefusalError("\n".join(wrong))
        for row in rows:
            self.save(row, overwrite=form["overwriteBehavior"] == "overwrite")
        ids = sorted({row[self.dictionary[0]["field_name"]] for row in rows})
        return ids if form["returnContent"] == "ids" else {"count": len(ids)}

    def given(self, data: str) -> list[dict[str, str]]:
        rows = json.loads(data)
        texts = isinstance(rows, list) and all(isinstance(v, str) for row in rows for v in row.values())
        if not texts or not rows:
            raise RefusalError("The data being imported is not formatted correctly", 406)
        if not all(row.get(self.dictionary[0]["field_name"]) for row in rows):
            raise RefusalError("The record id is missing")
        return list(rows)

    def forms(self) -> list[str]:
        return list(dict.fromkeys(one["form_name"] for one in self.dictionary))

    def importable(self) -> set[str]:
        special = {INSTRUMENT, INSTANCE} if self.repeating else set()
        special |= {EVENT} if self.event else set()
        special |= {GROUP} if self.groups else set()
        return special | {one["field_name"] for one in self.dictionary} | {f"{name}_complete" for name in self.forms()}

    def wrong(self, row: dict[str, str]) -> list[str]:
        number, instrument = row[self.dictionary[0]["field_name"]], row.get(INSTRUMENT, "")
        found = []
        if self.event and row.get(EVENT) != self.event:
            found.append(f'"{number}","{EVENT}","{row.get(EVENT)}","The event name is not valid"')
        if instrument and (instrument not in self.repeating or not re.fullmatch("[1-9][0-9]*", row.get(INSTANCE, ""))):
            found.append(f'"{number}","{INSTRUMENT}","{instrument}","The instrument is not set up as a repeating one"')
        if row.get(GROUP, "") not in ("", *self.groups):
            found.append(f'"{number}","{GROUP}","{row[GROUP]}","The data access group is not valid"')
        for name, value in row.items():
            words = self.misplaced(name, value, instrument) or self.invalid(name, value)
            found += [f'"{number}","{name}","{value}","{words}"'] if words else []
        return found

    def misplaced(self, name: str, value: str, instrument: str) -> str:
        form = name.removesuffix("_complete") if name.endswith("_complete") else self.of(name).get("form_name", "")
        if not form or not value or name == self.dictionary[0]["field_name"]:
            return ""
        if form in self.locked:
            return "This field is located on a form that is locked. You must first unlock this form for this record."
        right = form == instrument if instrument else form not in self.repeating
        return "" if right else "This field does not exist on this repeating instrument"

    def of(self, name: str) -> dict[str, str]:
        return next((one for one in self.dictionary if one["field_name"] == name), {})

    def invalid(self, name: str, value: str) -> str:
        one = self.of(name)
        if not value:
            return ""
        if name.endswith("_complete"):
            return "" if value in ("0", "1", "2") else "The value is not a valid category"
        if one.get("field_type") == "dropdown":
            codes = {part.split(",")[0].strip() for part in one["select_choices_or_calculations"].split("|")}
            return "" if value in codes else "The value is not a valid category"
        kind = one.get("text_validation_type_or_show_slider_number", "")
        checks = {"integer": self.integer, "datetime_seconds_ymd": self.moment}
        good = checks[kind](one, value) if kind else True
        return (
            ""
            if good
            else "The value you provided could not be validated because it does not follow the expected format."
        )

    @staticmethod
    def integer(one: dict[str, str], value: str) -> bool:
        if not re.fullmatch(r"-?[0-9]+", value):
            return False
        low, high = one["text_validation_min"], one["text_validation_max"]
        return (not low or int(value) >= int(low)) and (not high or int(value) <= int(high))

    @staticmethod
    def moment(_one: dict[str, str], value: str) -> bool:
        try:
            return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").isoformat(" ") == value  # noqa: DTZ007 — REDCap's have none
        except ValueError:
            return False

    def save(self, row: dict[str, str], *, overwrite: bool) -> None:
        first = self.dictionary[0]["field_name"]
        place = (row.get(INSTRUMENT, ""), int(row.get(INSTANCE) or 0))
        held = self.records.setdefault(row[first], {}).setdefault(place, {})
        for name, value in row.items():
            if name not in (first, INSTRUMENT, INSTANCE, EVENT) and (value or overwrite):
                held[name] = value


def want(form: dict[str, str], **wanted: str | tuple[str, ...]) -> None:
    for name, values in wanted.items():
        if form.get(name) not in ((values,) if isinstance(values, str) else values):
            raise RefusalError(f"The value of the parameter {name} is not valid")
