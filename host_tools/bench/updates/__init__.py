"""New models over MQTT that break off or are wrong: does the old one go on, with a reason given?

A simulated board runs the whole firmware; mosquitto stands between. The last update is
a good one, so that a board which refuses everything does not look well.
"""

import base64
import hashlib
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from host_tools.bench.outages.broker import Mosquitto
from host_tools.errors import BeckonError
from host_tools.model.codec import encode
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import CHUNK_BYTES, MODEL_BYTES_MAX, RemoteDevice, signed
from host_tools.paths import DEFAULT_MODEL
from host_tools.testing.still_board import StillBoard

_DEVICE = "bench"
_KEY = "the key of the bench"
_EVERY = 10  # chunks


@dataclass
class Updates:
    """tried: updates that must be refused. accepted: those of them that were not.

    reasons: what the board said to each. good_accepted: whether the good one was taken.
    """

    tried: int = 0
    accepted: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    good_accepted: bool = False


def try_updates(on_progress: Callable[[str], None] = lambda note: None) -> Updates:
    """Raises BeckonError if the board does not answer."""
    result = Updates()
    old = DEFAULT_MODEL.read_bytes()
    with (
        tempfile.TemporaryDirectory(prefix="beckon-bench-") as folder,
        Mosquitto(Path(folder)) as broker,
    ):
        address = BrokerAddress("127.0.0.1", broker.port)
        with (
            RemoteDevice(address, _DEVICE) as device,  # first, to hear the board come up
            StillBoard(address, {"device": _DEVICE, "update_key": _KEY}) as board,
        ):
            device.await_board(60)
            for name, wrong in _wrong_updates(old).items():
                on_progress(name)
                result.tried += 1
                try:
                    wrong(device)
                    result.accepted += 1
                except BeckonError as error:
                    result.reasons[name] = str(error)
                if (board.flash / "model.mlp").read_bytes() != old:
                    result.accepted += 1
            on_progress("a good one")
            model = read_model(DEFAULT_MODEL)
            new = encode(replace(model, notes=model.notes + " (again)"))
            result.good_accepted = device.send_model(new, _KEY) == new[8:12][::-1].hex()
    return result


def _wrong_updates(old: bytes) -> dict[str, Callable[[RemoteDevice], None]]:
    wrong: dict[str, Callable[[RemoteDevice], None]] = {}
    long = old + bytes(MODEL_BYTES_MAX - len(old))  # as many chunks as there can be
    for chunks in range(0, len(long) // CHUNK_BYTES + 1, _EVERY):
        upto = chunks * CHUNK_BYTES
        wrong[f"broken off after {chunks} chunks"] = partial(_send, model=long, upto=upto)
    wrong["wrong key"] = partial(_send, model=old, key="another key")
    wrong["signed for another board"] = partial(_send, model=old, signed_for="mitten")
    wrong["wrong CRC of a chunk"] = partial(_send, model=old, chunk_crc=1)
    wrong["wrong CRC of the file"] = partial(_send, model=old, file_crc=1)
    for name, data in {
        "damaged and signed": old[:99] + bytes([old[99] ^ 1]) + old[100:],
        "wrong golden scores": _sealed(_golden_moved(old)),
        "older format": _sealed(old[:4] + b"\0\0" + old[6:]),
        "newer format": _sealed(old[:4] + b"\3\0" + old[6:]),
        "no model at all": b"#!/bin/sh\n" * 20,
        "cut off": _sealed(old[:-7]),
    }.items():
        wrong[name] = partial(_send, model=data)
    return wrong


def _send(
    device: RemoteDevice,
    model: bytes,
    upto: int | None = None,
    key: str = _KEY,
    signed_for: str = _DEVICE,
    chunk_crc: int = 0,
    file_crc: int = 0,
) -> None:
    """An update with what is wrong about it; raises BeckonError with the refusal."""
    crc = zlib.crc32(model) ^ file_crc
    begun = _signed(device, f"begin {len(model)} {crc}", key, signed_for,
                    step="begin", size=len(model), crc32=crc)  # fmt: skip
    for at in range(begun["offset"], len(model) if upto is None else upto, CHUNK_BYTES):
        data = model[at : at + CHUNK_BYTES]
        text = base64.b64encode(data).decode()
        crc = zlib.crc32(data) ^ chunk_crc
        device.request("model", step="chunk", offset=at, crc32=crc, data=text)
    digest = hashlib.sha256(model).hexdigest()
    _signed(device, f"commit {len(model)} {digest}", key, signed_for, step="commit")


def _signed(
    device: RemoteDevice, payload: str, key: str, signed_for: str, **arguments: Any
) -> dict[str, Any]:
    nonce = device.request("nonce")["nonce"]
    signature = signed(key, "model", signed_for, nonce, payload)
    return device.request("model", hmac=signature, **arguments)


def _sealed(data: bytes) -> bytes:
    """data with the CRC-32 of a model file put right: bytes 8 to 11, over all behind."""
    crc = zlib.crc32(data[12:])
    return data[:8] + struct.pack("<I", crc) + data[12:]


def _golden_moved(data: bytes) -> bytes:
    """The model with one of its expected scores off by one."""
    golden = read_model(DEFAULT_MODEL).golden
    at = data.index(struct.pack(f"<{len(golden)}i", *golden))
    return data[:at] + struct.pack("<i", golden[0] + 1) + data[at + 4 :]
