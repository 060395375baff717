"""Disks of a test's own: a small one, one that is read-only; in a mount namespace that ends with the test."""

import os
import shutil

NO_MOUNT = "needs root, unshare and nsenter: apt-get install util-linux"


def usable_mount() -> bool:
    found = os.geteuid() == 0 and all(map(shutil.which, ("unshare", "nsenter")))
    assert found or "CI" not in os.environ, NO_MOUNT
    return found
