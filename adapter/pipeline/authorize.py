"""Who we say we are to a FHIR server: a fixed credential, or OAuth 2 tokens by secret or by signed assertion (SMART)."""

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import requests
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapter.errors import ConfigError, UnavailableError
from adapter.pipeline.exchange import (
    PAUSE,
    RETRIED,
    Answer,
    Json,
    Limits,
    checked_url,
    exchange,
    read_json,
)
from adapter.pipeline.moments import server_time
from adapter.pipeline.retry import retry_after
from adapter.ports import Clock

LIFE = 300.0
"""Seconds a token is used at most, whatever its server says (bad-input F36)."""
EARLY = 60.0
"""Seconds before its end from which on it is not used any more (edc 5.6)."""
ASSERTION = timedelta(minutes=4)
"""SMART allows five; a clock may be a little off."""
SKEW = timedelta(minutes=2)
"""With clocks further apart a refused assertion is likely the clock's fault (bad-input F37)."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OK = 200
SMALLEST_RSA = 2048


class Authorization(Protocol):
    def header(self) -> str:
        """The value of `Authorization`, empty for none. Raises UnavailableError."""

    def renew(self) -> bool:
        """After it was refused: whether another one may be had, which the next `header` gets."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A bearer token, a user with a password, or nothing but the client certificate."""

    value: str = field(default="", repr=False)

    def header(self) -> str:
        return self.value

    def renew(self) -> bool:
        return False


class TokenError(UnavailableError):
    """No token could be had; `kind` is one of our own words for why."""

    kind = "token"


@dataclass(frozen=True, slots=True)
class Key:
    """A private key for RS384 or ES384. Raises ConfigError for any other."""

    pem: str = field(repr=False)
    kid: str = ""

    def __post_init__(self) -> None:
        self.public()

    def public(self) -> Json:
        """As a JWK, to be given to the server's administrator."""
        from jwt.algorithms import ECAlgorithm, RSAAlgorithm

        try:
            key = load_pem_private_key(self.pem.encode(), password=None)
        except (ValueError, TypeError):
            raise ConfigError(
                "the private key cannot be read — give an unencrypted PEM of an RSA or P-384 key"
            ) from None
        if isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST_RSA:
            jwk, algorithm = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "RS384"
        elif isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
            jwk, algorithm = ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "ES384"
        else:
            raise ConfigError("the private key is of a kind SMART does not know — make one of RSA (2048 up) or P-384")
        return {
            "kty": jwk["kty"],
            "kid": self.kid or _thumbprint(jwk),
            "use": "sig",
            "alg": algorithm,
            **{name: jwk[name] for name in ("n", "e", "crv", "x", "y") if name in jwk},
        }

    def assertion(self, client: str, audience: str, now: datetime) -> str:
        """A signed statement of who we are, for one use (SMART Backend Services)."""
        import jwt

        public = self.public()
        claims = {
            "iss": client,
            "sub": client,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION).timestamp()),
        }
        return jwt.encode(claims, self.pem, algorithm=public["alg"], headers={"kid": public["kid"], "typ": "JWT"})


def _thumbprint(jwk: Json) -> str:
    """RFC 7638."""
    needed = {name: jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in jwk}
    digest = hashlib.sha256(json.dumps(needed, sort_keys=True, separators=(",", ":")).encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Client:
    """Whom the token's server knows. `key` signs, or `secret` is told; `url` may be asked of `base` (SMART discovery)."""

    id: str
    base: str
    url: str = ""
    scopes: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    key: Key | None = None


class Tokens:
    """Tokens of OAuth 2 client credentials. One thread at a time. `odd` hears of what a person must know (scopes)."""

    def __init__(
        self,
        client: Client,
        peer: requests.Session,
        clock: Clock,
        odd: Callable[[str], None],
        limits: Limits | None = None,
    ) -> None:
        self._client, self._peer, self._clock, self._odd = client, peer, clock, odd
        self._limits = limits or Limits(size=256 * 1024)
        self._url = checked_url(client.url) if client.url else ""
        self._token, self._until = "", 0.0

    def header(self) -> str:
        if not self._token or time.monotonic() >= self._until:
            self._fetch()
        return f"Bearer {self._token}"

    def renew(self) -> bool:
        self._token = ""
        return True

    def _fetch(self) -> None:
        url = self._url or self._discovered()
        answer = exchange(self._peer, self._request(url), self._limits)
        body = read_json(answer)
        if answer.status != OK:
            raise self._refused(answer, body)
        token = (body or {}).get("access_token")
        if body is None or not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise TokenError("the token server's answer holds no token — check token_url")
        if str(body.get("token_type", "bearer")).lower() != "bearer":
            raise TokenError("the token server gives no bearer tokens — ask its administrator")
        self._look_at_scopes(body.get("scope"))
        self._token, self._until = token, time.monotonic() + _life(body.get("expires_in"))

    def _request(self, url: str) -> requests.Request:
        client = self._client
        form = {"grant_type": "client_credentials", "scope": " ".join(client.scopes)}
        headers = {"Accept": "application/json"}
        if client.key is None:
            return requests.Request("POST", url, data=form, headers=headers, auth=(client.id, client.secret))
        form["client_assertion_type"] = JWT_BEARER
        form["client_assertion"] = client.key.assertion(client.id, url, self._clock())
        return requests.Request("POST", url, data=form, headers=headers)

    def _discovered(self) -> str:
        """From the server's own page, over the same TLS."""
        where = f"{self._client.base}/.well-known/smart-configuration"
        answer = exchange(
            self._peer, requests.Request("GET", where, headers={"Accept": "application/json"}), self._limits
        )
        url = (read_json(answer) or {}).get("token_endpoint")
        if answer.status != OK or not isinstance(url, str):
            raise TokenError("the server does not say where its tokens are — write token_url")
        try:
            self._url = checked_url(url)
        except ConfigError as error:
            raise TokenError(f"the server's own token address: {error}") from None
        return self._url

    def _refused(self, answer: Answer, body: Json | None) -> TokenError:
        there = server_time(answer.headers)
        if there is not None and abs(there - self._clock()) > SKEW:
            seconds = int((there - self._clock()).total_seconds())
            return TokenError(
                f"the token server refused us (HTTP {answer.status}), and its clock is {seconds} s from ours — set the clocks",
                retry_after=PAUSE,
            )
        wish = retry_after(answer.headers.get("Retry-After"), self._clock())
        return TokenError(
            f"the token server answered HTTP {answer.status}{_oauth_code(body)} — check client_id, key and scopes there",
            retry_after=wish if answer.status in RETRIED else PAUSE,
        )

    def _look_at_scopes(self, granted: Any) -> None:
        """More than was asked for is more than we should hold (reliability 2.3)."""
        if isinstance(granted, str) and self._client.scopes and set(granted.split()) - set(self._client.scopes):
            self._odd("scope")


def _life(expires_in: Any) -> float:
    try:
        said = float(expires_in)
    except (TypeError, ValueError):
        said = LIFE
    life = min(said, LIFE) if said > 0 else 0.0
    return max(life - EARLY, life / 2)


_CODES = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)


def _oauth_code(body: Json | None) -> str:
    """RFC 6749 §5.2; nothing else of an answer is repeated."""
    code = (body or {}).get("error")
    return f" ({code})" if isinstance(code, str) and code in _CODES else ""
