"""A number for each boot, so that an event is known by (boot, seq)."""

import os
import random

_PATH = "boot.txt"


def next_boot(path=_PATH):
    """Count one boot in the file and return count * 65536 + 16 random bits.

    So numbers grow, and stay apart even when the file is lost or cannot be written.
    """
    count = 0
    try:
        with open(path) as file:
            count = int(file.read(12))
    except (OSError, ValueError):
        pass  # the first boot, or a file that lost its content
    count = (count + 1) % 0x7FFFFFFF
    try:
        with open(path + ".new", "w") as file:
            file.write(str(count))
        os.rename(path + ".new", path)
    except OSError:
        pass  # a full or broken flash must not keep gestures from being told
    return count * 65536 + random.getrandbits(16)
