"""Gestures that a board learns itself: asked for, watched, taken back and read, over MQTT.

docs/learning.md describes what the board does, firmware/learning/learner.py the command.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from host_tools.errors import BeckonError
from host_tools.mqtt.remote_device import Refused, RemoteDevice

_POLL_S = 0.1
_STATE_TIMEOUT_S = 10.0
_RESTART_TIMEOUT_S = 60.0

Learning = dict[str, Any]


def learn(
    device: RemoteDevice,
    key: str,
    label: str,
    takes: int,
    show: Callable[[Learning], None] = lambda learning: None,
    timeout_s: float = 180.0,
) -> Learning:
    """Have the board learn `label` from so many repetitions; what its `state` says in the end.

    key: update_key of the board's secrets.json. show: called with each change of `learning`.
    Raises BeckonError with the board's reason if it refuses. Ctrl-C stops the board, too.
    """
    until_s = time.monotonic() + _STATE_TIMEOUT_S  # it is retained
    while not device.state and time.monotonic() < until_s:
        time.sleep(_POLL_S)
    first = device.state
    payload = f"start {label} {takes}"
    device.request_signed("learn", key, payload, step="start", label=label, takes=takes)
    try:
        return _watched(device, label, first, show, timeout_s)
    except KeyboardInterrupt:
        with suppress(BeckonError):  # it has ended already, or is away
            device.request_signed("learn", key, "stop", step="stop")
        raise


def _watched(
    device: RemoteDevice, label: str, first: dict[str, Any], show: Callable[[Learning], None],
    timeout_s: float,
) -> Learning:
    until_s = time.monotonic() + timeout_s
    before: Learning = {}
    while time.monotonic() < until_s:
        state = device.state
        learning = state.get("learning") or {}
        if state is not first and learning.get("label") == label and learning != before:
            before = learning
            show(learning)
            if learning["phase"] == "refused":
                raise BeckonError("{device} has not learned {label}: {reason}",
                                  device=device.device, label=label, reason=learning["reason"])
            if learning["phase"] == "in use" and state.get("model") != first.get("model"):
                return learning
        if state is not first and before.get("phase") == "learned" and state["model_taken_back"]:
            raise BeckonError("{device} went back to its old model: {crash}",
                              device=device.device, crash=state["crash"])
        time.sleep(_POLL_S)
    raise BeckonError("{device} has learned nothing within {seconds} s", device=device.device,
                      seconds=f"{timeout_s:g}")


def undo(device: RemoteDevice, key: str, wait_s: float = _RESTART_TIMEOUT_S) -> str:
    """Take back what the board learned last, wait for it, and return the model's id."""
    model = str(device.request_signed("learn", key, "undo", step="undo")["model"])
    until_s = time.monotonic() + wait_s
    while device.await_board(max(0.1, until_s - time.monotonic())).get("model") != model:
        pass
    return model


def read_file(
    device: RemoteDevice,
    key: str,
    name: str,
    model: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> bytes | None:
    """One of the board's files: model, about or samples; None if there is none.

    model: id of the model that a gesture led to, if not that of the model in use. on_progress:
    called with (read, all) bytes.
    """
    data = b""
    named = {"model": model} if model else {}
    while True:
        payload = f"read {name} {len(data)}" + (f" {model}" if model else "")
        try:
            answer = device.request_signed("learn", key, payload, step="read", file=name,
                                           offset=len(data), **named)
        except Refused as fault:
            if not data and "kept none" in str(fault):
                return None
            raise
        piece = base64.b64decode(answer["data"])
        data += piece
        if on_progress:
            on_progress(len(data), answer["size"])
        if len(data) >= answer["size"]:
            return data
        if not piece:
            raise BeckonError("{device} stops at byte {size} of its {name}", device=device.device,
                              size=len(data), name=name)
