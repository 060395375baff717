"""Who is told; a link, never a patient."""
