"""A number for each boot, so that an event is known by (boot, seq)."""

import random

from ops.files import write_atomically

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
        write_atomically(path, str(count))
    except OSError:
        pass  # a full or broken flash must not keep gestures from being reported
    return count * 65536 + random.getrandbits(16)
