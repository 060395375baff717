"""As whom we ask a FHIR server, polled or pushed to: its TLS files and its credentials, read from the configuration."""

from base64 import b64encode
from collections.abc import Callable

import requests

from adapter.errors import ConfigError
from adapter.pipeline.authorize import Authorization, Client, Fixed, Key, Tokens
from adapter.pipeline.exchange import checked_url, session
from adapter.ports import Clock
from adapter.settings import FhirSink, FhirSource
from adapter.settings.polled import BasicAuth, BearerAuth, SecretAuth, SmartAuth

Odd = Callable[[str], None]
End = FhirSource | FhirSink


def peer_of(source: End) -> requests.Session:
    peer = session()
    peer.verify = str(source.verify or "") or True
    files = [source.verify] if source.verify else []
    if source.tls is not None:
        peer.cert = (str(source.tls.certificate), str(source.tls.key))
        files += [source.tls.certificate, source.tls.key]
    for path in files:
        if not path.is_file():
            raise ConfigError(f"{path} is not there — check the TLS files")
    return peer


def authorization(source: End, clock: Clock, odd: Odd) -> Authorization:
    auth = source.auth
    if isinstance(auth, BearerAuth):
        return Fixed(f"Bearer {auth.token.reveal()}")
    if isinstance(auth, BasicAuth):
        return Fixed(f"Basic {b64encode(f'{auth.user}:{auth.password.reveal()}'.encode()).decode()}")
    if auth is None:
        return Fixed()
    client = Client(
        id=auth.client_id,
        base=checked_url(source.base),
        url=auth.token_url,
        scopes=source.scopes(),
        secret=auth.secret.reveal() if isinstance(auth, SecretAuth) else "",
        key=Key(auth.key.reveal(), auth.kid) if isinstance(auth, SmartAuth) else None,
    )
    return Tokens(client, peer_of(source), clock, odd)
