"""Which of this computer's addresses a phone can reach."""

from __future__ import annotations

import ipaddress
import socket

from host_tools.errors import BeckonError


def local_address() -> str:
    """This computer's address in the local network. Raises BeckonError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks which address would be used
            address = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if ipaddress.ip_address(address).is_loopback:
        raise BeckonError("this computer is in no network: connect it to the phone's Wi-Fi, or "
                          "name its address with --phone-address")
    return check_address(address)


def check_address(address: str) -> str:
    """address, if it is an IPv4 address of a private network. Raises BeckonError."""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        raise BeckonError("{address!r} is not an IPv4 address such as 192.168.0.7", status=2,
                          address=address) from None
    if not found.is_private or found.is_unspecified:
        raise BeckonError("{address} is not an address of a private network, so the page would be "
                          "open to the Internet: name another with --phone-address", status=2,
                          address=address)
    return address
