"""`[[sink]] kind = "redcap"` and `kind = "csv"`: EDCs that take records instead of FHIR."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from adapter.domain.document import nearest
from adapter.settings.values import Name, Secret, Section, by_reference

PushWhen = Literal["candidate", "screening", "consented"]
Dates = Literal["exact", "shifted"]


def zone(name: str) -> str:
    known = available_timezones()
    if name not in known:
        raise ValueError(f"no time zone '{name}'{nearest(name, known)}")
    return name


class FolderSink(Section):
    kind: Literal["folder"]
    name: Name
    path: Path
    push_when: PushWhen
    dates: Dates


class RedcapSink(Section):
    kind: Literal["redcap"]
    name: Name
    url: str = Field(pattern=r"^https?://")
    """The project's API address, as its API page writes it: `https://redcap.example.org/api/`."""
    token: Annotated[Secret, BeforeValidator(by_reference)]
    push_when: PushWhen
    dates: Dates
    timezone: Annotated[str, AfterValidator(zone)]
    """REDCap's times know no zone: all of this project are told in this one."""
    fields: Path | None = None
    """The file of field names; without it `profiles/<trial>/redcap/fields.csv`."""
    event: str = Field(default="", pattern=r"^([a-z0-9_]{1,100})?$")
    """The unique event name, where the project is longitudinal."""
    group: str = Field(default="", pattern=r"^([a-z0-9_]{1,18})?$")
    """The unique name of the data access group that new records belong to."""
    verify: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class CsvSink(Section):
    kind: Literal["csv"]
    name: Name
    path: Path
    """The drop folder. It is never made: a share that is not mounted must not fill the disk below it."""
    push_when: PushWhen
    dates: Dates
