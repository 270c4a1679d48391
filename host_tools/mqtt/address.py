"""Where a broker is: `mqtt://` or, with TLS, `mqtts://[user[:password]@]host[:port]`."""

import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from host_tools.errors import BeckonError

DEFAULT_PORT = 1883
TLS_PORT = 8883
_TLS = {"mqtt": False, "tcp": False, "mqtts": True, "ssl": True}


@dataclass(frozen=True)
class TlsFiles:
    """What TLS needs beside the address. None, "": not given.

    ca: file of the certificates that vouch for the broker; None takes this computer's own.
    cert, key: files by which this end proves itself. name: the broker's name in its certificate,
    if that is not its address. All files are PEM; ca can be DER.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    name: str = ""


@dataclass(frozen=True)
class BrokerAddress:
    """tls: None for plain TCP."""

    host: str
    port: int = DEFAULT_PORT
    user: str = ""
    password: str = ""
    tls: TlsFiles | None = None

    def __str__(self) -> str:
        """As a URL, without the password: fit for a message."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{user}{host}:{self.port}"

    def __repr__(self) -> str:
        return f"BrokerAddress({self}, {self.tls})"

    @property
    def exposed(self) -> bool:
        """Whether what goes there can be read on its way through the network."""
        return self.tls is None and not is_only_here(self.host)


def parse_broker(url: str) -> BrokerAddress:
    """The broker that url names; `host` or `host:port` alone is enough, and means plain TCP.

    Raises BeckonError that names the value and the form.
    """
    text = url if "://" in url else f"mqtt://{url}"
    try:
        parts = urlsplit(text)
        tls = _TLS[parts.scheme]
        port = parts.port if parts.port is not None else TLS_PORT if tls else DEFAULT_PORT
        if not parts.hostname or not port:
            raise ValueError
    except (ValueError, KeyError):
        raise BeckonError("{url!r} is not a broker address; write mqtt://host:port, or "
                          "mqtts://host:port for TLS, for instance mqtt://127.0.0.1:1883",
                          status=2, url=without_password(url)) from None
    return BrokerAddress(
        parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""),
        TlsFiles() if tls else None,
    )  # fmt: skip


def without_password(url: str) -> str:
    """url as it may be shown."""
    scheme, slashes, rest = url.rpartition("://")
    login, at, host = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}{slashes}{user}{':***' if colon else ''}{at}{host}"


def with_login(broker: BrokerAddress, user: str, password: str) -> BrokerAddress:
    """broker with user and password, unless it names a user already."""
    return broker if broker.user else replace(broker, user=user, password=password)


def is_only_here(host: str) -> bool:
    """Whether host means the computer itself, which no other one can reach."""
    if host.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
