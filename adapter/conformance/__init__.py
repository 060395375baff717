"""What an integration engine may expect of any MLLP receiver, as cases that are played on the wire and judged."""
