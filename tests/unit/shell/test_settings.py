from pathlib import Path
from typing import get_args

import pytest

from adapter.cli.conforming import ProfileName
from adapter.daemon.flat import findings
from adapter.errors import ConfigError
from adapter.hl7.profiles import PROFILES
from adapter.settings import MllpSource, Secret, Settings, load_settings

GOOD = """
[adapter]
data = "/var/lib/adapter"
trials = ["immunosep"]
environment = "test"

[[source]]
kind = "mllp"
name = "lab"
site = "generic"
listen = "127.0.0.1:2575"

[[sink]]
kind = "fhir"
name = "edc"
base = "https://edc.example.org/fhir"
push_when = "screening"
dates = "shifted"
token = "env:EDC_TOKEN"
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "adapter.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value).removeprefix(str(tmp_path))


def test_a_good_file_becomes_frozen_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert settings.source[0].listen.port == 2575
    assert settings.store_url() == "sqlite:////var/lib/adapter/adapter.db"
    with pytest.raises(ValueError, match="frozen"):
        settings.adapter = None


@pytest.mark.parametrize(
    ("other", "both"),
    [
        ('[web]\nlisten = "127.0.0.1:2575"', "source 'lab' and [web] both listen on 127.0.0.1:2575"),
        (
            '[[source]]\nkind = "mllp"\nname = "icu"\nsite = "generic"\nlisten = "127.0.0.1:2575"',
            "source 'lab' and source 'icu' both listen on 127.0.0.1:2575",
        ),
    ],
)
def test_two_that_listen_on_one_address_are_named(tmp_path: Path, other: str, both: str) -> None:
    assert both in refusal(tmp_path, f"{GOOD}\n{other}\n")


def test_any_free_port_is_an_address_of_ones_own(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD.replace(":2575", ":0") + '\n[web]\nlisten = "127.0.0.1:0"\n')
    assert [settings.web.listen.port, *(source.listen.port for source in settings.listeners())] == [0, 0]


def test_a_source_and_the_conformance_command_know_every_acknowledgment_profile() -> None:
    assert set(get_args(MllpSource.model_fields["ack"].annotation)) == set(ProfileName) == set(PROFILES)


@pytest.mark.parametrize("place", ["[[source]]", "[[sink]]"])
@pytest.mark.parametrize("name", ["Lab", "", "-lab", "l" * 41, "lab 1"])
def test_a_name_is_refused_in_the_same_words_wherever_it_stands(tmp_path: Path, place: str, name: str) -> None:
    before, _, behind = GOOD.partition(place)
    old = "lab" if place == "[[source]]" else "edc"
    told = refusal(tmp_path, f"{before}{place}{behind.replace(old, name, 1)}")
    assert ".name': String should match pattern '^[a-z0-9][a-z0-9-]{0,39}$'" in told


def test_roles_are_shared_out_only_where_processes_can_share_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgresql = f'{GOOD}\n[store]\nurl = "postgresql://adapter@localhost/adapter"\n'
    assert set(load(tmp_path, GOOD).adapter.roles) == {"receive", "process", "deliver", "web"}
    monkeypatch.setenv("ADAPTER_ADAPTER__ROLES", "process, web")
    assert load(tmp_path, postgresql).adapter.roles == ("process", "web")
    assert "only one process can use an SQLite store" in refusal(tmp_path, GOOD)
    monkeypatch.setenv("ADAPTER_ADAPTER__ROLES", "screen")
    assert "must be 'receive', 'process', 'deliver' or 'web'" in refusal(tmp_path, postgresql)


def test_a_postgresql_store_takes_its_password_by_reference_and_never_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "hush")
    url = "postgresql://adapter@db.example.org/adapter?sslmode=verify-full"
    settings = load(tmp_path, f'{GOOD}\n[store]\nurl = "{url}"\npassword = "env:STORE_PASSWORD"\n')
    assert (settings.store_url(), settings.store_password(), settings.on_sqlite()) == (url, "hush", False)
    assert "hush" not in f"{settings!r} {settings.store_url()} {settings.model_dump_json()}"
    for bad in ('url = "postgresql://adapter:hush@h/d"', f'url = "{url}"\npassword = "hush"', 'url = "mysql://h/d"'):
        said = refusal(tmp_path, f"{GOOD}\n[store]\n{bad}\n")
        assert "store" in said
        assert "hush" not in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("listen =", "lisen =", "/adapter.toml:11: unknown key 'lisen' — did you mean 'listen'?"),
        ("[[source]]", "[[sorce]]", "/adapter.toml:7: unknown key 'sorce' — did you mean 'source'?"),
        ("environment =", "enviroment =", "/adapter.toml:5: unknown key 'enviroment' — did you mean 'environment'?"),
        ("base =", "bse =", "/adapter.toml:16: unknown key 'bse' — did you mean 'base'?"),
        ('kind = "fhir"', 'kind = "fihr"', "/adapter.toml:13: 'sink.0': "),
        ('"screening"', '"screning"', "/adapter.toml:17: push_when is not decided"),
        ('dates = "shifted"\n', "", "/adapter.toml:13: dates is not decided"),
        ('"127.0.0.1:2575"', '"127.0.0.1"', "/adapter.toml:11: 'source.0.listen': an address is written"),
        ('"env:EDC_TOKEN"', '"abc123"', "/adapter.toml:19: 'sink.0.token': secrets go by reference"),
        ('"test"', '"tset"', "did you mean 'test'?"),
        ('["immunosep"]', "[]", "/adapter.toml:4: 'adapter.trials': "),
        ('name = "edc"', 'name = "lab"', "the name 'lab' is given twice"),
        ("[adapter]", "[adapter", "/adapter.toml:2: not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_known_word(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert said in refusal(tmp_path, GOOD.replace(old, new, 1))


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, GOOD.replace("listen =", "lisen =").replace("site =", "sight ="))
    assert "'lisen'" in told
    assert "'sight'" in told


def test_the_value_of_a_mistake_is_not_repeated(tmp_path: Path) -> None:
    assert "hunter2" not in refusal(tmp_path, GOOD.replace('"env:EDC_TOKEN"', '"hunter2"'))


def test_an_absent_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "nothing.toml")


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WEB__LISTEN", "127.0.0.1:9999")
    assert load(tmp_path, GOOD).web.listen.port == 9999


def test_a_secret_is_read_when_asked_and_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDC_TOKEN", "s3cret")
    settings = load(tmp_path, GOOD)
    assert settings.sink[0].token.reveal() == "s3cret"
    assert "s3cret" not in repr(settings)
    (tmp_path / "token").write_text("abc\n")
    assert Secret(reference=f"file:{tmp_path}/token").reveal() == "abc"
    with pytest.raises(ConfigError, match="cannot be read"):
        Secret(reference="env:NOT_SET_ANYWHERE").reveal()


REDCAP = """
[[sink]]
kind = "redcap"
name = "redcap"
url = "https://redcap.example.org/api/"
token = "file:/etc/adapter/redcap-token"
push_when = "consented"
dates = "exact"
timezone = "Europe/Athens"
"""
CSV = """
[[sink]]
kind = "csv"
name = "files"
path = "/srv/drop"
push_when = "consented"
dates = "exact"
"""


def test_edcs_without_fhir_are_read(tmp_path: Path) -> None:
    _, redcap, files = load(tmp_path, GOOD + REDCAP + CSV).sink
    assert (redcap.kind, str(redcap.zone()), redcap.token.reference) == (
        "redcap",
        "Europe/Athens",
        "file:/etc/adapter/redcap-token",
    )
    assert (files.kind, files.path) == ("csv", Path("/srv/drop"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("url = ", "base = ", "unknown key 'base'"),
        ('token = "file:/etc/adapter/redcap-token"\n', "", "'sink.1.token' is missing"),
        ("file:/etc", "9A81268476", "secrets go by reference"),
        ('timezone = "Europe/Athens"\n', "", "'sink.1.timezone' is missing"),
        ("Europe/Athens", "Europe/Athen", "no time zone 'Europe/Athen' — did you mean 'Europe/Athens'?"),
        ('push_when = "consented"\n', "", "push_when is not decided"),
        ("timezone =", "tiemzone =", "unknown key 'tiemzone' — did you mean 'timezone'?"),
        ('kind = "redcap"', 'kind = "redcab"', "did you mean 'redcap'?"),
    ],
)
def test_a_mistake_in_a_redcap_sink_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    told = refusal(tmp_path, GOOD + REDCAP.replace(old, new, 1))
    assert said in told
    assert "9A81268476" not in told


def test_check_says_what_a_drop_folder_or_a_redcap_project_lacks(tmp_path: Path) -> None:
    trials = GOOD.replace('["immunosep"]', '["immunosep", "example-trial"]')
    settings = load(tmp_path, trials + REDCAP.replace("/api/", "/api") + CSV.replace("/srv/drop", str(tmp_path / "no")))
    found = [*findings(settings)]
    assert [level for level, _ in found] == ["warning", "warning", "error"]
    assert "ends in /api/" in found[0][1]
    assert "'study'" in found[1][1]
    assert "make it, or mount it" in found[2][1]


def test_trials_in_shadow_are_trials_that_are_screened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(shadow: str) -> str:
        return GOOD.replace("environment", f"shadow = {shadow}\nenvironment")

    assert load(tmp_path, GOOD).adapter.shadow == ()
    assert load(tmp_path, written('["immunosep"]')).adapter.shadow == ("immunosep",)
    said = refusal(tmp_path, written('["imunosep"]'))
    assert (
        said == "/adapter.toml:5: 'adapter.shadow': 'imunosep' is none of [adapter] trials — did you mean 'immunosep'?"
    )
    unknown = refusal(tmp_path, written("[]").replace("shadow", "shaddow"))
    assert unknown == "/adapter.toml:5: unknown key 'shaddow' — did you mean 'shadow'?"
    monkeypatch.setenv("ADAPTER_ADAPTER__SHADOW", "immunosep")
    assert load(tmp_path, GOOD).adapter.shadow == ("immunosep",)
    monkeypatch.setenv("ADAPTER_ADAPTER__SHADOW", "")
    assert load(tmp_path, written('["immunosep"]')).adapter.shadow == (), "live by the environment alone"
