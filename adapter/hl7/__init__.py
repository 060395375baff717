"""HL7 v2 syntax, sans-IO; could be lifted out as a library."""
