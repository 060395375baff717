"""The profiles an EDC builds by (profiles/immunosep/fhir): made of FSH, and true of what the adapter sends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import fetched
from tests.assessments import assessment
from tests.profiles import sent
from tests.profiles.faults import FAULTS, Fault
from tests.profiles.sushi import GENERATED, generate, texts
from tests.profiles.validators import BUNDLE, Hl7, Issue, grave, medplum_errors

Json = dict[str, Any]

SUSHI, JAVA = ("node", "npm"), ("java", "javac", "mvn")
INSTALL = "needs Node 18 or later with npm, Java 17 and Maven: apt-get install nodejs npm default-jdk-headless maven"

KNOWN = {
    "dom-6": "no text for people: nothing that nobody wrote as a code leaves the hospital",
    "observations should have a performer": "who measured stays in the hospital",
    "human readable annotations": "{score} and {AB}/{cell} are what LOINC and the assay count",
    "value set 'IdentifierType'": "ANON is the code of v2-0203 for a pseudonym, younger than the list of R4",
    "unknown and can't be validated: http://loinc.org": "LOINC's licence: it is not at hand here",
    "unknown and can't be validated: https://immunosep-adapter.invalid/fhir/sid/resource": "a tag in the place of an identifier",
    "value set 'V3 Value SetPurposeOfUse'": "why a screening ended is no purpose of use",
    "Unknown code in fragment CodeSystem": "further reasons come with further criteria",
}
"""What the validator would rather have, and why it is not so."""

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    if reason := fetched.absent((*SUSHI, *JAVA), INSTALL):
        pytest.skip(reason)
    return generate(tmp_path_factory.mktemp("sushi"))


@pytest.fixture(scope="module")
def hl7(made: dict[str, Json]) -> Iterator[Hl7]:
    validator = Hl7(GENERATED)
    yield validator
    validator.close()


@pytest.fixture(scope="module")
def examples(made: dict[str, Json]) -> dict[str, Json]:
    found = {name: one for name, one in made.items() if "-Example" in name}
    assert len(found) >= 10
    return found


def test_what_is_committed_is_made_of_the_fsh(made: dict[str, Json]) -> None:
    committed = {path.name: path.read_text() for path in GENERATED.iterdir()}
    assert texts(made) == committed, "`make profiles`, then read the diff"


def test_hl7_finds_no_error_in_any_definition_and_any_example(hl7: Hl7) -> None:
    wrong = {path.name: hl7.errors(json.loads(path.read_text())) for path in sorted(GENERATED.iterdir())}
    assert not {name: errors for name, errors in wrong.items() if errors}


@pytest.fixture(scope="module")
def judged(hl7: Hl7) -> dict[str, list[Issue]]:
    return {name: hl7.issues(bundle, BUNDLE) for name, bundle in sent.bundles().items()}


def test_hl7_finds_no_error_in_any_bundle(judged: dict[str, list[Issue]]) -> None:
    assert len(judged) > 30
    assert not {name: grave(issues) for name, issues in judged.items() if grave(issues)}


def test_hl7_warns_of_nothing_but_what_we_know(judged: dict[str, list[Issue]]) -> None:
    said = {what for issues in judged.values() for _, _, what in issues}
    assert not [what for what in said if not any(part in what for part in KNOWN)]
    assert not [part for part in KNOWN if not any(part in what for what in said)]


def planted(fault: Fault) -> Json:
    bundle = sent.followed() if fault.followed else sent.bundle(assessment())
    fault.plant(bundle)
    return bundle


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_hl7_finds_the_fault(fault: Fault, hl7: Hl7) -> None:
    assert hl7.errors(planted(fault), BUNDLE)


def test_medplum_finds_no_error_in_any_example_and_any_bundle_and_most_faults(
    made: dict[str, Json], examples: dict[str, Json]
) -> None:
    good = examples | sent.bundles()
    errors = medplum_errors(made.values(), [*good.values(), *map(planted, FAULTS)])
    assert not {name: wrong for name, wrong in zip(good, errors, strict=False) if wrong}
    blind = {fault.name for fault, wrong in zip(FAULTS, errors[len(good) :], strict=True) if not wrong}
    assert blind == {fault.name for fault in FAULTS if fault.hl7_only}
