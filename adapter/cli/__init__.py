"""`adapter …`: every command, its help and its exit code."""

from adapter.cli.entry import main

__all__ = ["main"]
