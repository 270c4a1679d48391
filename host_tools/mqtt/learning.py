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
from host_tools.mqtt.learning_words import reason
from host_tools.mqtt.remote_device import Refused, RemoteDevice

TAKES, TAKES_LEAST, TAKES_MOST = 5, 3, 9  # firmware/learning

_POLL_S = 0.1
_STATE_TIMEOUT_S = 10.0
_RESTART_TIMEOUT_S = 60.0

Learning = dict[str, Any]


class Stopped(BeckonError):
    """Whoever asked for it has ended it."""


def learn(
    device: RemoteDevice,
    key: str,
    label: str,
    takes: int,
    show: Callable[[Learning], None] = lambda learning: None,
    timeout_s: float = 180.0,
    stopped: Callable[[], bool] = lambda: False,
) -> Learning:
    """Have the board learn `label` from so many repetitions; what its `state` says in the end.

    key: update_key of the board's secrets.json. show: called with each change of `learning`.
    stopped: asked often; when it is true, or at Ctrl-C, the board stops, too. Raises BeckonError
    with the board's reason if it refuses, and Stopped.
    """
    until_s = time.monotonic() + _STATE_TIMEOUT_S  # it is retained
    while not device.state and time.monotonic() < until_s and not stopped():
        time.sleep(_POLL_S)
    first = device.state
    payload = f"start {label} {takes}"
    if stopped():
        raise Stopped("stopped")
    try:
        device.request_signed("learn", key, payload, step="start", label=label, takes=takes)
        return _watched(device, label, first, show, timeout_s, stopped)
    except Refused as fault:
        raise _in_words(device, fault) from None
    except (KeyboardInterrupt, Stopped):
        with suppress(BeckonError):  # it has ended already, or is away
            stop(device, key)
        raise


def _watched(
    device: RemoteDevice, label: str, first: dict[str, Any], show: Callable[[Learning], None],
    timeout_s: float, stopped: Callable[[], bool],
) -> Learning:
    until_s = time.monotonic() + timeout_s
    before: Learning = {}
    while time.monotonic() < until_s:
        if stopped():
            raise Stopped("stopped")
        state = device.state
        learning = state.get("learning") or {}
        if state is not first and learning.get("label") == label and learning != before:
            before = learning
            show(learning)
            if learning["phase"] == "refused":
                raise BeckonError("{device} has not learned {label}: {reason}",
                                  device=device.device, label=label,
                                  reason=reason(learning["reason"]))
            if learning["phase"] == "in use" and state.get("model") != first.get("model"):
                return learning
        if state is not first and before.get("phase") == "learned" and state["model_taken_back"]:
            raise BeckonError("{device} went back to its old model: {crash}",
                              device=device.device, crash=state["crash"])
        time.sleep(_POLL_S)
    raise BeckonError("{device} has learned nothing within {seconds} s", device=device.device,
                      seconds=f"{timeout_s:g}")


def stop(device: RemoteDevice, key: str) -> None:
    """End what the board learns; its model stays. Raises BeckonError if it learns nothing."""
    try:
        device.request_signed("learn", key, "stop", step="stop")
    except Refused as fault:
        raise _in_words(device, fault) from None


def undo(device: RemoteDevice, key: str, wait_s: float = _RESTART_TIMEOUT_S) -> str:
    """Take back what the board learned last, wait for it, and return the model's id."""
    try:
        model = str(device.request_signed("learn", key, "undo", step="undo")["model"])
    except Refused as fault:
        raise _in_words(device, fault) from None
    until_s = time.monotonic() + wait_s
    while device.await_board(max(0.1, until_s - time.monotonic())).get("model") != model:
        pass
    return model


def _in_words(device: RemoteDevice, fault: Refused) -> Refused:
    """The same with a cure. The library's Sentence keeps what the board said."""
    error = str(fault.message.values.get("error", fault))
    if "HMAC is wrong" in error:
        return Refused("{device} has another update_key; deploy the settings to it by USB, or "
                       "use the key that it has", device=device.device)
    return Refused("{device} refuses: {reason}", device=device.device, reason=reason(error))


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
