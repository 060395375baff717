"""The ImmunoSep screening adapter: HL7 v2 and FHIR in, trial candidates out."""

__version__ = "0.1.0"

ENVIRONMENT_VARIABLE = "ADAPTER_CONFIG"
"""Names the configuration file where `--config` does not; stands here so that `--help` need not load the settings."""
