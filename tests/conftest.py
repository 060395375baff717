"""What every test may ask for: the third-party data, and a reason when it is absent."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import stores, unmeasured
from tests.postgres import Cluster, cluster

ROOT = Path(__file__).parents[1]

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def data_folder() -> Path:
    return Path(os.environ.get("ADAPTER_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"third-party data not found at {folder}; set ADAPTER_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One server for the session (of each xdist worker), started when the first test asks."""
    with cluster() as running:
        yield running


@pytest.fixture(params=stores.KINDS)
def each_store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs twice, once on each kind of store; what it opens through `tests.stores` is of that kind."""
    with stores.using(request.getfixturevalue("postgres") if request.param == "postgresql" else None):
        yield request.param


UNTRACED = (
    *("catalogue", "conformance", "corpus", "crash", "fuzz", "hapi", "icu", "laws", "medplum", "oracles"),
    *(
        f"shell/test_{name}.py"
        for name in (
            *(
                "after_randomisation",
                "connecting",
                "daemon",
                "fhir_files",
                "follow_up",
                "memory",
                "merges",
                "mllp_server",
            ),
            *(
                "moves",
                "overlay",
                "polled_candidate",
                "postgres_commands",
                "process",
                "quarantine",
                "receiver",
                "replay",
            ),
            *("rhythms", "screen", "snapshot", "start_up", "taken_back", "two_trials", "wheel"),
        )
    ),
)
"""Suites that repeat what others reach: coverage does not follow them, which is a third of their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(ROOT / "tests" / name) for name in UNTRACED):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Nor the processes that such a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover"):
            for name in set(os.environ) - set(unmeasured.environment()):
                patch.delenv(name)
        return (yield)
