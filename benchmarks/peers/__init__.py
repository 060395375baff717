"""Other people's parsers and servers, measured in the same run; installed by `make bench`, needed by nothing else."""
