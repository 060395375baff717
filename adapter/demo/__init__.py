"""`adapter demo`: the daemon, a synthetic ward that feeds it, a stand-in EDC and a mail catcher, in one process."""
