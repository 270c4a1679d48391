"""MicroPython side: what the objects of each role of the radio take of the heap, queues full.

Prints a line each: the role and its bytes. The modules are loaded before, heap.py counts them.
"""

import gc
import sys


class Radio:
    """Stands for bluetooth.BLE, espnow.ESPNow and network.WLAN."""

    IF_STA = 0

    def __init__(self, *args):
        pass

    def gatts_register_services(self, services):
        sizes = [sum(1 + len(c) // 3 for c in characteristics) for _, characteristics in services]
        return [tuple(range(n)) for n in (sizes if len(services) != 3 else (1, 1, 7))]

    def _any(self, *args, **options):
        return None

    active = config = irq = gatts_write = gatts_notify = set_pmk = add_peer = _any
    gap_advertise = _any


class UUID:
    def __init__(self, value):
        self.value = value


class Module:
    pass


for name, attributes in (
    ("bluetooth", {"BLE": Radio, "UUID": UUID}),
    ("espnow", {"ESPNow": Radio}),
    ("network", {"WLAN": Radio}),
    ("cryptolib", {"aes": Radio}),
):
    module = Module()
    for key in attributes:
        setattr(module, key, attributes[key])
    sys.modules[name] = module

from events.event import Event  # noqa: E402
from options import tables  # noqa: E402, F401
from radio import alone, beacon, bonds, gatt, hid, now_gateway, now_sender, stack  # noqa: E402

LABELS = ["circle", "x", "y"]
SECRET = bytes(16)


def event():
    made = Event()
    made.label = "circle"
    return made


def ble(roles):
    made = stack.Stack(
        "desk",
        beacon.Beacon("", LABELS) if "bthome" in roles else None,
        gatt.Gatt((("device", "desk"), ("labels", LABELS))) if "gatt" in roles else None,
        hid.Hid("circle=right, x=ctrl+z, y=volumeup") if "hid" in roles else None,
        bonds.Bonds() if "hid" in roles else None,
    )
    made.start()
    for part in made.parts():
        if hasattr(part, "encrypted"):
            part.encrypted(1)
        for i in range(8):
            part.post(LABELS[i % 3], 90, i)
    return made


def sender(roles):
    made = now_sender.Sender("wrist", bytes(6), SECRET, event)
    made.start()
    for i in range(8):
        made.post("circle", 90, i)
    return made


def gateway(roles):
    peers = [bytes((2, 0, 0, 0, 0, i)) for i in range(6)]
    made = now_gateway.Gateway("desk", peers, SECRET, None, Radio(), None)
    made.start()
    for peer in made._peers.values():
        peer.session = bytes(SECRET)
        peer.offered = bytes(SECRET)
    made._queue = [("wrist", event()) for _ in range(8)]
    return made


def by_itself(roles):
    return alone.NoLink(), alone.Alone(1, None, [], ""), event()


def used():
    for _ in range(3):
        gc.collect()
    return gc.mem_alloc()


def main():
    for name, make in (
        ("bthome", ble), ("gatt", ble), ("hid", ble), ("bthome gatt hid", ble),
        ("espnow", sender), ("gateway", gateway), ("alone", by_itself),
    ):  # fmt: skip
        make(name)  # so that what is made once is there
        before = used()
        made = make(name)
        print(name.replace(" ", "+"), used() - before)
        del made


main()
