"""What runs here, as a metric of labels: versions, and digests of configuration and rules."""

import platform
import sqlite3
from collections.abc import Iterator

from prometheus_client.core import Metric

from adapter import __version__
from adapter.daemon.recording import configuration
from adapter.screening.rulebook import Rulebook
from adapter.settings import Settings
from adapter.telemetry import gauges


def built(settings: Settings, rules: Rulebook) -> Iterator[Metric]:
    said = {
        "version": __version__,
        "rule_version": rules.digest,
        "config_hash": configuration(settings),
        "sqlite_version": sqlite3.sqlite_version,
        "python_version": platform.python_version(),
        "environment": settings.adapter.environment,
    }
    yield gauges("build_info", "What runs: always 1", tuple(said), {tuple(said.values()): 1.0})
