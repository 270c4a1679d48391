"""What several parts do with files, and the names of the files that several parts know."""

import os

CONFIG = "config.json"
CALIBRATION = "calibration.json"
CRASH = "crash.txt"
LEARNED = "learned"  # a folder
PORTAL = "portal.ask"  # is there if the access point is to open at the next start
SPOOL = "spool"  # a folder


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def remove(path):
    """Remove a file; True if it was there and could be removed."""
    try:
        os.remove(path)
        return True
    except OSError:
        return False


def write_atomically(path, text):
    """Write text beside path, then rename: the old content stays until the new one is whole.

    Raises OSError.
    """
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)
