"""Who is told of a candidate, by which channel and when: pure."""
