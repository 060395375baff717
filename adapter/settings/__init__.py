"""adapter.toml and the environment, read once into frozen values and checked before anything starts."""

from adapter.settings.flat import CsvSink, FolderSink, RedcapSink
from adapter.settings.folder import FolderSource
from adapter.settings.kept import BackupSection
from adapter.settings.listening import MllpSource, Tls
from adapter.settings.polled import FhirSource
from adapter.settings.reading import load_settings
from adapter.settings.sections import (
    FhirSink,
    Settings,
)
from adapter.settings.telling import (
    AlertsSection,
    AppriseNotifier,
    CanarySection,
    EmailNotifier,
    HeartbeatSection,
    WebhookNotifier,
)
from adapter.settings.values import Listen, Secret

__all__ = [
    "AlertsSection",
    "AppriseNotifier",
    "BackupSection",
    "CanarySection",
    "CsvSink",
    "EmailNotifier",
    "FhirSink",
    "FhirSource",
    "FolderSink",
    "FolderSource",
    "HeartbeatSection",
    "Listen",
    "MllpSource",
    "RedcapSink",
    "Secret",
    "Settings",
    "Tls",
    "WebhookNotifier",
    "load_settings",
]
