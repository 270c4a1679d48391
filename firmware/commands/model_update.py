"""A new model over MQTT: the command `model`, in steps.

    {"step": "begin", "size": 4908, "crc32": 123}   -> {"nonce": "..", "offset": 0}
    {"step": "chunk", "offset": 0, "crc32": 5, "data": "base64"} -> {"offset": 768}
    {"step": "commit", "hmac": "hexadecimal"}       -> {"model": "id"}, then a restart
    {"step": "abort"}

The HMAC-SHA256 is over "beckon-model-1 DEVICE NONCE SIZE SHA256", with the update
key of secrets.json. So nobody without the key can change a model, and what was
recorded on the way works neither on another device nor another time. Nothing that
is in use is touched before all is checked; then the model goes on trial.
"""

import binascii
import gc
import hashlib
import os

from micropython import const

from commands.hmac_sha256 import equal, hmac_sha256
from ops.files import remove

_MOST_BYTES = const(20_000)
_NONCE_BYTES = const(16)


class ModelUpdate:
    """device: its name. key: text, empty: no updates. rollback: of the model's path.

    load: loads a model file and raises ValueError for what is none.
    restart: awaited after the answer to a good commit.
    """

    def __init__(self, device, key, rollback, load, restart):
        self._device = device
        self._key = key.encode()
        self._rollback = rollback
        self._new = rollback.path + ".new"
        self._load = load
        self._restart = restart
        self._size = 0
        self._crc = 0
        self._offset = 0
        self._nonce = ""

    async def command(self, arguments):
        """Carry out one step. Raises ValueError with the reason of a refusal."""
        if not self._key:
            raise ValueError("no update_key in secrets.json; without one no model is taken")
        step = arguments.get("step")
        if step == "begin":
            return self._begin(number(arguments, "size"), number(arguments, "crc32"))
        if step == "chunk":
            return self._chunk(arguments)
        if step == "commit":
            return self._commit(arguments.get("hmac"))
        if step == "abort":
            self._forget()
            return None
        raise ValueError("step must be begin, chunk, commit or abort")

    def _begin(self, size, crc):
        if not 0 < size <= _MOST_BYTES:
            raise ValueError("size must be 1 to %d bytes" % _MOST_BYTES)
        if not (self._nonce and (size, crc) == (self._size, self._crc)):  # else go on with it
            self._forget()
            with open(self._new, "wb"):
                pass
            self._size, self._crc = size, crc
        self._nonce = str(binascii.hexlify(os.urandom(_NONCE_BYTES)), "utf-8")
        return {"nonce": self._nonce, "offset": self._offset}

    def _chunk(self, arguments):
        if not self._nonce:
            raise ValueError("begin first")
        offset = number(arguments, "offset")
        if offset != self._offset:
            raise ValueError("the next chunk begins at %d, not %d" % (self._offset, offset))
        data = arguments.get("data")
        try:
            data = binascii.a2b_base64(data)
        except (TypeError, ValueError):
            raise ValueError("data must be base64")
        if not data or offset + len(data) > self._size:
            raise ValueError("a chunk of %d bytes at %d of %d" % (len(data), offset, self._size))
        if binascii.crc32(data) != number(arguments, "crc32"):
            raise ValueError("this chunk's CRC-32 is wrong; send it again")
        with open(self._new, "ab") as file:
            file.write(data)
        self._offset += len(data)
        return {"offset": self._offset}

    def _commit(self, hmac):
        if not self._nonce or self._offset != self._size:
            raise ValueError("%d of %d bytes are here" % (self._offset, self._size))
        try:
            given = binascii.unhexlify(hmac)
        except (TypeError, ValueError):
            raise ValueError("hmac must be hexadecimal")
        nonce, self._nonce = self._nonce, ""  # serves once, whatever comes of it
        try:
            crc, digest = self._digest()
            if crc != self._crc:
                raise ValueError("the whole file's CRC-32 is wrong")
            digest = str(binascii.hexlify(digest), "utf-8")
            signed = signed_text(self._device, nonce, self._size, digest)
            if not equal(given, hmac_sha256(self._key, signed)):
                raise ValueError("the HMAC is wrong; is it the same update_key on both sides?")
            model_id = self._checked()
            self._rollback.replace(self._new)
        finally:
            self._forget()
        return {"model": model_id, "after": self._restart}

    def _checked(self):
        """The new model's id. Raises ValueError if it does not load, or calculates wrong.

        Where there is no room for a second model beside the one in use, the next boot
        checks it, and takes the old one back if it is not good.
        """
        gc.collect()
        try:
            return self._load(self._new).model_id  # which runs its golden window
        except MemoryError:
            return None

    def _digest(self):
        """(CRC-32, SHA-256) of the new file."""
        crc = 0
        sha = hashlib.sha256()
        buf = bytearray(256)
        view = memoryview(buf)
        with open(self._new, "rb") as file:
            while True:
                n = file.readinto(buf)
                if not n:
                    return crc, sha.digest()
                crc = binascii.crc32(view[:n], crc)
                sha.update(view[:n])

    def _forget(self):
        self._size = self._crc = self._offset = 0
        self._nonce = ""
        remove(self._new)  # unless there was none, or it has taken its place


def signed_text(device, nonce, size, sha256):
    """What the HMAC is over, as bytes; sha256 in hexadecimal digits."""
    return ("beckon-model-1 %s %s %d %s" % (device, nonce, size, sha256)).encode()


def number(arguments, name):
    """A whole number out of a command. Raises ValueError."""
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("%s must be a whole number" % name)
    return value
