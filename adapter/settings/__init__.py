"""adapter.toml and the environment, read once into frozen values and checked before anything starts."""

from adapter.settings.flat import CsvSink, FolderSink, RedcapSink
from adapter.settings.kept import BackupSection
from adapter.settings.polled import FhirSource
from adapter.settings.reading import load_settings
from adapter.settings.sections import (
    FhirSink,
    MllpSource,
    Settings,
    Tls,
)
from adapter.settings.telling import AlertsSection, AppriseNotifier, EmailNotifier, WebhookNotifier
from adapter.settings.values import Listen, Secret

__all__ = [
    "AlertsSection",
    "AppriseNotifier",
    "BackupSection",
    "CsvSink",
    "EmailNotifier",
    "FhirSink",
    "FhirSource",
    "FolderSink",
    "Listen",
    "MllpSource",
    "RedcapSink",
    "Secret",
    "Settings",
    "Tls",
    "WebhookNotifier",
    "load_settings",
]
