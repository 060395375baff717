"""The hospital's own sign-in as the configuration describes it, made ready for the pages."""

import requests

from adapter.errors import ConfigError
from adapter.pipeline.authorize import Key
from adapter.pipeline.exchange import checked_url, session
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.settings.staff import OidcSection
from adapter.web.context import Hospital
from adapter.web.provider import Provider, Relying
from adapter.web.staff import StaffRules

BACK = "/sign-in/back"


def hospital(settings: Settings, clock: Clock) -> Hospital | None:
    """None without `[web.oidc]`. Raises ConfigError for an address, a secret, a key or a file that cannot be."""
    oidc = settings.web.oidc
    if oidc is None:
        return None
    rules = StaffRules(oidc.roles, oidc.role_claim, oidc.name_claim, oidc.site_claim, oidc.trial_claim)
    _peer(oidc)
    relying = _relying(oidc, f"{settings.web_base()}{BACK}")
    return Hospital(Provider(relying, lambda: _peer(oidc), clock), rules, oidc.label)


def _relying(oidc: OidcSection, redirect: str) -> Relying:
    try:
        checked_url(oidc.issuer)
    except ConfigError as error:
        raise ConfigError(f"[web.oidc] issuer: {error}") from None
    return Relying(
        issuer=oidc.issuer,
        client=oidc.client_id,
        redirect=redirect,
        secret=oidc.secret.reveal() if oidc.secret else "",
        key=Key(oidc.key.reveal(), oidc.kid) if oidc.key else None,
        scopes=oidc.scopes,
        acr=oidc.acr,
        ask_again=oidc.ask_again,
    )


def _peer(oidc: OidcSection) -> requests.Session:
    peer = session()
    if oidc.verify is not None:
        if not oidc.verify.is_file():
            raise ConfigError(f"[web.oidc] {oidc.verify} is not there — check verify")
        peer.verify = str(oidc.verify)
    return peer
