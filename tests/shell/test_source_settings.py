"""A source's settings, from the file to the running parts: senders, pins, limits, certificates."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapter.daemon.checks import examine
from adapter.daemon.clock import utc_now
from adapter.daemon.parts import open_parts
from adapter.errors import ConfigError
from adapter.hl7.ack import AckPolicy
from adapter.settings import Settings, load_settings
from adapter.sources.senders import Senders
from tests.shell.certificates import NOW, Pem, issued

FINGERPRINT = ":".join(["AB"] * 32)


def written(folder: Path, source: str, *, environment: str = "test") -> Path:
    path = folder / "adapter.toml"
    path.write_text(
        f'[adapter]\ndata = "{folder / "data"}"\ntrials = ["immunosep-demo"]\nenvironment = "{environment}"\n'
        '[web]\nlisten = "127.0.0.1:0"\n'
        f'[[source]]\nkind = "mllp"\nname = "lab"\nsite = "generic"\nlisten = "127.0.0.1:0"\n{source}\n'
    )
    return path


def loaded(folder: Path, source: str) -> Settings:
    return load_settings(written(folder, source))


def tls(ours: Pem, ca: Pem, senders: str = "") -> str:
    pins = f"\n[source.tls.senders]\n{senders}" if senders else ""
    return f'[source.tls]\ncertificate = "{ours.certificate}"\nkey = "{ours.key}"\nclient_ca = "{ca.certificate}"{pins}'


def test_senders_and_pins_reach_the_door(tmp_path: Path) -> None:
    ours, ca = issued(tmp_path, "adapter"), issued(tmp_path, "authority")
    pins = f'"lab.hosp" = "LAB|HOSP"\n"{FINGERPRINT}" = ["ICU|HOSP", "WARD|HOSP"]'
    source = f'senders = ["LAB|HOSP", "ICU|HOSP"]\nidle_seconds = 7200\n{tls(ours, ca, pins)}'
    with open_parts(loaded(tmp_path, source), utc_now) as parts:
        (server,) = parts.servers
        assert server.door.senders == Senders(frozenset({"LAB|HOSP", "ICU|HOSP"}))
        assert server.door.log is not None
        assert server.limits.idle_seconds == 7200
        assert server.tls is not None
        assert server.tls.pins == {
            "lab.hosp": Senders(frozenset({"LAB|HOSP"})),
            "ab" * 32: Senders(frozenset({"ICU|HOSP", "WARD|HOSP"})),
        }


@pytest.mark.parametrize("environment", ["test", "production"])
def test_what_the_installation_is_for_reaches_the_answer(environment: str, tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, 'ack = "strict"', environment=environment))
    with open_parts(settings, utc_now) as parts:
        assert parts.servers[0].door.policy == AckPolicy("strict", production=environment == "production")


def test_a_line_a_message_is_a_matter_of_level(tmp_path: Path) -> None:
    with open_parts(loaded(tmp_path, 'message_log = "debug"'), utc_now) as parts:
        assert parts.servers[0].door.log is None
        assert list(parts.pulse.sources) == ["lab"]
        assert 'adapter_feed_connections{feed="lab"} 0.0' in parts.metrics.text().decode(), "nobody came yet"
    path = written(tmp_path, 'message_log = "debug"')
    path.write_text(path.read_text().replace("[web]", 'log = "debug"\n[web]', 1))
    with open_parts(load_settings(path), utc_now) as parts:
        assert parts.servers[0].door.log is not None


def test_an_idle_limit_of_seconds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="engines keep connections open"):
        loaded(tmp_path, "idle_seconds = 30")


def test_a_sender_needs_its_bar(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"adapter\.toml"):
        loaded(tmp_path, 'senders = ["LAB"]')


def test_pins_need_an_authority(tmp_path: Path) -> None:
    ours = issued(tmp_path, "adapter")
    source = (
        f'[source.tls]\ncertificate = "{ours.certificate}"\nkey = "{ours.key}"\n[source.tls.senders]\n"lab" = "L|H"'
    )
    with pytest.raises(ConfigError, match="give client_ca too"):
        loaded(tmp_path, source)


def test_check_and_metrics_speak_of_a_certificate_that_expires(tmp_path: Path) -> None:
    ours = issued(tmp_path, "adapter", until=NOW + timedelta(days=20))
    ca = issued(tmp_path, "authority", until=NOW + timedelta(days=3))
    path = written(tmp_path, tls(ours, ca))
    found = [f"{one.level} {one.text}" for one in examine(path) if one.about == "sources"]
    assert any(text.startswith("warning lab: ") and "renew it soon" in text for text in found)
    assert any(text.startswith("warning lab-ca: ") and "renew it this week" in text for text in found)
    with open_parts(load_settings(path), utc_now) as parts:
        left = {
            line.partition("}")[0]: float(line.rpartition(" ")[2])
            for line in parts.metrics.text().decode().splitlines()
            if line.startswith("adapter_cert_expiry_seconds{")
        }
        assert 19 < left['adapter_cert_expiry_seconds{name="lab"'] / 86400 < 20
        assert 2 < left['adapter_cert_expiry_seconds{name="lab-ca"'] / 86400 < 3
        assert "certificate-expires-this-week" in parts.pulse.health().codes
        assert 'adapter_alarm{code="certificate-expires-this-week"} 1.0' in parts.metrics.text().decode()


def test_the_certificate_by_which_an_edc_knows_us_is_spoken_of_too(tmp_path: Path) -> None:
    ours = issued(tmp_path, "client", until=NOW + timedelta(days=20))
    tls = f'tls = {{certificate = "{ours.certificate}", key = "{ours.key}"}}'
    edc = 'kind = "fhir"\nname = "edc"\nbase = "https://edc.example"\npush_when = "consented"\ndates = "shifted"'
    path = written(tmp_path, f"[[sink]]\n{edc}\n{tls}")
    assert any(one.text.startswith("edc: ") and "renew it soon" in one.text for one in examine(path))
    with open_parts(load_settings(path), utc_now) as parts:
        assert 'adapter_cert_expiry_seconds{name="edc"}' in parts.metrics.text().decode()
        assert "certificate-expires" in parts.pulse.health().codes


def test_plain_mllp_beyond_this_machine_is_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_text(path.read_text().replace('listen = "127.0.0.1:0"\n\n', 'listen = "0.0.0.0:0"\n'))
    assert "plain MLLP on 0.0.0.0" in " ".join(one.text for one in examine(path))


def test_strict_in_production_is_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path, 'ack = "strict"', environment="production")
    assert "ack strict" in " ".join(one.text for one in examine(path))
