"""Whether this computer reaches what the board is to reach: a Wi-Fi in range, a broker."""

import shutil
import socket
import subprocess

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress, is_only_here
from host_tools.mqtt.connection import Connection

_TIMEOUT_S = 5.0
_2_4_GHZ_MHZ = range(2400, 2500)
_NMCLI = ["nmcli", "-t", "-e", "no", "-f", "FREQ,SSID", "device", "wifi", "list"]


def check_broker(broker: BrokerAddress) -> None:
    """Connect and log in, with TLS if broker has it. Raises BeckonError that says why that fails.

    Nothing is sent before TLS has proved the broker.
    """
    with Connection(broker, "setup", timeout_s=_TIMEOUT_S):
        pass


def own_address() -> str:
    """This computer's address on the local network, or "" if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1; nothing is sent
            address = str(probe.getsockname()[0])
        except OSError:
            return ""
    return "" if is_only_here(address) else address


def check_wifi(ssid: str) -> bool:
    """Look for ssid with this computer's Wi-Fi. True: in range at 2.4 GHz; False: this
    computer cannot tell, also because a network here hides its name. Raises BeckonError if it
    sees others but not this one.
    """
    if not shutil.which("nmcli"):
        return False
    try:
        done = subprocess.run(_NMCLI, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return False
    seen = []
    for line in done.stdout.splitlines():
        frequency, _, name = line.partition(":")
        mhz = frequency.split(" ")[0]
        if mhz.isdigit():
            seen.append((name, int(mhz)))
    if done.returncode or not seen:
        return False
    mine = [mhz for name, mhz in seen if name == ssid]
    if not mine and any(name in ("", "--") for name, _ in seen):
        return False
    if not mine:
        raise BeckonError(f"no network is called {ssid!r} here")
    if not any(mhz in _2_4_GHZ_MHZ for mhz in mine):
        raise BeckonError(f"{ssid!r} is seen at 5 GHz only, and the board needs 2.4 GHz")
    return True
