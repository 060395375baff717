"""The closed lists of words an assessment and a trial page share."""

INDETERMINATE = "indeterminate"
"""A value that a stratum needs is missing."""
UNCLASSIFIED = "unclassified"
"""Every value is known and no stratum fits."""

STATUSES = (
    "screening",
    "eligible",
    "declined",
    "consent-asked",
    "consented",
    "not-eligible",
    "on-study",
    "withdrawn",
)
"""What a person may set for a candidate; the sink's status is made from it in one place (decisions E4)."""
