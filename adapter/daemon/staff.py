"""The hospital's own sign-in as the configuration describes it, made ready for the pages."""

from collections.abc import Iterator

import requests

from adapter.daemon.clock import utc_now
from adapter.errors import ConfigError, UnavailableError
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


def reached(settings: Settings) -> Iterator[tuple[str, str]]:
    """Whether the hospital's sign-in answers, and what its administrator must enter there."""
    found = hospital(settings, utc_now)
    if found is None:
        return
    try:
        found.provider.look()
    except UnavailableError as error:
        yield "warning", f"[web.oidc] {error}"
        return
    relying = found.provider.relying
    yield "ok", f"[web.oidc] {relying.issuer} answers; let it send people back to {relying.redirect}"


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
