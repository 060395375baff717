"""Who somebody of the hospital is here: name, role, sites and trials, read of what the hospital's sign-in says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.store.accounts import NAME, Scope
from adapter.web.id_token import Claims, RefusedSignInError


@dataclass(frozen=True, slots=True)
class StaffRules:
    """`roles`: role → the values of the claim that give it; the first that fits holds. Claims may be dotted paths."""

    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    role_claim: str = "groups"
    name_claim: str = "preferred_username"
    site_claim: str = ""
    """Empty: everybody works for every site; given, one without the claim works for none."""
    trial_claim: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    external: str
    name: str
    role: str
    """Empty for one who has none here."""
    scope: Scope
    session: str = field(default="", repr=False)
    """What the provider calls its own session."""


def person(claims: Claims, rules: StaffRules) -> Person:
    """Raises RefusedSignInError for a name that cannot be an account's."""
    name = _at(claims, rules.name_claim)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise RefusedSignInError("name")
    return Person(
        external=external(claims["iss"], claims["sub"]),
        name=name,
        role=_role(values(claims, rules.role_claim), rules),
        scope=Scope(_listed(claims, rules.site_claim), _listed(claims, rules.trial_claim)),
        session=_text(claims.get("sid")),
    )


def external(issuer: str, subject: str) -> str:
    """A subject means something only together with who says so."""
    return f"{issuer}|{subject}"


def values(claims: Claims, path: str) -> frozenset[str]:
    """A claim's words: a list of texts, or one text with spaces between."""
    found = _at(claims, path)
    if isinstance(found, str):
        return frozenset(found.split())
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()


def _role(words: frozenset[str], rules: StaffRules) -> str:
    return next((role for role, wanted in rules.roles.items() if words & set(wanted)), "")


def _listed(claims: Claims, path: str) -> frozenset[str] | None:
    return values(claims, path) if path else None


def _at(claims: Claims, path: str) -> Any:
    """`realm_access.roles` looks inside; a claim whose own name has dots is found by it first."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
