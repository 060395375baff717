"""`[web.oidc]`: the hospital's own sign-in, and which of its groups has which role here."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from adapter.settings.polled import Hidden
from adapter.settings.values import Section
from adapter.web.roles import RIGHTS


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class OidcSection(Section):
    """OpenID Connect: authorisation code with PKCE. Its redirect address is `base_url` with `/sign-in/back`."""

    issuer: str = Field(pattern=r"^https?://")
    """Exactly as the provider calls itself in its `.well-known/openid-configuration`."""
    client_id: str = Field(min_length=1)
    secret: Hidden | None = None
    key: Hidden | None = None
    """Instead of a secret: a private key we sign with (`private_key_jwt`, RS384 or ES384)."""
    kid: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: dict[str, Words] = Field(min_length=1)
    """Role here → values of the role claim; the first that fits holds."""
    site_claim: str = ""
    trial_claim: str = ""
    acr: str = ""
    """The way of signing in without which nobody is let in, where the provider has several."""
    ask_again: bool = False
    """Have the provider ask for the password each time, for computers that a ward shares."""
    label: str = Field(default="Hospital account", max_length=60)
    verify: Path | None = None
    """A CA file, where the provider's certificate is of the hospital's own authority."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for role in roles:
            if role not in RIGHTS:
                raise ValueError(f"no role '{role}' — choose among {', '.join(RIGHTS)}")
        return roles

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if self.secret is not None and self.key is not None:
            raise ValueError("give secret or key, not both")
        if "openid" not in self.scopes:
            raise ValueError('scopes must hold "openid"')
        return self
