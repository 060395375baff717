"""An ID token is believed only when signature, issuer, audience, times and nonce are right (OpenID Connect Core 3.1.3.7)."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures by a key that only the provider has: neither `none` nor a shared secret."""
LEEWAY = timedelta(seconds=60)
NEEDED = ("iss", "sub", "aud", "exp", "iat")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

Claims = dict[str, Any]


class RefusedSignInError(Exception):
    """The provider's answer cannot be believed, or says no; `code` is one of our own words for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnknownKeyError(Exception):
    """Signed by a key we have not fetched yet: providers change their keys."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose token, and for whom."""

    issuer: str
    client: str


def verified(token: str, keys: list[dict[str, Any]], expected: Expected, *, needed: tuple[str, ...] = NEEDED) -> Claims:
    """The claims of a token signed by one of the provider's keys, now, for us. Raises RefusedSignInError, UnknownKeyError."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise RefusedSignInError("token") from None
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise RefusedSignInError("algorithm")
    try:
        key = jwt.PyJWK(_key(keys, header.get("kid"), str(algorithm)), algorithm=str(algorithm))
        claims: Claims = jwt.decode(
            token,
            key,
            algorithms=[str(algorithm)],
            audience=expected.client,
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={"require": list(needed)},
        )
    except jwt.PyJWTError as error:
        raise RefusedSignInError(_CODES.get(type(error), "token")) from None
    _for_us(claims, expected)
    return claims


_CODES: dict[type[jwt.PyJWTError], str] = {
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "clock",
    jwt.InvalidIssuedAtError: "clock",
}


def _key(keys: list[dict[str, Any]], kid: Any, algorithm: str) -> dict[str, Any]:
    """By its name; a provider with one key need not name it."""
    signing = [key for key in keys if key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm]
    named = [key for key in signing if key.get("kid") == kid] if kid is not None else signing
    if len(named) != 1:
        raise UnknownKeyError
    return named[0]


def _for_us(claims: Claims, expected: Expected) -> None:
    """A token for several must name us as the one it was made for."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else expected.client) != expected.client:
        raise RefusedSignInError("audience")
    if not isinstance(claims.get("sub", ""), str):
        raise RefusedSignInError("token")


def answered(claims: Claims, nonce: str) -> None:
    """It answers the very question this browser was sent with. Raises RefusedSignInError."""
    said = claims.get("nonce")
    if not isinstance(said, str) or not secrets.compare_digest(said.encode(), nonce.encode()):
        raise RefusedSignInError("nonce")


def signed_out(claims: Claims) -> tuple[str, str]:
    """Subject and session (either may be empty) that a logout token ends (Back-Channel Logout 2.6). Raises RefusedSignInError."""
    events, subject, session = claims.get("events"), claims.get("sub", ""), claims.get("sid", "")
    right = isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict) and "nonce" not in claims
    if not right or not isinstance(subject, str) or not isinstance(session, str) or not (subject or session):
        raise RefusedSignInError("token")
    return subject, session
