"""What values of adapter.toml may be written as: secrets by reference, addresses."""

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapter.errors import ConfigError


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""Of a source, a sink or a notifier."""


class Secret(Section):
    """A secret by reference: `env:NAME` or `file:/path`; the value is read when asked and never printed."""

    reference: str

    def reveal(self) -> str:
        """The secret's text, without its final line break. Raises ConfigError when it is not there."""
        kind, _, where = self.reference.partition(":")
        try:
            text = os.environ[where] if kind == "env" else Path(where).read_text(encoding="utf-8")
        except (KeyError, OSError) as error:
            raise ConfigError(f"secret {self.reference} cannot be read — set it, or correct the reference") from error
        return text.rstrip("\r\n")


def by_reference(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"(env|file):\S.*", value):
            raise ValueError("secrets go by reference: write env:NAME or file:/path/to/it")
        return {"reference": value}
    return value


def each_by_reference(value: object) -> object:
    """One, or a list of them."""
    return [by_reference(one) for one in (value if isinstance(value, list | tuple) else [value])]


class Listen(Section):
    """`HOST:PORT`; an IPv6 host stands in square brackets."""

    host: str
    port: int = Field(ge=0, le=65535)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def host_and_port(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise ValueError('an address is written "HOST:PORT", for example "127.0.0.1:2575"')
    return {"host": host.strip("[]"), "port": int(port)}


Address = Annotated[Listen, Field(validate_default=True)]
