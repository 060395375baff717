"""The tool on four real receivers: ours owes nothing, and of two others it says exactly what their tables say."""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from adapter.conformance.cases import CASES
from adapter.conformance.model import Finding, Verdict
from tests.conformance.receivers import certain, failures, hapi, ours, python_hl7
from tests.conformance.tables import COLLECTED, HAPI, PYTHON_HL7, RACES

Receiver = Callable[[], AbstractContextManager[int]]


def judged(port: int, known: Collection[str], profile: str = "generic", *, patience: float = 5.0) -> dict[str, Finding]:
    """Every other case beside the others, which is half the time."""
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(
            lambda cases: certain(port, known, profile, patience=patience, cases=cases), (CASES[::2], CASES[1::2])
        )
        return {name: one for half in halves for name, one in half.items()}


class Running:
    """A receiver tried in a thread of its own, for it mostly waits."""

    def __init__(self, receiver: Receiver, judge: Callable[[int], dict[str, Finding]]) -> None:
        self._receiver, self._judge = receiver, judge
        self._found: dict[str, Finding] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        try:
            with self._receiver() as port:
                self._found = self._judge(port)
        except BaseException as error:  # noqa: BLE001 — told where it is waited for
            self._error = error

    def findings(self) -> dict[str, Finding]:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Running]:
    """All at once, and HAPI beside them."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("generic", "strict")}
    return {
        "generic": Running(lambda: ours(folders["generic"], "generic"), lambda port: judged(port, ())),
        "strict": Running(lambda: ours(folders["strict"], "strict"), lambda port: judged(port, (), "strict")),
        "python-hl7": Running(python_hl7, lambda port: judged(port, cases_of(PYTHON_HL7), patience=0.5)),
    }


def cases_of(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """With the reason of each."""
    return {case: why for why, cases in table.items() for case in cases}


@pytest.mark.server
def test_hapi_fails_what_its_table_says(tmp_path: Path) -> None:
    with hapi(tmp_path) as port:
        found = judged(port, cases_of(HAPI), patience=1.2)
    same(found, HAPI, RACES)


@pytest.mark.parametrize("profile", ["generic", "strict"])
def test_our_daemon_owes_nothing(running: Mapping[str, Running], profile: str) -> None:
    found = running[profile].findings()
    assert {name: one.came for name, one in failures(found).items()} == {}
    unplayed = {name for name, one in found.items() if one.verdict is not Verdict.PASSED}
    refusals = {"R39", "R39-2.3"} if profile == "generic" else set()
    assert unplayed == {"M13", "M14-slow", "M19", "M23", "M24", "M25", "R16", *refusals}


def test_python_hl7_fails_what_its_table_says(running: Mapping[str, Running]) -> None:
    same(running["python-hl7"].findings(), PYTHON_HL7, COLLECTED)


def same(found: dict[str, Finding], table: Mapping[str, tuple[str, ...]], races: frozenset[str]) -> None:
    expected = cases_of(table)
    failed = {name: one.came for name, one in failures(found).items()}
    more = {case: came for case, came in failed.items() if case not in expected and case not in races}
    less = {case: why for case, why in expected.items() if case not in failed and case not in races}
    assert (more, less) == ({}, {})
    assert {name for name, one in found.items() if one.verdict is Verdict.PASSED} > {"R01", "R25", "H05"}
