"""The ImmunoSep screening adapter: HL7 v2 and FHIR in, trial candidates out."""

__version__ = "0.1.0"
