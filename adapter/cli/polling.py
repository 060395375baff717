"""The command for the administrator of a polled FHIR server: jwks."""

from adapter.cli.options import DEFAULT, Config, say_json, settings_of


def jwks(config: Config = DEFAULT) -> None:
    """Print the public keys that a FHIR server must know us by (SMART Backend Services), as a JWK set.

    Example: adapter jwks --config /etc/adapter/adapter.toml > immunosep-jwks.json
    """
    from adapter.daemon.polling import public_keys

    say_json(public_keys(settings_of(config)))


COMMANDS = (jwks,)
