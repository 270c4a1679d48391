"""Stand-in for `socket` where the host maps ports: the board's port 80 is another one here.

The file `ports` beside the stand-ins holds a line for each: the board's port, and this
computer's, on 127.0.0.1.
"""

import sys

from socket import *  # noqa: F403

_map = {}


def start(real):
    """real: the interpreter's own module."""
    global _getaddrinfo
    _getaddrinfo = real.getaddrinfo
    with open(sys.argv[1] + "/ports") as file:
        for line in file:
            board, own = line.split()
            _map[int(board)] = int(own)


def getaddrinfo(host, port, *more):
    if port in _map:
        host, port = "127.0.0.1", _map[port]
    return _getaddrinfo(host, port, *more)
