"""What every test may ask for: the third-party data, and a reason when it is absent."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import nursery, stores, unmeasured
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


@pytest.fixture(scope="session", autouse=True)
def nurseries() -> Iterator[None]:
    yield
    nursery.end()


UNTRACED = (
    *("browser", "catalogue", "corpus", "crash", "fuzz", "hapi", "icu", "laws", "medplum", "oracles", "profiles"),
    *("conformance/test_cases.py", "conformance/test_player.py", "conformance/test_receivers.py"),
    "conformance/test_sabotage.py",
    *(
        "shell/test_after_randomisation.py",
        "shell/test_backlog.py",
        "shell/test_canary.py",
        "shell/test_connecting.py",
        "shell/test_daemon.py",
        "shell/test_fhir_files.py",
    ),
    *("shell/test_follow_up.py", "shell/test_memory.py", "shell/test_merges.py", "shell/test_metrics_page.py"),
    *("shell/test_moves.py", "shell/test_on_record.py", "shell/test_overlay.py", "shell/test_plans.py"),
    *("shell/test_polled_candidate.py", "shell/test_postgres_commands.py"),
    *("shell/test_process.py", "shell/test_quarantine.py", "shell/test_receiver.py", "shell/test_replay.py"),
    *("shell/test_rhythms.py", "shell/test_screen.py", "shell/test_shadow_daemon.py", "shell/test_snapshot.py"),
    *("shell/test_start_up.py", "shell/test_taken_back.py", "shell/test_two_trials.py", "shell/test_wheel.py"),
    *("unit/web/test_at_once.py", "unit/web/test_described_api.py", "unit/web/test_odd_requests.py"),
)
"""Suites that repeat what others reach: coverage does not follow them, which is a third of their time."""


AGAIN = ("unit/pipeline", "unit/web")
"""Where the run on PostgreSQL reaches what the one on SQLite reached; the store's own tests are in `unit/store`."""


@cache
def within(path: Path, suites: tuple[str, ...]) -> bool:
    """Asked for each test, of which there are many to a file."""
    return any(path.is_relative_to(ROOT / "tests" / name) for name in suites)


def on_postgresql(item: pytest.Item) -> bool:
    variant = getattr(item, "callspec", None)
    return variant is not None and variant.params.get("each_store") == "postgresql"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if within(item.path, UNTRACED) or (on_postgresql(item) and within(item.path, AGAIN)):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Nor the processes that such a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover"):
            for name in set(os.environ) - set(unmeasured.environment()):
                patch.delenv(name)
        return (yield)
