"""The corridor: the only code that joins store and core."""
