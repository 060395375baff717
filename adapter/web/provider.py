"""The hospital's own sign-in (OpenID Connect): where a browser is sent, and what its code is worth."""

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from adapter.errors import ConfigError, UnavailableError
from adapter.pipeline.authorize import JWT_BEARER, Key
from adapter.pipeline.exchange import Json, Limits, checked_url, exchange, read_json
from adapter.ports import Clock
from adapter.web import id_token
from adapter.web.id_token import Claims, Expected, RefusedSignInError, UnknownKeyError

FRESH = 3600.0
"""Seconds the provider's own description and keys are used before they are asked for again."""
NOT_SOONER = 30.0
"""An unknown key makes us ask at most this often: strangers' tokens must not hammer the provider."""
LIMITS = Limits(connect=5, read=10, total=15, size=512 * 1024)
OK = 200


@dataclass(frozen=True, slots=True)
class Relying:
    """How the provider knows us. With `key` we sign who we are, with `secret` we tell it, with neither only PKCE binds."""

    issuer: str
    client: str
    redirect: str
    secret: str = field(default="", repr=False)
    key: Key | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    acr: str = ""
    """The way of signing in that is asked for, and without which nobody is let in (a second factor, say)."""
    ask_again: bool = False
    """Whether the provider must ask for the password although it knows the browser: wards share computers."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one browser was sent with; kept by that browser, sealed."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> "Question":
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    def challenge(self) -> str:
        """PKCE, S256 (RFC 7636)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Provider:
    """Blocking; for worker threads, several at once."""

    def __init__(self, relying: Relying, peer: Callable[[], requests.Session], clock: Clock) -> None:
        self.relying = relying
        self._peer, self._clock = peer, clock
        self._lock = threading.Lock()
        self._described: Json = {}
        self._keys: list[dict[str, Any]] = []
        self._asked = 0.0

    def look(self) -> None:
        """Whether it answers, by the name we know it by. Raises UnavailableError."""
        for name in ("authorization_endpoint", "token_endpoint"):
            self._endpoint(name)

    def door(self, question: Question, *, again: bool = False) -> str:
        """Where the browser goes to sign in; `again`: the provider must ask who it is though it knows. Raises UnavailableError."""
        us = self.relying
        asked = {
            "response_type": "code",
            "client_id": us.client,
            "redirect_uri": us.redirect,
            "scope": " ".join(us.scopes),
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": question.challenge(),
            "code_challenge_method": "S256",
        }
        if us.acr:
            asked["acr_values"] = us.acr
        if us.ask_again or again:
            asked |= {"prompt": "login", "max_age": "0"}
        return _with(self._endpoint("authorization_endpoint"), asked)

    def redeem(self, code: str, question: Question, begun: float, *, again: bool = False) -> tuple[Claims, str]:
        """Who it is, and the token that says so; `again`: they said so since it was `begun`. Raises RefusedSignInError, UnavailableError."""
        token = self._token(code, question)
        claims = self._verified(token, id_token.NEEDED)
        id_token.answered(claims, question.nonce)
        if self.relying.acr and claims.get("acr") != self.relying.acr:
            raise RefusedSignInError("acr")
        if (self.relying.ask_again or again) and not _since(claims.get("auth_time"), begun):
            raise RefusedSignInError("not-asked")
        return claims, token

    def farewell(self, hint: str, back: str) -> str:
        """Where the browser goes to sign out there too; empty where the provider has no such page."""
        try:
            where = self._endpoint("end_session_endpoint")
        except UnavailableError:
            return ""
        asked = {"client_id": self.relying.client, "post_logout_redirect_uri": back}
        return _with(where, asked | ({"id_token_hint": hint} if hint else {}))

    def signed_out(self, token: str) -> tuple[str, str]:
        """Subject and session that the provider tells us are over. Raises RefusedSignInError, UnavailableError."""
        return id_token.signed_out(self._verified(token, ("iss", "aud", "iat", "exp", "jti")))

    def _token(self, code: str, question: Question) -> str:
        us, where = self.relying, self._endpoint("token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": us.redirect,
            "code_verifier": question.verifier,
            "client_id": us.client,
        }
        if us.key is not None:
            form |= {"client_assertion_type": JWT_BEARER, "client_assertion": self._assertion(us.key)}
        auth = (us.client, us.secret) if us.secret else None
        request = requests.Request("POST", where, data=form, headers={"Accept": "application/json"}, auth=auth)
        answer = exchange(self._peer(), request, LIMITS)
        said = (read_json(answer) or {}).get("id_token")
        if answer.status >= 500:  # noqa: PLR2004 — the provider's own trouble
            raise UnavailableError("the hospital's sign-in is in trouble — try again")
        if answer.status != OK or not isinstance(said, str):
            raise RefusedSignInError("code")
        return said

    def _assertion(self, key: Key) -> str:
        return key.assertion(self.relying.client, self.relying.issuer, self._clock())

    def _verified(self, token: str, needed: tuple[str, ...]) -> Claims:
        expected = Expected(self.relying.issuer, self.relying.client)
        try:
            return id_token.verified(token, self._description()[1], expected, needed=needed)
        except UnknownKeyError:
            pass
        try:
            return id_token.verified(token, self._description(NOT_SOONER)[1], expected, needed=needed)
        except UnknownKeyError:
            raise RefusedSignInError("key") from None

    def _endpoint(self, name: str) -> str:
        url = self._description()[0].get(name)
        if not isinstance(url, str):
            raise UnavailableError(f"the hospital's sign-in has no {name} — check issuer")
        parts = urlsplit(url)
        _checked(parts._replace(query="").geturl())
        return url

    def _description(self, fresh: float = FRESH) -> tuple[Json, list[dict[str, Any]]]:
        """The provider's own page and keys, asked for again when older than `fresh`. Raises UnavailableError."""
        with self._lock:
            if not self._described or time.monotonic() - self._asked > fresh:
                self._asked = time.monotonic()
                self._described, self._keys = self._fetched()
            return self._described, self._keys

    def _fetched(self) -> tuple[Json, list[dict[str, Any]]]:
        issuer = self.relying.issuer
        described = self._got(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != issuer:
            raise UnavailableError("the hospital's sign-in calls itself by another name — check issuer")
        keys = self._got(_checked(str(described.get("jwks_uri")))).get("keys")
        return described, [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []

    def _got(self, url: str) -> Json:
        request = requests.Request("GET", url, headers={"Accept": "application/json"})
        answer = exchange(self._peer(), request, LIMITS)
        found = read_json(answer)
        if answer.status != OK or found is None:
            raise UnavailableError(f"the hospital's sign-in answered HTTP {answer.status} — check issuer")
        return found


def _checked(url: str) -> str:
    try:
        return checked_url(url)
    except ConfigError as error:
        raise UnavailableError(f"the hospital's sign-in: {error}") from None


def _with(url: str, asked: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def _since(at: Any, begun: float) -> bool:
    return isinstance(at, int | float) and at >= begun - id_token.LEEWAY.total_seconds()
