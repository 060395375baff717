"""Which ID tokens are believed (OpenID Connect Core 3.1.3.7), and which words of them count."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from adapter.daemon.clock import utc_now
from adapter.pipeline.authorize import Key
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.web import id_token, staff
from adapter.web.id_token import Expected, RefusedSignInError, UnknownKeyError
from adapter.web.staff import StaffRules
from tests.signing import key

ISSUER = "https://login.hospital.example"
US = Expected(ISSUER, "worklist")
RSA, OTHER = key("RS384"), key("RS384", new=True)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(utc_now().timestamp())
    usual = {"iss": ISSUER, "sub": "42", "aud": "worklist", "iat": now, "exp": now + 60, "nonce": "n"}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(said: dict[str, Any], by: Key = RSA, **headers: Any) -> str:
    public = by.public()
    named = {name: value for name, value in ({"kid": public["kid"]} | headers).items() if value}
    return jwt.encode(said, by.pem, public["alg"], headers=named)


def believed(token: str, *keys: Key) -> dict[str, Any]:
    return id_token.verified(token, [one.public() for one in keys or (RSA,)], US)


def test_a_token_that_is_right_is_believed_by_either_kind_of_key() -> None:
    curve = key("ES384")
    assert believed(signed(claims()))["sub"] == "42"
    assert believed(signed(claims(), curve), RSA, curve)["sub"] == "42"
    assert believed(signed(claims(aud=["worklist", "other"], azp="worklist")))["sub"] == "42"
    id_token.answered(claims(), "n")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://login.evil.example"}, "issuer"),
        ({"iss": None}, "token"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["worklist", "another"]}, "audience"),
        ({"aud": ["worklist", "another"], "azp": "another"}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "token"),
        ({"iat": 4_000_000_000}, "clock"),
        ({"nbf": 4_000_000_000}, "clock"),
        ({"sub": None}, "token"),
        ({"sub": 42}, "token"),
    ],
)
def test_a_claim_that_is_wrong_is_refused_with_its_reason(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(RefusedSignInError) as refused:
        believed(signed(claims(**changes)))
    assert refused.value.code == code


def test_a_clock_a_little_off_is_forgiven() -> None:
    late = int((utc_now() - timedelta(seconds=30)).timestamp())
    assert believed(signed(claims(exp=late)))["exp"] == late


def test_a_signature_is_needed_and_must_be_the_providers() -> None:
    """Neither `none`, nor the provider's public key used as a shared secret, nor another's key under its name."""
    shared = RSA.public()["n"]
    for token in (
        jwt.encode(claims(), None, "none"),
        jwt.encode(claims(), shared, "HS256", headers={"kid": RSA.public()["kid"]}),
    ):
        with pytest.raises(RefusedSignInError, match="algorithm"):
            believed(token)
    with pytest.raises(RefusedSignInError, match="signature"):
        believed(signed(claims(), OTHER, kid=RSA.public()["kid"]))
    for broken in ("", "a.b", "a.b.c", signed(claims())[:-4]):
        with pytest.raises(RefusedSignInError):
            believed(broken)


def test_a_key_nobody_knows_or_that_is_not_for_signing_is_asked_for_again() -> None:
    with pytest.raises(UnknownKeyError):
        believed(signed(claims(), OTHER))
    with pytest.raises(UnknownKeyError):
        believed(signed(claims(), kid=""), RSA, OTHER)  # which of two?
    with pytest.raises(UnknownKeyError):
        id_token.verified(signed(claims()), [RSA.public() | {"use": "enc"}], US)


def test_an_answer_to_another_question_is_refused() -> None:
    for nonce in (None, "m", 7):
        with pytest.raises(RefusedSignInError, match="nonce"):
            id_token.answered(claims(nonce=nonce), "n")


def test_only_a_logout_token_signs_anybody_out() -> None:
    event = {"events": {id_token.LOGOUT_EVENT: {}}, "nonce": None}
    assert id_token.signed_out(claims(sid="s", **event)) == ("42", "s")
    assert id_token.signed_out(claims(sub=None, sid="s", **event)) == ("", "s")
    for wrong in (claims(), claims(**event | {"nonce": "n"}), claims(sub=None, **event), claims(sid=3, **event)):
        with pytest.raises(RefusedSignInError):
            id_token.signed_out(wrong)


# --- who somebody is --------------------------------------------------------------------------------------------------

RULES = StaffRules({"investigator": ("pi",), "coordinator": ("nurses", "pi")}, role_claim="realm_access.roles")


def who(**said: Any) -> staff.Person:
    return staff.person(claims(preferred_username="eleni", **said), RULES)


def test_the_first_role_that_fits_holds_and_none_is_no_role() -> None:
    assert who(realm_access={"roles": ["nurses", "pi"]}).role == "investigator"
    assert who(realm_access={"roles": ["nurses", 7]}).role == "coordinator"
    for nothing in (
        {},
        {"realm_access": "pi"},
        {"realm_access": {"roles": {"pi": 1}}},
        {"realm_access": {"roles": []}},
    ):
        assert who(**nothing).role == ""
    assert who(**{"realm_access.roles": "x pi"}).role == "investigator"


def test_sites_and_trials_are_everywhere_only_where_no_claim_says_them() -> None:
    assert who().scope == EVERYWHERE
    narrow = StaffRules({"coordinator": ("nurses",)}, site_claim="sites", trial_claim="trials")
    said = claims(preferred_username="eleni", sites=["attikon"])
    assert staff.person(said, narrow).scope == Scope(frozenset({"attikon"}), frozenset())


def test_a_subject_is_somebody_only_with_who_says_so_and_a_name_must_be_one() -> None:
    assert who().external == f"{ISSUER}|42"
    for name in (None, "", "<b>", 7, "x" * 65):
        with pytest.raises(RefusedSignInError, match="name"):
            staff.person(claims(preferred_username=name), RULES)
