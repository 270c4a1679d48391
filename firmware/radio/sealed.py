"""Encryption of BTHome with this board's key, address and counter."""

import binascii

import bluetooth
from cryptolib import aes
from radio.bthome import encrypted
from radio.ccm import seal
from radio.counter import Counter

_ECB = 1


def sealer(key):
    """For Beacon: makes an AD element of BTHome objects. key: 32 hexadecimal digits.

    Raises ValueError, OSError.
    """
    try:
        key = binascii.unhexlify(key)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise ValueError("bthome_key must be 32 hexadecimal digits")
    block = aes(key, _ECB).encrypt
    counter = Counter()
    ble = bluetooth.BLE()
    ble.active(True)  # before that it has no address
    address = bytes(ble.config("mac")[1])
    return lambda data: encrypted(
        data, address, counter.next(), lambda nonce, plain: seal(block, nonce, plain)
    )
