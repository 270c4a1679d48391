"""Where a broker is: `mqtt://[user[:password]@]host[:port]`."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from host_tools.errors import BeckonError

DEFAULT_PORT = 1883


@dataclass(frozen=True)
class BrokerAddress:
    host: str
    port: int = DEFAULT_PORT
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        """As a URL, without the password: fit for a message."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt://{user}{host}:{self.port}"


def parse_broker(url: str) -> BrokerAddress:
    """The broker that url names; `host` or `host:port` alone is enough.

    Raises BeckonError that names the value and the form.
    """
    text = url if "://" in url else f"mqtt://{url}"
    try:
        parts = urlsplit(text)
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        parts, port = None, 0
    if parts is None or parts.scheme not in ("mqtt", "tcp") or not parts.hostname or not port:
        raise BeckonError(
            f"{url!r} is not a broker address; write mqtt://host:port, for instance "
            "mqtt://127.0.0.1:1883",
            status=2,
        )
    return BrokerAddress(
        parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or "")
    )
