"""AES-CCM as BTHome uses it: RFC 3610 with a nonce of 13 bytes and a check of 4. Pure.

MicroPython's cryptolib has the block cipher alone, so the mode is built here.
"""

from micropython import const

_BLOCK = const(16)
_CHECK = const(4)


def seal(block, nonce, data):
    """(data encrypted, check of 4 bytes).

    block: encrypts 16 bytes with the key. nonce: 13 bytes, never twice with one key. data:
    bytes, at most 65535.
    """
    # RFC 3610, 2.2: one byte of flags (M' = 1, L' = 1), the nonce, the length.
    mac = block(bytes((0x09,)) + nonce + bytes((len(data) >> 8, len(data) & 0xFF)))
    for at in range(0, len(data), _BLOCK):
        piece = data[at : at + _BLOCK]
        piece += bytes(_BLOCK - len(piece))
        mac = block(_xor(mac, piece))
    sealed = b""
    for at in range(0, len(data), _BLOCK):
        number = at // _BLOCK + 1
        key = block(bytes((0x01,)) + nonce + bytes((number >> 8, number & 0xFF)))
        sealed += _xor(data[at : at + _BLOCK], key)
    return sealed, _xor(mac[:_CHECK], block(bytes((0x01,)) + nonce + b"\x00\x00"))


def _xor(a, b):
    """As long as a, which is not longer than b."""
    return bytes(a[i] ^ b[i] for i in range(len(a)))
