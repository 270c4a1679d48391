"""How a simulated device takes a new model: the commands of docs/mqtt.md, and ways to fail.

The refusals are in the firmware's words (firmware/commands/model_update.py, signature.py).
"""

import base64
import hashlib
import json
import zlib
from typing import Any

from host_tools.mqtt.remote_device import MODEL_BYTES_MAX, signed

# What a device does with a new model. good: it restarts with it. refuse: it has not enough
# memory. vanish: it is not heard of again. roll_back: it crashes with the new model and comes back
# with the old one. restart: it comes back and then restarts every few seconds. lose: it keeps
# only half of its samples from then on.
WAYS = ("good", "refuse", "vanish", "roll_back", "restart", "lose")


class Update:
    """device, key: as on the board; "" accepts nothing. way: one of WAYS. nonce: the first one."""

    def __init__(self, device: str, key: str, way: str, nonce: str):
        if way not in WAYS:
            raise ValueError(f"{way!r} is not a way; there are {', '.join(WAYS)}")
        self.way = way
        self._device = device
        self._key = key
        self._nonce = nonce
        self._size = self._crc = 0
        self._data = bytearray()

    def answer(self, verb: str, payload: bytes) -> tuple[dict[str, Any], bytes]:
        """(the answer; the model, if it is to be used now, or b"")."""
        transaction, model = None, b""
        try:
            arguments = json.loads(payload)
            transaction = arguments["transaction"]
            if verb == "nonce":
                answer: dict[str, Any] = {"nonce": self._nonce}
            elif verb == "model":
                answer, model = self._model(arguments)
            else:
                raise ValueError("no such command; there are model, nonce")
            answer["ok"] = True
        except (ValueError, KeyError, TypeError) as fault:
            answer = {"error": str(fault)}
        answer["transaction"] = transaction
        return answer, model

    def _model(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        step = arguments.get("step")
        if step == "begin":
            size, crc = arguments["size"], arguments["crc32"]
            if not 0 < size <= MODEL_BYTES_MAX:
                raise ValueError(f"size must be 1 to {MODEL_BYTES_MAX} bytes")
            self._check(f"begin {size} {crc}", arguments.get("hmac"))
            if (size, crc) != (self._size, self._crc):
                self._size, self._crc = size, crc
                self._data.clear()
            return {"offset": len(self._data)}, b""
        if step == "chunk":
            if arguments["offset"] != len(self._data):
                raise ValueError(f"the next chunk begins at {len(self._data)}")
            data = base64.b64decode(arguments["data"])
            if zlib.crc32(data) != arguments["crc32"]:
                raise ValueError("this chunk's CRC-32 is wrong; send it again")
            self._data += data
            return {"offset": len(self._data)}, b""
        if step != "commit":
            raise ValueError("step must be begin, chunk or commit")
        model = bytes(self._data)
        if not self._size or len(model) != self._size or zlib.crc32(model) != self._crc:
            raise ValueError(f"{len(model)} of {self._size} bytes are here")
        self._check(f"commit {len(model)} {hashlib.sha256(model).hexdigest()}",
                    arguments.get("hmac"))  # fmt: skip
        self._size = self._crc = 0
        self._data.clear()
        if self.way == "refuse":
            raise ValueError("not enough memory for this model")
        return {"model": model_id(model)}, model

    def _check(self, payload: str, hmac: Any) -> None:
        """Spend the nonce if hmac is right."""
        if not self._key:
            raise ValueError("no update_key in secrets.json; without one nothing can be signed")
        if hmac != signed(self._key, "model", self._device, self._nonce, payload):
            raise ValueError("the HMAC is wrong; is it the same update_key on both sides?")
        self._nonce = hashlib.sha256(self._nonce.encode()).hexdigest()[:32]


def model_id(model: bytes) -> str:
    """As the board names it: the CRC-32 that the file holds (host_tools/model/format.py)."""
    return model[8:12][::-1].hex()
