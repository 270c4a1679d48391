"""Encryption of BTHome with this board's key, address and counter."""

import bluetooth
from cryptolib import aes
from radio.bthome import encrypted
from radio.ccm import seal
from radio.counter import Counter

_ECB = 1


def sealer(key):
    """For Beacon: makes an AD element of BTHome objects. key: 16 bytes. Raises OSError."""
    block = aes(key, _ECB).encrypt
    counter = Counter()
    ble = bluetooth.BLE()
    ble.active(True)  # before that it has no address
    address = bytes(ble.config("mac")[1])
    return lambda data: encrypted(
        data, address, counter.next(), lambda nonce, plain: seal(block, nonce, plain)
    )
