"""A trial against a patient."""
