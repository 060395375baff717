"""The coordinators' worklist."""
