"""HMAC-SHA256, RFC 2104. Pure."""

import hashlib

from micropython import const

_BLOCK = const(64)


def hmac_sha256(key, message):
    """The 32 bytes for key and message, both bytes."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def equal(a, b):
    """Whether two byte strings are equal, in a time that tells nothing about where not."""
    difference = len(a) ^ len(b)
    for x, y in zip(a, b):
        difference |= x ^ y
    return difference == 0
