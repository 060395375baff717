"""What one process does: its data, its trials, its roles."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from adapter.domain.document import nearest
from adapter.settings.values import Section

Role = Literal["receive", "process", "deliver", "web"]
ROLES: tuple[Role, ...] = ("receive", "process", "deliver", "web")


class AdapterSection(Section):
    data: Path
    trials: tuple[str, ...] = Field(min_length=1)
    shadow: tuple[str, ...] = ()
    """Of `trials` those that are only tried out: on the worklist, but nobody is told and nothing is pushed."""
    environment: Literal["test", "production"]
    log: Literal["info", "debug"] = "info"
    roles: tuple[Role, ...] = ROLES
    """What this process does; several processes share a PostgreSQL store."""
    assets: Path | None = None
    """The operator's folder with `mappings/` and `profiles/`; without it the ones the package carries."""

    @field_validator("roles", "shadow", mode="before")
    @classmethod
    def _words(cls, given: object) -> object:
        """`receive, process` too: so an environment variable says it."""
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @field_validator("shadow")
    @classmethod
    def _screened(cls, shadow: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        trials = info.data.get("trials", shadow)  # what is wrong with `trials` is told of it alone
        for trial in shadow:
            if trial not in trials:
                raise ValueError(f"'{trial}' is none of [adapter] trials{nearest(trial, trials)}")
        return shadow
