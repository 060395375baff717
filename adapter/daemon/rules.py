"""What is configured that every part and some commands need: the rulebook, and where the site's key lies."""

from adapter import assets
from adapter.domain.document import nearest
from adapter.errors import ConfigError
from adapter.screening.rulebook import Rulebook
from adapter.settings import Settings

SECRET = "site.key"  # noqa: S105 — a file name
"""Beside the database, not in it: back it up apart."""


def load_rules(settings: Settings) -> Rulebook:
    """Mappings and trials, and that every source's site exists. Raises ConfigError."""
    production = settings.adapter.environment == "production"
    rules = assets.load_rulebook(settings.adapter.assets, trials=settings.adapter.trials, production=production)
    for source in settings.source:
        if source.site not in rules.sites:
            raise ConfigError(f"source '{source.name}': no site '{source.site}'{nearest(source.site, rules.sites)}")
    return rules
