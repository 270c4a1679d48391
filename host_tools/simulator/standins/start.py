"""Starts power_on.py, which may lie beside it as byte-code.

    micropython start.py STANDINS SETTINGS [PROGRAM ...]

SETTINGS: request pipe, response pipe, speed in thousandths, reset cause and bytes
of heap, a line each.
"""

import sys

sys.path[:] = [sys.argv[1], ".frozen"]
import power_on  # noqa: E402, F401
