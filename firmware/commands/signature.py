"""Signed commands: who knows the update key may do what a mere publisher may not.

    {"hmac": "hexadecimal"}, the HMAC-SHA256 with the update key of secrets.json over
    "beckon-VERB-1 DEVICE NONCE PAYLOAD"

The command `nonce` returns the nonce. It serves one command and for a short time. So what was
recorded on the way works neither on another device, nor for another command, nor again.
"""

import binascii
import os

from commands.hmac_sha256 import equal, hmac_sha256
from micropython import const

from ops.uptime import uptime_ms

_NONCE_BYTES = const(16)
_LIFE_MS = const(120_000)


class Signature:
    """device: its name. key: text, empty: nothing can be signed."""

    def __init__(self, device, key):
        self._device = device
        self._key = key.encode()
        self._nonce = ""
        self._since = 0

    def nonce(self):
        """The nonce for the next signed command. Raises ValueError without a key.

        Who else asks gets the same one, so that nobody can make it worthless.
        """
        if not self._key:
            raise ValueError("no update_key in secrets.json; without one nothing can be signed")
        if not self._nonce or uptime_ms() - self._since > _LIFE_MS:
            self._nonce = str(binascii.hexlify(os.urandom(_NONCE_BYTES)), "utf-8")
            self._since = uptime_ms()
        return self._nonce

    def check(self, verb, payload, hmac):
        """Spend the nonce. Raises ValueError if hmac is not that of this command."""
        nonce = self.nonce()
        try:
            given = binascii.unhexlify(hmac)
        except (TypeError, ValueError):
            raise ValueError("hmac must be hexadecimal")
        text = signed_text(verb, self._device, nonce, payload)
        if not equal(given, hmac_sha256(self._key, text)):
            raise ValueError("the HMAC is wrong; is it the same update_key on both sides?")
        self._nonce = ""


def signed_text(verb, device, nonce, payload):
    """What the HMAC is over, as bytes."""
    return ("beckon-%s-1 %s %s %s" % (verb, device, nonce, payload)).encode()
