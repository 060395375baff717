"""The heart: one step from raw message to outcome, pure."""
