"""A new model over MQTT: the command `model`, in steps.

    {"step": "begin", "size": 4908, "crc32": 123, "hmac": ".."} -> {"offset": 0}
    {"step": "chunk", "offset": 0, "crc32": 5, "data": "base64"} -> {"offset": 768}
    {"step": "commit", "hmac": ".."}                -> {"model": "id"}, then a restart

The HMAC (signature.py) of `begin` is over "begin SIZE CRC32", that of `commit` over
"commit SIZE SHA256". So nobody without the key can change a model, write to flash, or end
an update under way. Nothing that is in use is touched before all is checked; then the
model goes on trial.
"""

import binascii
import gc
import hashlib

from micropython import const
from ops.files import remove

_MOST_BYTES = const(32_000)  # with the examples that may follow a model


class ModelUpdate:
    """signature: Signature. rollback: of the model's path. needs: what works now, see Rollback.

    load: loads a model file and raises ValueError for what is none.
    restart: awaited after the answer to a good commit.
    """

    def __init__(self, signature, rollback, needs, load, restart):
        self._signature = signature
        self._rollback = rollback
        self._needs = needs
        self._new = rollback.path + ".new"
        self._load = load
        self._restart = restart
        self._size = 0
        self._crc = 0
        self._offset = 0

    async def command(self, arguments):
        """Carry out one step. Raises ValueError with the reason of a refusal."""
        step = arguments.get("step")
        if step == "begin":
            return self._begin(arguments)
        if step == "chunk":
            return self._chunk(arguments)
        if step == "commit":
            return self._commit(arguments.get("hmac"))
        raise ValueError("step must be begin, chunk or commit")

    def _begin(self, arguments):
        size, crc = number(arguments, "size"), number(arguments, "crc32")
        if not 0 < size <= _MOST_BYTES:
            raise ValueError("size must be 1 to %d bytes" % _MOST_BYTES)
        self._signature.check("model", "begin %d %d" % (size, crc), arguments.get("hmac"))
        if (size, crc) != (self._size, self._crc):  # else go on with it
            self._forget()
            with open(self._new, "wb"):
                pass
            self._size, self._crc = size, crc
        return {"offset": self._offset}

    def _chunk(self, arguments):
        if not self._size:
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
        if not self._size or self._offset != self._size:
            raise ValueError("%d of %d bytes are here" % (self._offset, self._size))
        try:
            crc, digest = self._digest()
            if crc != self._crc:
                raise ValueError("the whole file's CRC-32 is wrong")
            digest = str(binascii.hexlify(digest), "utf-8")
            self._signature.check("model", "commit %d %s" % (self._size, digest), hmac)
            model_id = self._checked()
            self._rollback.replace(self._new, self._needs())
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
        remove(self._new)  # unless there was none, or it has taken its place


def number(arguments, name):
    """A whole number out of a command. Raises ValueError."""
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("%s must be a whole number" % name)
    return value
