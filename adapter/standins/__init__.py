"""Small stand-ins for what a demo lacks: an EDC and a mail box."""
