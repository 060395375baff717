"""Where bundles go."""
