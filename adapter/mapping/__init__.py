"""From a hospital's words to ours."""
