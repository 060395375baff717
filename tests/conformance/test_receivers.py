"""The tool on four real receivers: ours owes nothing, and of two others it says exactly what their tables say."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from adapter.conformance.model import Verdict
from adapter.conformance.run import Report
from adapter.conformance.telling import conclusion
from tests.conformance.receivers import failed, hapi, ours, played, python_hl7
from tests.conformance.tables import HAPI, PYTHON_HL7, RACES

Receiver = Callable[[], AbstractContextManager[int]]


class Running:
    """A run in a thread of its own: it mostly waits."""

    def __init__(self, receiver: Receiver, profile: str, patience: float) -> None:
        self._found: list[Report] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(receiver, profile, patience))
        self._thread.start()

    def _work(self, receiver: Receiver, profile: str, patience: float) -> None:
        try:
            with receiver() as port:
                self._found.append(played(port, profile, patience=patience))
        except BaseException as error:  # noqa: BLE001 — told where it is waited for
            self._error = error

    def report(self) -> Report:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Running]:
    """All at once, and HAPI beside them."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("generic", "strict")}
    return {
        "generic": Running(lambda: ours(folders["generic"], "generic"), "generic", 5.0),
        "strict": Running(lambda: ours(folders["strict"], "strict"), "strict", 5.0),
        "python-hl7": Running(python_hl7, "generic", 0.5),
    }


@pytest.mark.server
def test_hapi_fails_what_its_table_says(tmp_path: Path) -> None:
    with hapi(tmp_path) as port:
        report = played(port, patience=1.2)
    same(report, HAPI, RACES)


@pytest.mark.parametrize("profile", ["generic", "strict"])
def test_our_daemon_owes_nothing(running: Mapping[str, Running], profile: str) -> None:
    report = running[profile].report()
    assert {name: one.came for name, one in failed(report).items()} == {}
    assert report.conforms
    assert conclusion(report) == f"The receiver conforms to the profile {profile}."
    unplayed = {one.case.id for one in report.findings if one.verdict is not Verdict.PASSED}
    refusals = {"R39", "R39-2.3"} if profile == "generic" else set()
    assert unplayed == {"M13", "M14-slow", "M19", "M23", "M24", "M25", "R16", *refusals}


def test_python_hl7_fails_what_its_table_says(running: Mapping[str, Running]) -> None:
    same(running["python-hl7"].report(), PYTHON_HL7, frozenset())


def same(report: Report, table: Mapping[str, tuple[str, ...]], races: frozenset[str]) -> None:
    expected = {case for cases in table.values() for case in cases}
    found = set(failed(report))
    assert found - races == expected - races, {name: failed(report)[name].came for name in found - expected}
    assert not report.conforms
    assert report.count(Verdict.PASSED) > len(expected)
