"""Names to IPv4 addresses, without holding the event loop as getaddrinfo does.

For names in `.local` the devices on the local network are asked, RFC 6762; they
answer straight to an asker that does not use their port (6.7, legacy unicast).
"""

import errno
import random
import socket

from micropython import const

from link.dns_packet import answer, is_number, query
from link.udp import ask

_PORT = const(53)
_MDNS_PORT = const(5353)
_MDNS_HOST = "224.0.0.251"
_TRY_MS = const(1000)
_TRIES = const(2)


class Resolver:
    """name_server: returns the name server's IP address as text.

    own: an address or address:port to ask instead.
    """

    def __init__(self, name_server, own=""):
        own, _, port = own.partition(":")
        self._name_server = (lambda: own) if own else name_server
        self._port = int(port or _PORT)
        self._known = {}  # name -> address, of the last answer
        self._failures = 0

    async def resolve(self, host, port, again=False):
        """The address of host for connect(). See address()."""
        return socket.getaddrinfo(await self.address(host, again), port)[0][-1]

    async def address(self, host, again=False):
        """The IP address of host as text.

        An answer is kept and used until `again` says that it did not help; should
        the name server not answer then, the old one still serves. Raises OSError.
        """
        known = self._known.get(host)
        if host == "localhost":
            known = "127.0.0.1"
        elif is_number(host):
            known = host
        elif again or not known:
            try:
                known = self._known[host] = await self._look_up(host)
            except OSError:
                self._failures += 1
                if not known:
                    raise
        return known

    async def _look_up(self, host):
        if host.endswith(".local"):
            server, port = _MDNS_HOST, _MDNS_PORT
        else:
            server, port = self._name_server(), self._port
        for left in range(_TRIES - 1, -1, -1):
            number = random.getrandbits(16)
            try:
                found = await ask(server, port, query(host, number), answer, number, _TRY_MS)
            except OSError:
                if not left:
                    raise
                continue
            if found:
                return found
            raise OSError(errno.ENOENT)

    def counters(self, into):
        into["dns_failures"] = self._failures
