"""The realm of a hospital: its people, their groups, the worklist as a client, and clients of the poller."""

import json
from typing import Any

REALM = "staff"
PASSWORD = "quiet-heron-7"
SECRET = "told-only-to-the-worklist"
SCOPES = ("system/Patient.rs", "system/Observation.rs")


def realm(base: str, **pollers: dict[str, Any]) -> dict[str, Any]:
    """`base`: where the worklist is. `pollers`: client id → its public key as a JWK; empty for one with a secret."""
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "groups": [{"name": name} for name in ("ward-coordinators", "it", "canteen")],
        "users": [
            person("eleni", "Eleni", "ward-coordinators", sites=["generic"]),
            person("iris", "Iris", "it"),
            person("karl", "Karl", "canteen"),
            person("anna", "Anna", "ward-coordinators"),
        ],
        "clientScopes": [
            {"name": name, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
            for name in SCOPES
        ],
        "clients": [worklist(base), *(poller(name.replace("_", "-"), jwk) for name, jwk in pollers.items())],
    }


def person(name: str, given: str, group: str, **attributes: list[str]) -> dict[str, Any]:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@hospital.example",
        "emailVerified": True,
        "firstName": given,
        "lastName": "Test",
        "groups": [f"/{group}"],
        "attributes": attributes,
        "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
    }


def worklist(base: str) -> dict[str, Any]:
    return {
        "clientId": "worklist",
        "secret": SECRET,
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": True,
        "redirectUris": [f"{base}/sign-in/back"],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{base}/sign-in",
            "backchannel.logout.url": f"{base}/sign-in/ended",
            "backchannel.logout.session.required": "true",
        },
        "protocolMappers": [
            {
                "name": "groups",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-group-membership-mapper",
                "config": {"claim.name": "groups", "full.path": "false", "id.token.claim": "true"},
            },
        ],
    }


def poller(name: str, jwk: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "clientId": name,
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": False,
        "serviceAccountsEnabled": True,
        "optionalClientScopes": list(SCOPES),
    }
    if not jwk:
        return made | {"secret": SECRET}
    attributes = {
        "use.jwks.string": "true",
        "jwks.string": json.dumps({"keys": [jwk]}),
        "token.endpoint.auth.signing.alg": jwk["alg"],
    }
    return made | {"clientAuthenticatorType": "client-jwt", "attributes": attributes}
