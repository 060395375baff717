"""Where the style sheet and the icon lie."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
