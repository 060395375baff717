"""`[backup]`: where copies of the store go, how often one is made, and how long it stays."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from adapter.settings.polled import Duration
from adapter.settings.values import Section

SHORTEST = timedelta(minutes=1)


def _public(key: str) -> str:
    if not re.fullmatch(r"age1[0-9a-z]{50,}", key):
        raise ValueError('a recipient is a public key of age: "age1…", as age-keygen prints it')
    return key


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


class BackupSection(Section):
    to: Path
    """A folder of this account alone, on another disk than the store's."""
    every: Duration = timedelta(hours=1)
    keep: Duration = timedelta(days=35)
    recipient: Annotated[tuple[Annotated[str, AfterValidator(_public)], ...], BeforeValidator(_several)] = Field(
        default=()
    )
    """Public keys that each copy is encrypted to; who restores holds the private half of one of them."""

    @field_validator("to")
    @classmethod
    def _one_place(cls, to: Path) -> Path:
        if not to.is_absolute():
            raise ValueError('write the whole path, for example "/var/backups/adapter"')
        return to

    @field_validator("every")
    @classmethod
    def _bearable(cls, every: timedelta) -> timedelta:
        if every < SHORTEST:
            raise ValueError('one a minute is the most: "1 h"')
        return every
