"""Children that coverage does not follow: its tracing makes them ten times slower, larger, and loads what they did not ask for."""

import os


def environment() -> dict[str, str]:
    """This process's environment without what tells a child to measure itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
