"""Tokens: by secret, by signed assertion, how long they are used, and what a person is told."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapter.errors import ConfigError
from adapter.pipeline import authorize
from adapter.pipeline.authorize import Client, Fixed, Key, TokenError, Tokens
from adapter.pipeline.exchange import PAUSE, session
from tests.fhir_server import START, FhirServer, observation, running, says
from tests.polling import Bench, bench

NOW = START
PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
KEYS = {
    "RS384": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
}


def pem(key: Any) -> str:
    return str(key.private_bytes(*PEM).decode())


class Issuer:
    """A strict token endpoint: each assertion once, of our key, for its own address, five minutes at most."""

    def __init__(self, fhir: FhirServer, jwk: dict[str, Any] | None = None) -> None:
        self.fhir, self.jwk = fhir, jwk
        self.issued: list[str] = []
        self.used: set[str] = set()
        self.more: dict[str, Any] = {"expires_in": 300}
        fhir.token, fhir.authorized = (
            self.issue,
            lambda header: header == f"Bearer {self.issued[-1]}" if self.issued else False,
        )

    def issue(self, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        assert form["grant_type"] == "client_credentials"
        refusal = self.signed(form) if self.jwk else self.told(headers)
        if refusal:
            return 400, {"error": refusal, "error_description": "Piet Jansen"}
        self.issued.append(f"token-{len(self.issued)}")
        return 200, {"access_token": self.issued[-1], "token_type": "bearer", "scope": form["scope"]} | self.more

    def told(self, headers: dict[str, str]) -> str:
        return (
            "" if headers["Authorization"] == "Basic " + base64.b64encode(b"us:secret").decode() else "invalid_client"
        )

    def signed(self, form: dict[str, str]) -> str:
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert self.jwk is not None
        head = jwt.get_unverified_header(form["client_assertion"])
        assert (head["kid"], head["alg"]) == (self.jwk["kid"], self.jwk["alg"])
        key = jwt.PyJWK(self.jwk)
        claims = jwt.decode(
            form["client_assertion"],
            key,
            algorithms=[self.jwk["alg"]],
            audience=f"{self.fhir.url}/token",
            options={"verify_exp": False, "verify_iat": False, "require": ["iss", "sub", "jti", "exp", "iat"]},
        )
        now = self.fhir.now.timestamp()
        assert claims["iss"] == claims["sub"] == "us"
        if not claims["iat"] - 60 <= now < claims["exp"] <= now + 300:
            return "invalid_client"
        assert claims["jti"] not in self.used
        self.used.add(claims["jti"])
        return ""


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with running() as server:
        server.put(observation("o1"))
        yield server


@pytest.fixture
def polled(fhir: FhirServer, tmp_path: Path) -> Iterator[Bench]:
    with bench(fhir, tmp_path, kinds=("Observation",)) as made:
        yield made


def tokens(polled: Bench, key: Any = None, **more: Any) -> Tokens:
    fhir = polled.fhir
    given: dict[str, Any] = {"url": f"{fhir.url}/token", "scopes": ("system/Observation.rs",)}
    given |= {"key": Key(pem(key))} if key else {"secret": "secret"}
    client = Client("us", fhir.base, **(given | more))
    return Tokens(client, session(), polled.clock, polled.tally.odd, polled.limits)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signed_assertion_brings_a_token_that_is_used_until_shortly_before_its_end(
    fhir: FhirServer, polled: Bench, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer(fhir, Key(pem(KEYS[algorithm])).public())
    polled.authorization = tokens(polled, KEYS[algorithm])
    polled.round()
    polled.round()
    assert polled.stored() == [("o1", "1")]
    assert len(issuer.issued) == 1
    now = time.monotonic()
    monkeypatch.setattr(authorize.time, "monotonic", lambda: now + 241)
    polled.round()
    assert len(issuer.issued) == 2
    assert len(issuer.used) == 2


def test_a_secret_goes_to_the_token_server_alone(fhir: FhirServer, polled: Bench) -> None:
    Issuer(fhir)
    polled.authorization = tokens(polled)
    polled.round()
    assert polled.stored() == [("o1", "1")]
    heard = {path.partition("?")[0]: headers.get("Authorization", "") for _, path, headers in fhir.seen}
    assert heard["/token"].startswith("Basic ")
    assert heard["/fhir/Observation"] == "Bearer token-0"


def test_the_token_server_may_be_asked_of_the_server_itself(fhir: FhirServer, polled: Bench) -> None:
    issuer = Issuer(fhir)
    fhir.authorized = lambda _: True
    polled.authorization = tokens(polled, url="")
    fhir.faults = [("/.well-known/smart-configuration", says(200, {"token_endpoint": f"{fhir.url}/token"}))]
    polled.round()
    assert len(issuer.issued) == 1
    other = tokens(polled, url="")
    for said in ({"token_endpoint": "http://evil.example/token"}, {"token_endpoint": 5}, {}):
        fhir.faults = [("/.well-known/smart-configuration", says(200, said))]
        with pytest.raises(TokenError):
            other.header()


def test_f10_a_refused_token_is_renewed_once(fhir: FhirServer, polled: Bench) -> None:
    issuer = Issuer(fhir)
    polled.authorization = tokens(polled)
    fhir.faults = [("/Observation", says(401))]
    polled.round()
    assert (polled.stored(), len(issuer.issued)) == ([("o1", "1")], 2)
    fhir.faults = [("/Observation", says(401))] * 2
    assert polled.round() == PAUSE
    assert polled.alarms() == ("poll-auth",)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({}, 240),
        ({"expires_in": 315_360_000}, 240),
        ({"expires_in": 120}, 60),
        ({"expires_in": 10}, 5),
        ({"expires_in": -1}, 0),
        ({"expires_in": "x"}, 240),
    ],
)
def test_f36_how_long_a_token_is_used_is_ours_to_say(said: dict[str, Any], seconds: float) -> None:
    assert authorize._life(said.get("expires_in")) == seconds


def test_f36_a_token_that_may_do_more_is_an_alarm(fhir: FhirServer, polled: Bench) -> None:
    issuer = Issuer(fhir)
    issuer.more["scope"] = "system/Observation.rs system/*.cruds"
    polled.authorization = tokens(polled)
    polled.round()
    assert polled.alarms() == ("poll-scope",)
    assert polled.stored() == [("o1", "1")]


def test_f37_a_clock_that_is_wrong_is_named(fhir: FhirServer, polled: Bench) -> None:
    from datetime import timedelta

    Issuer(fhir, Key(pem(KEYS["ES384"])).public())
    polled.ahead = timedelta(minutes=20)
    with pytest.raises(TokenError, match=r"clock is -1200 s from ours"):
        tokens(polled, KEYS["ES384"]).header()


def test_a_refusal_names_the_code_and_repeats_nothing_else(fhir: FhirServer, polled: Bench) -> None:
    Issuer(fhir)
    with pytest.raises(TokenError, match="invalid_client") as error:
        tokens(polled, secret="wrong").header()
    assert "Jansen" not in str(error.value)
    assert error.value.retry_after == PAUSE
    polled.authorization = tokens(polled, secret="wrong")
    polled.round()
    assert polled.alarms() == ("poll-token",)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "a\nb"},
        {"access_token": "a", "token_type": "mac"},
    ],
)
def test_an_answer_without_a_usable_token_is_none(fhir: FhirServer, polled: Bench, answer: dict[str, Any]) -> None:
    fhir.token = lambda _form, _headers: (200, answer)
    with pytest.raises(TokenError):
        tokens(polled).header()


@pytest.mark.parametrize(
    "key",
    [
        "no key",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["text", "short", "P-256"],
)
def test_another_kind_of_key_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ConfigError):
        Key(key)


def test_public_keys_hold_nothing_private_and_are_named_by_their_thumbprint() -> None:
    for algorithm, key in KEYS.items():
        public = Key(pem(key)).public()
        assert public.keys() == (
            {"kty", "kid", "use", "alg"} | ({"n", "e"} if algorithm == "RS384" else {"crv", "x", "y"})
        )
        assert public["kid"] == Key(pem(key)).public()["kid"]
    # The example of RFC 7638, section 3.1.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst"
        "n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n"
        "91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    assert (
        authorize._thumbprint({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
        == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


def test_a_fixed_credential_is_what_it_is_and_shows_itself_nowhere() -> None:
    fixed = Fixed("Bearer secret")
    assert (fixed.header(), fixed.renew()) == ("Bearer secret", False)
    assert "secret" not in repr(fixed)
    assert "BEGIN" not in repr(Key(pem(KEYS["ES384"])))
    assert json.dumps(Key(pem(KEYS["ES384"])).public())
