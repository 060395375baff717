"""`[web.oidc]`: what it may say, and what is said to who wrote it wrongly."""

from pathlib import Path

import pytest

from adapter.daemon import staff
from adapter.daemon.clock import utc_now
from adapter.errors import ConfigError
from adapter.settings import Settings, load_settings

HEAD = """[adapter]
data = "DATA"
trials = ["immunosep"]
environment = "ENVIRONMENT"
[web]
base_url = "https://screening.hospital.example"
"""
OIDC = """[web.oidc]
issuer = "https://login.hospital.example"
client_id = "worklist"
"""
ROLES = """[web.oidc.roles]
investigator = ["pi", "deputy"]
coordinator = "nurses"
"""


def read(folder: Path, *, environment: str = "test", oidc: str = OIDC, roles: str = ROLES, web: str = "") -> Settings:
    head = HEAD.replace("DATA", str(folder)).replace("ENVIRONMENT", environment)
    (folder / "adapter.toml").write_text(head + web + oidc + roles)
    return load_settings(folder / "adapter.toml")


def test_roles_are_read_in_their_order_and_the_way_back_is_ours(tmp_path: Path) -> None:
    found = staff.hospital(read(tmp_path), utc_now)
    assert found is not None
    assert list(found.rules.roles.items()) == [("investigator", ("pi", "deputy")), ("coordinator", ("nurses",))]
    assert found.provider.relying.redirect == "https://screening.hospital.example/sign-in/back"
    assert staff.hospital(read(tmp_path, oidc="", roles=""), utc_now) is None


@pytest.mark.parametrize(
    ("oidc", "roles", "said"),
    [
        (OIDC, '[web.oidc.roles]\nnurse = "x"\n', "no role 'nurse'"),
        (OIDC, "", "roles"),
        (OIDC + 'isuer = "x"\n', ROLES, "issuer"),
        (OIDC + 'secret = "plain"\n', ROLES, "by reference"),
        (OIDC + 'secret = "env:A"\nkey = "env:B"\n', ROLES, "not both"),
        (OIDC + 'scopes = ["profile"]\n', ROLES, "openid"),
        (OIDC.replace("https", "ftp"), ROLES, "issuer"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, oidc: str, roles: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, oidc=oidc, roles=roles)


def test_what_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    for wrong in (OIDC.replace("https", "http"), OIDC + 'verify = "/nowhere.pem"\n', OIDC + 'secret = "env:NOT_SET"\n'):
        with pytest.raises(ConfigError):
            staff.hospital(read(tmp_path, oidc=wrong), utc_now)


def test_a_second_step_is_required_in_production_unless_said_otherwise(tmp_path: Path) -> None:
    found = [
        read(tmp_path, environment=environment, web=web).second_step_required()
        for environment in ("production", "test")
        for web in ("", 'second_step = "offered"\n', 'second_step = "required"\n')
    ]
    assert found == [True, False, True, False, False, True]
