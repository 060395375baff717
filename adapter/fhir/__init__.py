"""FHIR R4 as plain JSON, sans-IO."""
