"""A hospital's file: what it may say, and mistakes named where they stand."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from adapter import assets
from adapter.errors import ConfigError
from adapter.mapping.dictionary import Concept
from adapter.mapping.fhir_patient import stated
from adapter.mapping.site import ENTRY_KEYS, KEYS, SiteMap, read_site
from adapter.mapping.values import Refused, Value, ValueReader, Written
from tests.builders import dictionary

SOUND = (
    "site: x\nencoding: latin-1\ntimezone: Europe/Athens\ndecimal: ','\npatient_identifier: {authority: X, type: MR}\n"
)


def site(folder: Path, text: str) -> SiteMap:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return read_site(assets.load_document(path), dictionary())


def test_a_short_file_gets_the_decided_defaults(tmp_path: Path) -> None:
    found = site(tmp_path, SOUND)
    assert (found.encoding, found.decimal, found.norepinephrine_basis) == ("iso8859-1", ",", "unknown")
    assert found.effective == ("SPM-17", "OBR-7", "OBX-14")
    assert (found.rate_hold, found.device_hold) == (timedelta(hours=2), timedelta(hours=4))
    assert not found.timezone_flagged
    assert found.opt_out is None


def test_a_full_file_is_read(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        SOUND + "codes: {PLT: platelets, X1: {concept: pao2, system: ABG, specimen: arterial, unit: kPa}}\n"
        "units: {'χιλ': '10*3/uL'}\nspecimens: {arterial: [ΑΡΤ]}\nholds: {rate: 90 min, device: 1 d}\n"
        "effective: [OBR-7]\nopt_out: {field: PD1-12, values: [Y]}\ntest_patients: [zz]\nnot_needed: [NA]\n",
    )
    assert found.codes["X1"].specimen == "arterial"
    assert found.units.ucum("ΧΙΛ") == "10*3/uL"
    assert found.units.ucum("K/uL") == "10*3/uL"
    assert found.specimens["αρτ"] == "arterial"
    assert (found.rate_hold, found.device_hold) == (timedelta(minutes=90), timedelta(days=1))
    assert found.opt_out is not None
    assert (found.opt_out.segment, found.opt_out.field) == ("PD1", 12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SOUND.replace("timezone: Europe/Athens\n", ""), "'timezone' is missing"),
        (SOUND.replace("Athens", "Athen"), r":3: unknown time zone 'Europe/Athen' — did you mean 'Europe/Athens'"),
        (SOUND.replace("latin-1", "iso-8859-77"), ":2: unknown encoding 'iso-8859-77' — did you mean 'iso-8859-7'"),
        (SOUND.replace("','", "';'"), ":4: 'decimal' cannot be ';'"),
        (SOUND.replace("authority: X, ", ""), "'patient_identifier.authority' is missing"),
        (SOUND + "code: {}\n", ":6: unknown key 'code' — did you mean 'codes'"),
        (SOUND + "codes:\n  PLT: platlets\n", ":7: unknown concept 'platlets' — did you mean 'platelets'"),
        (SOUND + "codes:\n  PLT: {concept: platelets, unit: mg/dL}\n", "no conversion from 'mg/dL'"),
        (
            SOUND + "codes:\n  PLT: {concept: platelets, specimen: blod}\n",
            "unknown specimen 'blod' — did you mean 'blood'",
        ),
        (SOUND + "codes:\n  PLT: [platelets]\n", "must be text"),
        (SOUND + "units: {KU: 10*3/ul}\n", r"unknown unit '10\*3/ul'"),
        (SOUND + "specimens: {blod: [B]}\n", "unknown key 'blod'"),
        (
            SOUND + "answers: {sars-cov2: {detected: [P]}}\n",
            ":6: unknown concept 'sars-cov2' — did you mean 'sars-cov-2'",
        ),
        (SOUND + "answers:\n  platelets: {low: [L]}\n", ":7: 'platelets' is a number, not an answer"),
        (
            SOUND + "answers:\n  sars-cov-2:\n    detekted: [P]\n",
            ":8: unknown key 'detekted' — did you mean 'detected'",
        ),
        (
            SOUND + "answers: {hiv-test: {positive: [P], negative: [p]}}\n",
            "'p' stands under two answers",
        ),
        (SOUND + "answers: {hiv-test: [P]}\n", "'answers.hiv-test' must be a mapping"),
        (SOUND + "answers: {hiv-test: {positive: true}}\n", "must be a list of texts"),
        (SOUND + "effective: [OBR-8]\n", "unknown field 'OBR-8'"),
        (SOUND + "holds: {rate: soon}\n", "must be a duration"),
        (SOUND + "norepinephrine_basis: salt\n", "cannot be 'salt'"),
        (
            SOUND + "conventions: [hfnc]\n",
            "unknown convention 'hfnc' — known: converted-units, hfnc-is-support, printed-units, rrt-scores-4",
        ),
        (SOUND + "conventions: [printed-units, converted-units]\n", "exclude each other: choose one column"),
        (SOUND + "opt_out: {field: PD1.12, values: [Y]}\n", "is no field"),
        (SOUND + "test_patients: [true]\n", "must be a list of texts"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        site(tmp_path, text)


def test_a_hospitals_own_words_for_an_answer_go_before_ours(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        SOUND + "answers:\n  sars-cov-2: {detected: [ΘΕΤΙΚΟ, positief], inconclusive: [positive]}\n"
        "  culture-organism: {escherichia coli: [ECOL]}\n",
    )
    reader = ValueReader(found, dictionary())
    covid, organism = (dictionary().concepts[name] for name in ("sars-cov-2", "culture-organism"))

    def answer(concept: Concept, *parts: str) -> str | None:
        value = reader.read(concept, Written("CWE", parts, ()))
        assert isinstance(value, Value)
        return value.code

    for word in ("ΘΕΤΙΚΟ", "θετικο", "Θετικό", "POSITIEF", "Positiéf"):
        assert answer(covid, "7", word) == "detected"
    assert answer(covid, "positive") == "inconclusive"
    assert answer(covid, "neg") == "not-detected"
    assert answer(organism, "ECOL", "E. coli") == "escherichia coli"
    assert answer(organism, "STAU", "S. Aureus") == "staphylococcus aureus"
    assert answer(organism, "STPS", "S. Pseudintermedius") == "s. pseudintermedius"
    assert isinstance(reader.read(covid, Written("ST", ("zzz",), ())), Refused)


EXAMPLES = [assets.root() / "mappings" / "sites" / f"{name}.yaml" for name in ("us-example", "nl-example", "attikon")]


def test_the_example_sites_show_every_key_between_them() -> None:
    shown = {key for path in EXAMPLES for key in assets.load_document(path).data}
    assert shown == KEYS - {"timezone_flagged"}  # the built-in site alone has no zone of its own
    entries = [entry for path in EXAMPLES for entry in assets.load_document(path).data["codes"].values()]
    assert {key for entry in entries if isinstance(entry, dict) for key in entry} == set(ENTRY_KEYS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_site_comments_every_key(path: Path) -> None:
    blocks = re.split(r"^(?=[a-z_]+:)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [block.split(":")[0] for block in blocks if "#" not in block and not block.startswith("site:")] == []


def test_a_site_chooses_its_conventions_by_name(tmp_path: Path) -> None:
    chosen = site(tmp_path, SOUND + "conventions: [hfnc-is-support, rrt-scores-4]\n")
    assert chosen.conventions == {"hfnc-is-support", "rrt-scores-4"}
    assert site(tmp_path, SOUND).conventions == frozenset()


def test_a_fhir_system_may_mean_the_authority_of_hl7(tmp_path: Path) -> None:
    one = site(tmp_path, SOUND.replace("type: MR}", "type: MR, systems: ['urn:oid:1.2', 'http://x/mrn']}"))
    said = {"identifier": [{"system": "http://x/mrn", "value": "7"}, {"system": "urn:oid:9", "value": "8"}]}
    assert [(number.authority, number.value) for number in stated(said, one)] == [("X", "7"), ("9", "8")]
