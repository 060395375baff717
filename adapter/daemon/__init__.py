"""The composition root: settings → objects → one TaskGroup; what is started first is stopped last."""
