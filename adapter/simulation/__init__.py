"""A synthetic ward that speaks HL7 v2: the same start and seed give the same bytes; nobody in it ever lived."""
