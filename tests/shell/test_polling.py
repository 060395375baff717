"""Polled servers in the configuration, over TLS, beside the running daemon, and in what an operator asks of it."""

import json
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.daemon import polling
from adapter.daemon.clock import utc_now
from adapter.daemon.edc import edc
from adapter.errors import ConfigError
from adapter.fhir.search import KINDS
from adapter.settings import FhirSink, FhirSource, Settings, load_settings
from adapter.sinks.edc_fhir import EdcFhir
from adapter.sources.fhir_client import PollError
from adapter.store import inbox
from adapter.store.database import Database
from tests.fhir_server import FhirServer, observation, patient, running, says
from tests.installation import Installation, until
from tests.shell.certificates import NOW, YEAR, Pem, issued

HEAD = """
[adapter]
data = "/var/lib/adapter"
trials = ["immunosep"]
environment = "test"

[[source]]
kind = "fhir"
name = "ehr"
site = "generic"
"""


def load(folder: Path, lines: str, base: str = "https://ehr.example/fhir") -> Settings:
    path = folder / "adapter.toml"
    path.write_text(f'{HEAD}base = "{base}"\n{lines}\n', encoding="utf-8")
    return load_settings(path)


def source(folder: Path, lines: str, base: str = "https://ehr.example/fhir") -> FhirSource:
    (one,) = load(folder, lines, base).polled()
    return one


def test_a_source_says_how_often_for_what_and_as_whom(tmp_path: Path) -> None:
    made = polling.server_of(source(tmp_path, ""))
    assert (made.every, made.overlap, made.look_back, tuple(made.kinds)) == (
        60,
        timedelta(minutes=10),
        timedelta(days=7),
        KINDS,
    )
    lines = 'every = "2 min"\ntypes = ["Observation", "Patient"]\nsearch = {Observation = {category = "laboratory"}}\nlook_back = "36 h"'
    made = polling.server_of(source(tmp_path, lines))
    assert (made.every, tuple(made.kinds), made.look_back) == (120, ("Patient", "Observation"), timedelta(hours=36))
    assert made.narrowed == {"Observation": (("category", "laboratory"),)}
    auth = 'auth = {kind = "smart-backend", client_id = "us", key = "env:KEY"}\ntypes = ["MedicationRequest"]\ngroup = "icu"'
    assert source(tmp_path, auth).scopes() == ("system/MedicationRequest.rs", "system/Medication.rs", "system/Group.rs")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('every = "60"', "a time is written with its unit"),
        ('every = "0.5 s"', "at least 1 s"),
        ('types = ["Observation", "Slot"]', "nothing is read from Slot"),
        ('types = ["Patient"]\nsearch = {Observation = {category = "x"}}', "not among types"),
        ('server = "oracle"\nsearch = {Observation = {date = "ge2026"}}', "oracle takes no 'date' beside _lastUpdated"),
        ('auth = {kind = "bearer", token = "plain"}', "secrets go by reference"),
        ('auth = {kind = "smart", client_id = "x"}', "smart-backend"),
        ('auth = {kind = "basic", usr = "x", password = "env:P"}', "did you mean 'user'"),
        ('evry = "60 s"', "did you mean 'every'"),
        ('listen = "127.0.0.1:1"', "unknown key 'listen'"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_word_that_was_meant(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, line)
    assert said in str(error.value)
    assert "adapter.toml:" in str(error.value)


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("http://ehr.example/fhir", ""),
        ("https://us:secret@ehr.example/fhir", ""),
        ("https://ehr.example/fhir?x=1", ""),
        ("https://ehr.example/fhir", 'verify = "/nowhere/ca.pem"'),
        ("https://ehr.example/fhir", 'auth = {kind = "bearer", token = "env:NOT_THERE_AT_ALL"}'),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(tmp_path: Path, base: str, line: str) -> None:
    with pytest.raises(ConfigError, match="source 'ehr'"):
        polling.client_of(source(tmp_path, line, base), utc_now)


SINK = """
[[sink]]
kind = "fhir"
name = "edc"
base = "https://edc.example/fhir"
push_when = "consented"
dates = "shifted"
"""


def pushed(folder: Path, lines: str) -> FhirSink:
    path = folder / "sink.toml"
    path.write_text(f'{HEAD}base = "https://ehr.example/fhir"\n{SINK}{lines}\n', encoding="utf-8")
    (one,) = load_settings(path).sink
    assert isinstance(one, FhirSink)
    return one


def test_an_edc_is_asked_as_the_configuration_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pushed(tmp_path, "")
    assert (made.bundle, made.reconcile, made.scopes()[0]) == ("auto", timedelta(hours=24), "system/Patient.cruds")
    monkeypatch.setenv("WORD", "word")
    secret = 'auth = {kind = "client-secret", client_id = "us", secret = "env:WORD", scopes = ["system/*.cruds"]}'
    assert pushed(tmp_path, secret).scopes() == ("system/*.cruds",)
    for lines in (
        'token = "env:WORD"',
        'auth = {kind = "basic", user = "us", password = "env:WORD"}\nbundle = "batch"',
    ):
        made_sink = edc(pushed(tmp_path, lines))(utc_now)
        assert isinstance(made_sink, EdcFhir)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('token = "env:A"\nauth = {kind = "bearer", token = "env:A"}', "two credentials"),
        ('bundle = "some"', "bundle"),
        ('reconcile = "24"', "a time is written with its unit"),
    ],
)
def test_a_mistake_in_a_sink_is_named(tmp_path: Path, lines: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        pushed(tmp_path, lines)


def test_an_edc_whose_files_are_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sink 'edc'.*is not there"):
        edc(pushed(tmp_path, 'verify = "/nowhere/ca.pem"'))(utc_now)


# --- TLS -------------------------------------------------------------------------------------------------------------


def asked(folder: Path, fhir: FhirServer, lines: str, **base: str) -> str:
    """What its CapabilityStatement says."""
    return polling.client_of(source(folder, lines, base.get("base", fhir.base)), utc_now).capability()


def context(pem: Pem, client_ca: Pem | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem.certificate, pem.key)
    if client_ca is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(client_ca.certificate)
    return made


def test_f35_a_server_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    ours, stranger = issued(tmp_path, "ehr"), issued(tmp_path, "stranger")
    trusting = f'verify = "{ours.certificate}"'
    with running(tls=context(ours)) as fhir:
        assert asked(tmp_path, fhir, trusting) == "4.0.1 Strict 1.0"
        for lines, base in (
            ("", fhir.base),
            (f'verify = "{stranger.certificate}"', fhir.base),
            (trusting, fhir.base.replace("localhost", "127.0.0.1")),
        ):
            with pytest.raises(PollError) as error:
                asked(tmp_path, fhir, lines, base=base)
            assert error.value.kind == "tls"
        assert len(fhir.seen) == 1


def test_f35_an_expired_certificate_is_none(tmp_path: Path) -> None:
    old = issued(tmp_path, "old", until=NOW - timedelta(days=1), since=NOW - YEAR)
    with running(tls=context(old)) as fhir, pytest.raises(PollError) as error:
        asked(tmp_path, fhir, f'verify = "{old.certificate}"')
    assert error.value.kind == "tls"


def test_the_server_may_know_us_by_a_certificate(tmp_path: Path) -> None:
    ours, authority = issued(tmp_path, "ehr"), issued(tmp_path, "authority")
    client = issued(tmp_path, "client", authority)
    with running(tls=context(ours, authority)) as fhir:
        tls = f'verify = "{ours.certificate}"\ntls = {{certificate = "{client.certificate}", key = "{client.key}"}}'
        assert asked(tmp_path, fhir, tls) == "4.0.1 Strict 1.0"
        with pytest.raises(PollError):
            asked(tmp_path, fhir, f'verify = "{ours.certificate}"')


# --- what an operator asks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ('auth = {kind = "bearer", token = "env:WORD"}', "Bearer word"),
        ('auth = {kind = "basic", user = "us", password = "env:WORD"}', "Basic dXM6d29yZA=="),
        ("", None),
    ],
)
def test_a_credential_is_sent_as_it_is(
    tmp_path: Path, auth: str, header: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "word")
    with running() as fhir:
        asked(tmp_path, fhir, auth)
        assert fhir.seen[0][2].get("Authorization") == header


def test_check_tells_what_the_server_is_and_which_search_it_refuses(tmp_path: Path) -> None:
    with running() as fhir:
        fhir.faults = [("/Flag", says(403))]
        found = list(polling.reached(load(tmp_path, 'types = ["Patient", "Flag"]', fhir.base)))
        assert found[0] == ("ok", f"ehr: 4.0.1 Strict 1.0 at {fhir.base}")
        assert (found[1][0], "Flag: HTTP 403" in found[1][1]) == ("warning", True)
        assert found[2] == ("ok", "ehr: Patient can be searched")
        settings = load(tmp_path, 'server = "epic"', fhir.base)
        assert "patient by patient" in list(polling.reached(settings))[1][1]
    assert [level for level, _ in polling.reached(settings)] == ["warning"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[Installation, FhirServer]]:
    with running(FhirServer(now=utc_now() - timedelta(minutes=1))) as fhir:
        fhir.put(patient())
        for n in range(5):
            fhir.put(observation(f"o{n}"))
        made = Installation(
            tmp_path / "house", polled(fhir, 'auth = {kind = "smart-backend", client_id = "us", key = "env:EHR_KEY"}')
        )
        try:
            yield made, fhir
        finally:
            made.end()


def polled(fhir: FhirServer, more: str = "") -> str:
    return f"""
[[source]]
kind = "fhir"
name = "ehr"
site = "generic"
base = "{fhir.base}"
every = "1 s"
types = ["Patient", "Observation"]
page_size = 2
{more}
"""


def stored(place: Installation, name: str = "ehr") -> list[dict[str, Any]]:
    database = Database.open(f"sqlite:///{place.database}", read_only=True)
    try:
        with database.read() as conn:
            return [json.loads(inbox.raw(conn, row.id)) for row in inbox.listing(conn) if row.source == name]
    finally:
        database.close()


def test_the_daemon_polls_beside_its_feeds_tells_its_troubles_and_stops_at_once(
    house: tuple[Installation, FhirServer],
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    place, fhir = house
    key = ec.generate_private_key(ec.SECP384R1())
    place.environment["EHR_KEY"] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    fhir.token = lambda _form, _headers: (200, {"access_token": "t", "expires_in": 300})
    fhir.faults = [("smart-configuration", says(200, {"token_endpoint": f"{fhir.url}/token"}))]
    keys = json.loads(place.command("jwks").stdout)["keys"]
    assert [(one["kty"], one["alg"], "d" in one) for one in keys] == [("EC", "ES384", False)]
    place.start()
    until(lambda: 'adapter_poll_rounds_total{feed="ehr",outcome="whole"}' in place.get("/metrics"))
    assert len(stored(place)) == 4
    assert 'adapter_poll_resources_total{feed="ehr",search="Observation"} 5.0' in place.get("/metrics")
    fhir.authorized = lambda _: False
    until(lambda: 'adapter_poll_errors_total{feed="ehr",kind="auth"}' in place.get("/metrics"))
    assert '"degraded"' in place.get("/healthz")
    fhir.authorized = lambda _: True
    began = time.monotonic()
    assert place.stop() == 0
    assert time.monotonic() - began < 15
    log = place.log.read_text()
    assert "poll failed" in log
    assert "Jansen" not in log
